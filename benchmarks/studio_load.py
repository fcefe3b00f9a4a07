"""What ten watchers in the studio cost a run, and how fast its pages are.

`python benchmarks/studio_load.py`, on a quiet machine with Chromium. A run on digits trains all the
time; in turn nobody and ten clients watch it, and the images that it learns meanwhile are counted.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from record import record
from stored import BENCHMARKS, Table
from websockets.sync.client import connect
from websockets.typing import Origin

from ganvas.checkpoints.run_dir import RunDir
from ganvas.runs import status
from ganvas.studio.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

WATCHERS = 10
LINES = 1_000_000
WATCHED = 4  # seconds of a page


def main() -> None:
    """Measure, print and record."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="windows of each kind")
    parser.add_argument("--seconds", type=float, default=20, help="of a window")
    options = parser.parse_args()
    with TemporaryDirectory() as place, ExitStack() as stack:
        root = Path(place)
        address, key = stack.enter_context(_studio(root))
        run = stack.enter_context(_training(root / "run"))
        ratios = _ratios(run, address, key, options.rounds, options.seconds)
    print(ratios, flush=True)
    with TemporaryDirectory() as place, ExitStack() as stack:
        root = Path(place)
        _long_log(root / "long")
        address, key = stack.enter_context(_studio(root))
        pages = [stack.enter_context(_page(f"{address}/#key={key}"))]
        opened = [_seconds_to_open(pages[0]) for _ in range(5)]
        print(opened, flush=True)
        frames = [_frames(pages[0]) for _ in range(5)]
        images = [_explored(pages[0]) for _ in range(5)]
    print(frames, images, flush=True)
    rows = [
        [f"speed with {WATCHERS} watchers, of that with none", _spread(ratios)],
        [f"seconds until the curves of {LINES:,} lines are drawn", _spread(opened)],
        ["frames a second of the GAN on points, training", _spread(frames)],
        ["images a second along the plane of latents, digits", _spread(images)],
    ]
    notes = (
        f"Digits, the default model, {options.rounds} windows of {options.seconds:g} s each, in "
        "turn; medians, and lowest and highest."
    )
    record(BENCHMARKS, "studio_load", [Table(["", ""], rows)], notes=notes)


def _spread(values: list[float]) -> str:
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


@contextmanager
def _process(*arguments: str, **options: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "ganvas", *arguments]
    process = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _studio(root: Path) -> Iterator[tuple[str, str]]:
    arguments = ("studio", "--workspace", str(root), "--no-open", "--port", "0")
    with _process(*arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/#key=(\S+)", line):
                yield found[1], found[2]
                return
    raise RuntimeError("the studio has not begun")


@contextmanager
def _training(out: Path) -> Iterator[RunDir]:
    run = RunDir(out)
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with _process("train", "digits", "--out", str(out), "--images", "100m", **silent):
        while (found := status.read(run.status)) is None or found.step < 50:
            time.sleep(0.5)
        yield run


def _ratios(run: RunDir, address: str, key: str, rounds: int, seconds: float) -> list[float]:
    """In each round: speed while ten watch, divided by that while nobody does."""
    ratios = []
    for _ in range(rounds):
        alone = _speed(run, seconds)
        with _watched(run, address, key):
            ratios.append(_speed(run, seconds) / alone)
    return ratios


def _speed(run: RunDir, seconds: float) -> float:
    """Images a second, between two writings of status.json."""
    first = status.read(run.status)
    time.sleep(seconds)
    last = status.read(run.status)
    assert first is not None
    assert last is not None
    return (last.images - first.images) / (last.written - first.written)


@contextmanager
def _watched(run: RunDir, address: str, key: str) -> Iterator[None]:
    """Ten clients that read what the studio sends of the run."""
    asked = urllib.request.Request(
        f"{address}/enter",
        json.dumps({"key": key}).encode(),
        {"content-type": "application/json", "origin": address},
    )
    with urllib.request.urlopen(asked) as answer:
        cookie = answer.headers["set-cookie"].split(";")[0]
    name = Workspace(run.path.parent).id_of(run)
    live = f"{address.replace('http', 'ws')}/api/runs/{name}/live"
    with ExitStack() as stack:
        for _ in range(WATCHERS):
            opened = connect(live, origin=Origin(address), additional_headers={"cookie": cookie})
            socket = stack.enter_context(opened)
            Thread(target=lambda s=socket: [*s], daemon=True).start()
        yield


def _long_log(out: Path) -> None:
    """A run with a metrics log of a million lines."""
    command = ["train", "digits", "--out", str(out), "--images", "64", "--batch", "8"]
    subprocess.run([sys.executable, "-m", "ganvas", *command, "--width", "4"], check=True)
    last = json.loads(RunDir(out).metrics_log.read_text().splitlines()[0])
    with RunDir(out).metrics_log.open("w") as log:
        for step in range(LINES):
            log.write(json.dumps(last | {"step": step, "images": 8 * step}) + "\n")


@contextmanager
def _page(address: str) -> Iterator["Page"]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    from playwright.sync_api import sync_playwright  # as `make test-browser` installs it

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        yield page
        browser.close()


def _seconds_to_open(page: "Page") -> float:
    """From a click on the run until its curves are drawn."""
    page.get_by_role("link", name="Runs", exact=True).click()
    page.locator(".card").first.wait_for()
    # In the page: Playwright looks twice a second only at what it waits for.
    seconds = page.evaluate("""() => new Promise((done) => {
      const begun = performance.now();
      const look = () => {
        if (document.querySelector(".panel canvas")) done((performance.now() - begun) / 1000);
        else requestAnimationFrame(look);
      };
      document.querySelector(".card").click();
      look();
    })""")
    return float(seconds)


def _frames(page: "Page") -> float:
    """Frames a second of the page Learn while its networks train."""
    page.get_by_role("link", name="Learn", exact=True).click()
    page.get_by_role("button", name="Play").click()
    counted = page.evaluate(f"""() => new Promise((done) => {{
      let frames = 0;
      const begun = performance.now();
      const frame = () => {{
        frames += 1;
        if (performance.now() - begun < {1000 * WATCHED}) requestAnimationFrame(frame);
        else done((1000 * frames) / (performance.now() - begun));
      }};
      requestAnimationFrame(frame);
    }})""")
    page.get_by_role("button", name="Pause").click()
    return float(counted)


def _explored(page: "Page") -> float:
    """Images a second that the page Explore shows while somebody drags."""
    page.get_by_role("link", name="Explore", exact=True).click()
    page.get_by_label("Generator").select_option("digits")
    pad = page.locator(".pad").bounding_box()
    assert pad is not None
    middle = pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    until, step = time.monotonic() + WATCHED, 0
    while time.monotonic() < until:
        step += 1
        page.mouse.move(middle[0] + step % 100, middle[1] + step % 37)
    rate = float(page.locator(".quiet", has_text="images/s").inner_text().split()[0])
    page.mouse.up()
    return rate


if __name__ == "__main__":
    main()

"""The pictures of the studio in README and guide: its pages over real runs, in a real browser.

`python benchmarks/studio_gallery.py`: trains four small runs, repaints a photograph, and takes a
picture of each page while the largest run goes on. Runs are kept in .scratch, so that
`--only PAGE ...` takes some pictures again; `run` and `runs` show the largest run while it trains,
so remove its folder first. It needs Playwright and Chromium.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image
from record import ROOT, SCRATCH
from subsets import icons

from ganvas.pretrained.examples import EXAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER, ICONS = SCRATCH / "studio_gallery", SCRATCH / "icons"
GALLERY = ROOT / "docs/gallery"
WIDTH, HEIGHT, QUALITY = 1280, 1180, 85  # of a picture, in pixels, and of its compression
SHARE = 0.8  # of a run after which it is looked at
SLOWLY = 600_000  # milliseconds that a page may take
MINUTE = ["--for", "60s", "--size", "32"]
FAST = ["--lr-g", "0.15", "--lr-d", "0.15"]
RUNS = {  # the last one is looked at while it trains, too fast at first
    "digits": ["digits", *MINUTE],
    "digits-dcgan": ["digits", *MINUTE, "--model", "dcgan"],
    "icons": [str(ICONS), "--for", "3m"],
    "emoji": ["emoji", "--images", "100k", "--evaluate-every", "2m", *FAST],
}


def main() -> None:
    """Train what is not there, and take the pictures."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PAGES, default=[*PAGES])
    parser.add_argument("--fresh", action="store_true", help="train the runs again")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    ICONS.mkdir(exist_ok=True)
    icons(ICONS)
    *before, live = RUNS
    for name in before:
        _trained(name).wait()
    training = _trained(live) if {"run", "runs"} & {*options.only} else None
    if training is not None:
        _wait_for(live)
    with _studio() as address, _browser() as browser:
        for name in options.only:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(SLOWLY)
            page.goto(address)
            PAGES[name](page)
            page.wait_for_load_state("networkidle")
            _keep(page, name)
            page.close()
    if training is not None:
        training.wait()


def _trained(name: str) -> subprocess.Popen[bytes]:
    """Begin a run, or go on with it."""
    command = [sys.executable, "-m", "ganvas", "train", *RUNS[name], "--out", name, "--requeue"]
    with (FOLDER / f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=FOLDER, stdout=log, stderr=log)


def _wait_for(name: str) -> None:
    """Wait until most of a run has been trained."""
    while True:
        try:
            status = json.loads((FOLDER / name / "status.json").read_text())
            if status["images"] >= SHARE * (status["goal"] or float("inf")):
                return
        except (OSError, ValueError):
            pass  # it has not begun, or is just being written
        time.sleep(1)


@contextmanager
def _studio() -> Iterator[str]:
    """A studio over the runs; its address with the key."""
    log = FOLDER / "studio.log"
    command = [sys.executable, "-m", "ganvas", "studio", "--no-open", "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=FOLDER, stdout=file, stderr=file)
    try:
        while not (found := re.search(r"http://\S+/#key=\S+", log.read_text())):
            time.sleep(0.2)
        yield found[0]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright  # as `make test-browser` installs it

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _keep(page: "Page", name: str) -> None:
    """A picture of what a window shows, without the empty part below."""
    height = min(HEIGHT, page.evaluate("document.body.scrollHeight"))
    shown = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
    path = GALLERY / f"studio_{name}.webp"
    Image.open(BytesIO(shown)).convert("RGB").save(path, quality=QUALITY, method=6)
    print(path, flush=True)


def _runs(page: "Page") -> None:
    page.locator(".card").first.wait_for()


def _run(page: "Page") -> None:
    page.locator(".card", has_text="emoji").click()
    page.locator(".panel canvas").first.wait_for()


def _compare(page: "Page") -> None:
    page.locator(".card").first.wait_for()
    for box in page.locator(".pick input[aria-label*=digits]").all():
        box.check()
    page.get_by_role("link", name="Compare these two runs").click()
    page.locator(".panel canvas").first.wait_for()


def _new(page: "Page") -> None:
    page.get_by_role("link", name="New run").first.click()
    files = [str(path) for path in sorted(ICONS.iterdir())]
    page.locator("input[type=file][accept]").set_input_files(files)
    page.locator("img.sheet").wait_for()
    page.get_by_label("Name", exact=True).fill("icons-2")


def _explore(page: "Page") -> None:
    page.get_by_role("link", name="Explore").first.click()
    page.get_by_label("Generator").select_option("emoji")
    page.locator(".quiet", has_text="/s").wait_for()
    box = page.locator(".pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 190, steps=60)
    page.mouse.up()


def _style(page: "Page") -> None:
    page.get_by_role("link", name="Style").click()
    page.get_by_label("1. Photograph").set_input_files(str(EXAMPLES["moose"]))
    page.get_by_label("2. Paintings").set_input_files([str(EXAMPLES["night_cafe"])])
    page.get_by_role("button", name="Repaint").click()
    page.locator(".state.finished").wait_for()
    page.get_by_label("Before and after").fill("40")


def _learn(page: "Page") -> None:
    page.get_by_role("link", name="Learn").click()
    page.get_by_role("button", name="Cause mode collapse").click()
    page.wait_for_timeout(15_000)


PAGES: dict[str, Callable[["Page"], None]] = {
    "run": _run,
    "runs": _runs,
    "compare": _compare,
    "new": _new,
    "explore": _explore,
    "style": _style,
    "learn": _learn,
}

if __name__ == "__main__":
    main()

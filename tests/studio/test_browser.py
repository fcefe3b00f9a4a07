"""The studio in a real browser: Chromium, driven by Playwright, where both are installed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganvas.pretrained.examples import EXAMPLES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
)
expect = playwright.expect
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
)

SMALL = ("--size", "16", "--width", "4", "--batch", "8", "--seed", "1")
LONG = 60_000  # milliseconds: a slow machine must not fail
SIZES = {"desk": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}


def ganvas(*arguments, **options):
    command = [sys.executable, "-m", "ganvas", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, env=environment, **options)


class Studio:
    """A studio in a process of its own, on the same port each time it is started."""

    def __init__(self, workspace, log):
        self.workspace, self.log, self.port, self.process = workspace, log, 0, None
        self.address = self.start()

    def start(self):
        options = ("--workspace", self.workspace, "--no-open", "--port", self.port)
        with self.log.open("wb") as log:
            self.process = ganvas("studio", *options, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + LONG / 1000
        while time.monotonic() < until:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/#key=\S+", self.log.read_text()):
                self.port = int(found[1])
                return found[0]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def training(workspace):
    """A run that trains until the tests are over."""
    out = workspace / "<i>my run</i>"
    with (workspace / "train.log").open("wb") as log:
        process = ganvas(
            "train", "digits", "--out", out, "--images", "4m", "--samples", "400", *SMALL,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    yield out
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def studio(workspace, training):
    made = Studio(workspace, workspace / "studio.log")
    yield made
    made.kill()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def tab(browser):
    """Open a page; at the end, nothing must have been complained about in its console."""
    contexts, complaints = [], []

    def new(size="desk", scheme="light", **options):
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    new.complaints = complaints
    yield new
    for context in contexts:
        context.close()
    assert complaints == []


def opened(page, studio):
    page.goto(studio.address)
    page.locator(".card").first.wait_for()
    page.locator(".card").first.click()
    page.locator(".panel canvas").first.wait_for()


def images_shown(page):
    return int(page.locator(".facts p").inner_text().split(" ")[0].replace(",", ""))


def wait_for_more(page):
    before = images_shown(page)
    shown = "document.querySelector('.facts p').innerText.split(' ')[0].replaceAll(',', '')"
    page.wait_for_function(f"n => Number({shown}) > n", arg=before)


def test_a_run_is_watched_and_steered(tab, studio, training):
    page = tab()
    opened(page, studio)
    assert page.locator("h1").inner_text() == "<i>my run</i>", "a name is text"
    assert "key=" not in page.url
    wait_for_more(page)
    page.get_by_role("button", name="Pause").click()
    page.locator(".state.paused").wait_for()
    page.get_by_label("New value").fill("0.011")
    page.get_by_role("button", name="Apply").click()
    page.locator(".history .command", has_text="set lr_g 0.011").wait_for()
    page.get_by_label("New value").fill("-1")
    page.get_by_role("button", name="Apply").click()
    page.locator(".said", has_text="refused").wait_for()
    page.get_by_role("textbox", name="Mark this moment").fill("<b>here</b>")
    page.get_by_role("button", name="Mark", exact=True).click()
    page.locator(".history .command", has_text="label <b>here</b>").wait_for()
    page.get_by_role("button", name="Save now").click()
    page.locator(".facts", has_text="checkpoint saved").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.locator(".state.running").wait_for()
    wait_for_more(page)
    log = (training / "metrics.jsonl").read_text()
    assert '"value": 0.011' in log
    assert (training / "checkpoints").is_dir()


def test_somebody_trains_on_a_folder_of_their_own(tab, studio, twelve, tmp_path):
    images = Path(shutil.copytree(twelve, tmp_path / "my images"))
    (images / "broken <b>.jpg").write_bytes(b"\xff\xd8\xff cut")
    page = tab()
    page.goto(studio.address)
    page.get_by_role("link", name="New run").first.click()
    page.locator("input[webkitdirectory]").set_input_files(images)
    page.locator(".sheet").wait_for()
    assert page.get_by_text("12 usable images").is_visible()
    assert "broken <b>.jpg" in page.locator(".refusals").inner_text()
    fill = {"Name": "theirs", "size": "16", "for": "1h"}
    for label, value in fill.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_text("More settings: Model").click()
    page.get_by_label("width", exact=True).fill("4")
    shot(page, "new_desk_light")
    page.get_by_role("button", name="Start").click()
    page.locator(".panel canvas").first.wait_for()
    wait_for_more(page)
    page.get_by_role("button", name="Stop").click()
    page.locator(".state", has_text="stopped").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.locator(".state.running").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Move to trash").click()
    page.locator(".said", has_text="Moved to .trash").wait_for()
    assert not (studio.workspace / "theirs").exists()


def test_somebody_explores_what_a_generator_has_learnt(tab, studio, tmp_path):
    page = tab(accept_downloads=True)
    page.goto(studio.address)
    page.get_by_role("link", name="Explore").click()
    page.get_by_label("Generator").select_option("digits")
    where = page.locator("output").first
    page.locator(".quiet", has_text="images/s").wait_for()
    page.locator(".pad").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(where).to_have_text("seed 2")
    page.keyboard.press("ArrowUp")
    expect(where).to_contain_text("between seeds")
    box = page.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 90, steps=20)
    page.mouse.up()
    page.get_by_role("button", name="Nearest seed").click()
    expect(where).to_have_text(re.compile(r"seed \d+"))
    seed = where.inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Keep image").click()
    download.value.save_as(tmp_path / "kept.png")
    page.get_by_role("button", name="Add keyframe").click()
    page.get_by_role("button", name="Somewhere else").click()
    page.get_by_role("button", name="Add keyframe").click()
    page.get_by_label("Open a kept image").set_input_files(tmp_path / "kept.png")
    expect(where).to_have_text(seed)
    page.get_by_role("button", name="Film of 2").click()
    page.locator("img.film").wait_for()
    page.get_by_label("Generator").select_option("emoji")
    page.locator(".quiet", has_text="images/s").wait_for()
    shot(page, "explore_desk_light")


def test_somebody_repaints_a_photograph(tab, studio):
    page = tab(accept_downloads=True)
    page.goto(studio.address)
    page.get_by_role("link", name="Style").click()
    page.get_by_label("1. Photograph").set_input_files(EXAMPLES["moose"])
    page.get_by_label("2. Paintings").set_input_files([EXAMPLES["night_cafe"]])
    page.get_by_label("Preset").select_option("draft")
    page.get_by_label("Longer side").fill("96")
    page.get_by_role("button", name="Repaint").click()
    page.locator(".state.finished").wait_for()
    page.get_by_label("Before and after").fill("30")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "painted.png"
    shot(page, "style_desk_light")
    page.get_by_label("Preset").select_option("fine")
    page.get_by_label("Longer side").fill("256")
    page.get_by_role("button", name="Again with").click()
    page.get_by_role("button", name="Cancel").wait_for()
    page.locator(".compare img").first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.locator(".state.finished").wait_for()
    expect(page.locator(".thumbs li")).to_have_count(2)
    page.get_by_role("button", name="Move to trash").first.click()
    expect(page.locator(".thumbs li")).to_have_count(1)


def test_a_run_that_cannot_begin_says_why(tab, studio):
    page = tab()
    page.goto(studio.address)
    page.get_by_role("link", name="New run").first.click()
    page.get_by_role("button", name="digits").click()
    page.get_by_label("Name", exact=True).fill("odd")
    page.get_by_label("size", exact=True).fill("31")
    page.get_by_role("button", name="Start").click()
    page.locator(".banner", has_text="try --size").wait_for()


def shot(page, name):
    """A picture of a page for the documentation, where one is asked for."""
    if place := os.environ.get("GANVAS_SCREENSHOTS"):
        page.screenshot(path=Path(place) / f"{name}.png", full_page=True)


def test_a_reload_and_a_second_tab_show_the_same(tab, studio):
    page, other = tab(), tab()
    opened(page, studio)
    opened(other, studio)
    page.reload()
    page.locator(".panel canvas").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    other.locator(".state.paused").wait_for()
    other.get_by_role("button", name="Resume").click()
    page.locator(".state.running").wait_for()


def test_training_goes_on_while_the_studio_is_killed_and_started_again(tab, studio):
    page = tab()
    opened(page, studio)
    before = images_shown(page)
    studio.kill()
    page.locator(".banner", has_text="does not answer").wait_for()
    studio.address = studio.start()
    page.locator(".banner").wait_for(state="detached")
    wait_for_more(page)
    assert images_shown(page) > before
    tab.complaints.clear()  # a refused connection is one


def test_without_the_key_one_is_asked_for_it(tab, studio):
    page = tab()
    page.goto(studio.address.split("#")[0])
    page.get_by_label("Key or password").fill("wrong")
    page.get_by_role("button", name="Enter").click()
    page.locator(".banner", has_text="not the key").wait_for()
    page.get_by_label("Key or password").fill(studio.address.split("key=")[1])
    page.get_by_role("button", name="Enter").click()
    page.locator(".card").first.wait_for()
    tab.complaints.clear()  # 401 is one


def test_the_keyboard_alone_is_enough(tab, studio):
    page = tab()
    page.goto(studio.address)
    page.locator(".card").first.wait_for()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('card')"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause").wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Pause":
            break
    page.keyboard.press("Enter")
    page.locator(".state.paused").wait_for()
    page.keyboard.press("Enter")
    page.locator(".state.running").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_every_width(tab, studio, size, scheme):
    page = tab(size, scheme)
    page.goto(studio.address)
    page.locator(".card").first.wait_for()
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        name = "run" if page.locator(".panel").count() else "runs"
        shot(page, f"{name}_{size}_{scheme}")
        if page.locator(".card").count():
            page.locator(".card").first.click()
            page.locator(".panel canvas").first.wait_for()
    page.get_by_role("link", name="New run").first.click()
    page.locator(".drop").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"new_{size}_{scheme}")
    page.get_by_role("link", name="Explore").click()
    page.locator(".quiet", has_text="images/s").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"explore_{size}_{scheme}")
    page.get_by_role("link", name="Style").click()
    page.locator("#photograph").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"style_{size}_{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(tab, studio, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe is installed")
    page = tab("desk", scheme, bypass_csp=True)  # axe itself is not the studio's
    page.goto(studio.address)
    page.locator(".card").first.wait_for()
    assert serious(axe.Axe().run(page)) == []
    page.locator(".card").first.click()
    page.locator(".panel canvas").first.wait_for()
    page.get_by_text("Settings", exact=True).click()
    assert serious(axe.Axe().run(page)) == []
    page.get_by_role("link", name="Explore").click()
    page.locator(".pad").wait_for()
    assert serious(axe.Axe().run(page)) == []
    page.get_by_role("link", name="Style").click()
    page.locator("#photograph").wait_for()
    assert serious(axe.Axe().run(page)) == []
    page.get_by_role("link", name="New run").first.click()
    page.locator(".drop").wait_for()
    for heading in page.locator("summary").all():
        heading.click()
    assert serious(axe.Axe().run(page)) == []


def serious(found):
    """What axe calls serious or critical, and where."""
    return [
        (fault["id"], [node["html"][:100] for node in fault["nodes"]])
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_pages_load_nothing_from_anywhere_else(tab, studio):
    page, asked = tab(), []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, studio)
    assert len(asked) > 10
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{studio.port}"}

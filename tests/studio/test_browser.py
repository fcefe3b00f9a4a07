"""The studio in a real browser: Chromium, driven by Playwright, where both are installed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ganvas.pretrained.examples import EXAMPLES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
)
expect = playwright.expect
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
    ),
]

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
    page.locator(".facts", has_text=re.compile("checkpoint of step .* verified")).wait_for()
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
    fill = {"Name": "theirs", "Image size (size)": "16", "Training time (for)": "1h"}
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


def test_somebody_branches_a_run_exports_it_and_compares_the_two(tab, studio, copy_of_run):
    name = "a finished run"
    copy_of_run(studio.workspace / name, *SMALL, "--images", "64", "--samples", "8")
    page = tab(accept_downloads=True)
    page.goto(studio.address)
    page.locator(".card", has_text=name).click()
    page.wait_for_function("() => document.querySelector('[alt^=Real]')?.naturalWidth > 100")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == f"{name}.safetensors"
    page.get_by_label("Name", exact=True).fill("branch")
    page.get_by_label("More time").last.fill("10s")
    page.get_by_role("button", name="Branch and train").click()
    page.locator("h1", has_text="branch").wait_for()
    page.locator(".history", has_text="Branched from").wait_for()
    page.locator(".state.finished").wait_for()
    page.get_by_role("link", name="All runs").click()
    for one in (name, "branch"):
        page.locator(".cards > li", has_text=one).last.get_by_label("Compare").check()
    others = page.locator(".pick input:not(:checked)")
    assert others.count()
    assert all(others.nth(n).is_disabled() for n in range(others.count()))
    page.get_by_role("link", name="Compare these two runs").click()
    expect(page.locator(".grid")).to_have_count(2)
    assert page.locator(".panel canvas").count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "compare_desk_light")


def test_somebody_explores_what_a_generator_has_learnt(tab, studio, tmp_path):
    page = tab(accept_downloads=True)
    page.goto(studio.address)
    page.get_by_role("link", name="Explore").click()
    page.get_by_label("Generator").select_option("digits")
    where = page.locator("output").first
    page.locator(".quiet", has_text="/s").wait_for()
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
    page.locator(".quiet", has_text="/s").wait_for()
    shot(page, "explore_desk_light")
    page.get_by_label("Open a kept image").set_input_files(tmp_path / "kept.png")
    expect(where).to_have_text(seed)
    assert "#/explore/digits" in page.url


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
    page.locator(".state", has_text="cancelled").wait_for()
    expect(page.locator(".thumbs li")).to_have_count(2)
    page.locator(".thumbs a").last.click()  # the first one that was made
    expect(page.get_by_label("Longer side")).to_have_value("96")  # as the one that is shown
    page.get_by_role("button", name="Move to trash").first.click()
    expect(page.locator(".thumbs li")).to_have_count(1)


def test_a_run_that_cannot_begin_says_why(tab, studio):
    page = tab()
    page.goto(studio.address)
    page.get_by_role("link", name="New run").first.click()
    page.get_by_role("button", name="digits").click()
    page.get_by_label("Name", exact=True).fill("odd")
    page.get_by_label("Image size").fill("31")
    page.get_by_role("button", name="Start").click()
    page.locator(".banner", has_text="try --size").wait_for()


SETTLING = int(os.environ.get("GANVAS_SCREENSHOTS_AFTER", "0"))  # milliseconds before a picture


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


def test_numbers_on_axes_change_with_the_page_s_colours(tab, studio):
    page = tab()
    opened(page, studio)
    lightness = """() => {
        const shown = document.querySelector(".panel canvas");
        const copy = Object.assign(document.createElement("canvas"), { height: shown.height });
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(shown, 0, 0);
        const strip = context.getImageData(0, 0, 40, copy.height).data;
        let sum = 0, count = 0;
        for (let i = 0; i < strip.length; i += 4)
            if (strip[i + 3] > 200) { sum += strip[i]; count += 1; }
        return sum / count;
    }"""
    assert page.evaluate(lightness) < 0x60 + 16
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => ({lightness})() > 0xa3 - 16")


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


def test_the_address_may_be_pasted_into_a_page_that_asks_for_the_key(tab, studio):
    page = tab()
    page.goto(studio.address.partition("#")[0])
    page.get_by_label("Key or password").wait_for()
    page.evaluate("hash => { location.hash = hash; }", studio.address.partition("#")[2])
    page.locator(".card").first.wait_for()
    assert "key=" not in page.url
    tab.complaints.clear()  # 401 is one


def test_fields_can_be_typed_into_while_points_move(tab, studio):
    page = tab()
    learn(page, studio, "points")
    page.get_by_role("button", name="Play").click()
    field = page.get_by_label("Skip discriminator steps while its loss is below")
    field.press_sequentially("0.3", delay=250)  # each key between two drawings of the page
    assert float(field.input_value()) == pytest.approx(0.3)
    field.blur()
    assert float(field.input_value()) == pytest.approx(0.3)


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
    page.locator(".quiet", has_text="/s").wait_for()
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
    for part, seen in (("points", ".plane"), ("losses", ".three"), ("questions", ".quiz")):
        page.goto(f"{page.url.split('#')[0]}#/learn/{part}")
        page.locator(seen).first.wait_for()
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


GAME = "const { Game, PROBLEMS, SUITABLE } = await import('/static/learn/game.mjs');"
DATA = "const { found } = await import('/static/learn/data.mjs');"


def learn(page, studio, part="points", language="en"):
    page.goto(studio.address)
    page.get_by_role("link", name="Learn").click()
    page.get_by_label("Language").select_option(language)
    page.goto(f"{page.url.split('#')[0]}#/learn/{part}")


def test_the_game_of_the_lesson_has_the_gradients_of_its_losses(tab, studio):
    """Each gradient of the written-out networks, against differences of the loss."""
    page = tab()
    page.goto(studio.address)
    worst = page.evaluate(f"""async () => {{ {GAME}
      const game = new Game("ring", 3);
      const softplus = (x) => Math.log1p(Math.exp(x));
      const real = game.real(128), fake = game.noise(128), latents = game.noise(128);
      const lossD = () => game.discriminatorLoss(real, fake).loss;
      const lossG = () => game.discriminator.forward(game.generator.forward(latents, 128), 128)
        .reduce((sum, logit) => sum + softplus(-logit) / 128, 0);
      game.discriminator.clearGradients();
      game.discriminatorLoss(real, fake).pass();
      const kept = game.discriminator.parameters().map(([, g]) => [...g]);
      let worst = 0;
      const compare = (parameters, gradients, loss) => parameters.forEach(([values], n) => {{
        for (let i = 0; i < values.length; i += 37) {{
          const before = values[i];
          values[i] = before + 1e-5; const above = loss();
          values[i] = before - 1e-5; const below = loss();
          values[i] = before;
          worst = Math.max(worst, Math.abs((above - below) / 2e-5 - gradients[n][i]));
        }}
      }});
      compare(game.discriminator.parameters(), kept, lossD);
      game.noise = () => latents;
      game.optimizers.g.step = () => {{}};
      game.stepGenerator(SUITABLE);
      const all = game.generator.parameters();
      compare(all, all.map(([, g]) => [...g]), lossG);
      return worst;
    }}""")
    assert worst < 1e-7


@pytest.mark.parametrize("problem", ["collapse", "strong", "fast"])
def test_the_lesson_causes_each_problem_and_cures_it(tab, studio, problem):
    page = tab()
    page.goto(studio.address)
    caused, cured = page.evaluate(f"""async () => {{ {GAME} {DATA}
      return ["cause", "cure"].map((which) => {{
        const game = new Game("ring");
        let last = [];
        for (let n = 1; n <= 800; n++) {{
          game.step(PROBLEMS["{problem}"][which]);
          if (n % 100 === 0) last = [...last, found("ring", game.samples())].slice(-3);
        }}
        return Math.max(...last);
      }});
    }}""")
    assert caused <= 3
    assert cured >= 7


def test_somebody_plays_the_lesson(tab, studio):
    page = tab()
    learn(page, studio)
    reading = page.locator(".game output").first
    expect(reading).to_contain_text("step 0")
    page.get_by_role("button", name="Step the discriminator").click()
    expect(page.get_by_text("The discriminator has taken a step")).to_be_visible()
    expect(reading).to_contain_text("step 0")
    page.get_by_role("button", name="Step the generator").click()
    expect(page.get_by_text("The generator has taken a step")).to_be_visible()
    expect(reading).to_contain_text("step 1 ")
    page.get_by_role("button", name="Cause mode collapse").click()
    expect(page.get_by_text("This is mode collapse")).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('.game output').innerText.match(/step (\\d+)/)[1] > 150"
    )
    page.get_by_role("button", name="Cure: equal").click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("Real points").select_option("drawn")
    plane = page.locator(".plane")
    box = plane.bounding_box()
    page.mouse.click(box["x"] + 50, box["y"] + 60)
    plane.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_label("Slow motion").check()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("The generator has taken a step")).to_be_visible()


def test_somebody_watches_the_losses_of_style_transfer(tab, studio):
    page = tab()
    learn(page, studio, "losses")
    for name in ("Content alone", "All three losses"):
        page.get_by_role("button", name=name).click()
        page.wait_for_function(
            "() => document.querySelectorAll('figcaption')[2].innerText.startsWith('Iteration 1')"
        )
    page.wait_for_function("() => document.querySelector('.three canvas').width === 96")
    assert page.evaluate("""() => {
      const canvas = document.querySelector('.three canvas');
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(data).size;
    }""") > 50  # fmt: skip


@pytest.mark.parametrize(("language", "right"), [("en", "Right:"), ("kn", "ಸರಿ:")])
def test_somebody_answers_the_lesson_s_questions(tab, studio, language, right):
    page = tab()
    learn(page, studio, "questions", language)
    first = page.locator(".quiz li").first
    first.locator("button").nth(1).click()
    expect(first.locator("strong.good")).to_have_text(right)
    first.locator("button").nth(0).click()
    expect(first.locator("strong.bad")).to_be_visible()


def test_the_page_learn_is_translated_word_for_word(tab, studio):
    """Nothing is missing in Kannada, and nothing is left over."""
    page = tab()
    page.goto(studio.address)
    names = """async (code) => {
      const words = (await import(`/static/text/${code}.mjs`)).default.learn;
      const paths = (x, at) => x !== null && typeof x === "object"
        ? Object.entries(x).flatMap(([name, value]) => paths(value, `${at}.${name}`))
        : [`${at}: ${typeof x}`];
      return paths(words, "learn").sort();
    }"""
    assert page.evaluate(names, "kn") == page.evaluate(names, "en")
    learn(page, studio, "points", "kn")
    assert page.locator("article").get_attribute("lang") == "kn"
    shown = page.locator("article").inner_text()
    latin = re.findall(r"[A-Za-z]{3,}", re.sub(r"\([^)]*\)", "", shown))
    assert set(latin) <= {"GAN", "English", "log"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_lesson_fits_every_width(tab, studio, size, scheme):
    page = tab(size, scheme)
    for language in ("en", "kn"):
        learn(page, studio, "points", language)
        page.get_by_role("button").first.click()
        page.wait_for_function(
            "() => / [1-9]/.test(document.querySelector('.game output').innerText)"
        )
        page.wait_for_timeout(int(os.environ.get("GANVAS_SCREENSHOTS_AFTER", "0")))
        page.get_by_role("button").first.click()
        for part in ("points", "losses", "questions"):
            if part != "points":
                page.goto(f"{page.url.split('#')[0]}#/learn/{part}")
                page.locator(".quiz, .three").first.wait_for()
                page.wait_for_timeout(SETTLING)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            shot(page, f"learn_{part}_{language}_{size}_{scheme}")


def test_thousands_of_dropped_steps_are_one_line(tab, studio, copy_of_run):
    name = "not a number"
    log = copy_of_run(studio.workspace / name, *SMALL, "--images", "64") / "metrics.jsonl"
    with log.open("a") as file:
        for step in range(100, 5100):
            told = {"step": step, "event": "dropped", "reason": f"step {step} was not finite"}
            file.write(json.dumps(told) + "\n")
        file.write(json.dumps({"step": 5100, "event": "notice", "sentence": "then this"}) + "\n")
        file.write(json.dumps(told | {"step": 5101}) + "\n")
    page = tab()
    page.goto(studio.address)
    page.locator(".card", has_text=name).click()
    lines = page.locator(".history .dropped")
    expect(lines).to_have_count(2)
    page.locator(".history", has_text="finished").wait_for()  # and hide nothing
    expect(lines.last).to_contain_text("5,000 steps dropped steps 100 to 5,099")
    expect(lines.first).to_contain_text("Step dropped step 5,101")


def test_a_day_of_events_fills_no_memory(tab, studio, copy_of_run):
    """A line a second for a day, sent as fast as the page takes it: page and server stay small."""
    name = "a long day"
    log = copy_of_run(studio.workspace / name, *SMALL, "--images", "64") / "metrics.jsonl"
    page = tab()
    page.goto(studio.address)
    page.locator(".card", has_text=name).click()
    page.locator(".panel canvas").first.wait_for()
    measured = page.context.new_cdp_session(page)
    server = psutil.Process(studio.process.pid)
    sizes = []
    for hour in range(24):
        with log.open("a") as file:
            for second in range(3600):
                step = 100 + 3600 * hour + second
                line = {"step": step, "images": 8 * step, "loss_d": 0.6, "loss_g": 0.8}
                file.write(json.dumps(line) + "\n")
            notice = {"step": step, "event": "notice", "sentence": f"hour {hour} over"}
            file.write(json.dumps(notice) + "\n")
        page.locator(".history", has_text=f"hour {hour} over").wait_for()
        measured.send("HeapProfiler.collectGarbage")
        heap = measured.send("Runtime.getHeapUsage")["usedSize"]
        sizes.append((heap, server.memory_info().rss))
    for growth in (late - early for early, late in zip(sizes[5], sizes[-1], strict=True)):
        assert growth < 20e6

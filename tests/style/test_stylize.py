"""The public function: any kind of image in, the same kind out, and what is said on the way."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import ganvas
from ganvas.errors import GanvasError
from ganvas.events import Notice, Planned, StyleIteration, Stylized
from ganvas.pretrained.examples import EXAMPLES, example
from ganvas.runtime.threads import using
from ganvas.runtime.validation import SettingsError
from ganvas.style import colour, forecast, losses, stylize
from ganvas.style.forecast import OPENING, Forecast, TooLargeError
from ganvas.style.images import ImageError
from ganvas.style.optimization import Canvas
from ganvas.style.presets import PRESETS

QUICK = {"size": 64, "preset": "draft", "iterations": 2}
CAFE = EXAMPLES["night_cafe"]


@pytest.fixture(scope="module")
def moose():
    return example("moose", 96)[0]


@pytest.fixture(scope="module")
def cafe():
    return example("night_cafe", 96)[0]


def last(*arguments, **options):
    return [*ganvas.stylize(*arguments, **{**QUICK, **options})][-1].image


def as_image(image, mode="RGB"):
    pixels = (255 * image.permute(1, 2, 0)).round().byte().numpy()
    return Image.fromarray(pixels).convert(mode)


def test_tensors_give_tensors_and_images_images(moose, cafe):
    for content, style, kind in (
        (moose, cafe, torch.Tensor),
        (moose, CAFE, torch.Tensor),
        (as_image(moose), [cafe, as_image(cafe)], Image.Image),
        (str(EXAMPLES["moose"]), str(CAFE), Image.Image),
    ):
        events = [*ganvas.stylize(content, style, **QUICK)]
        iterations = [e for e in events if isinstance(e, StyleIteration)]
        for image in (events[-1].image, iterations[0].image()):
            assert isinstance(image, kind)
    assert last(moose, cafe).shape == (3, 43, 64)
    assert last(as_image(moose), cafe).size == (64, 43)
    assert last(moose, cafe, size="original").shape == moose.shape


def test_the_given_images_stay_as_they_were(moose, cafe):
    before, other = moose.clone(), cafe.clone()
    last(moose, cafe, size="original")
    assert torch.equal(moose, before)
    assert torch.equal(cafe, other)


def test_events_tell_the_whole_story(moose, cafe):
    events = [*ganvas.stylize(moose, cafe, **QUICK)]
    planned = next(e for e in events if isinstance(e, Planned))
    assert planned.sentence.startswith("64x43 pixels in about")
    iterations = [e for e in events if isinstance(e, StyleIteration)]
    assert [s.iteration for s in iterations] == list(range(1, iterations[0].iterations + 1))
    assert set(iterations[0].scalars) == {"content", "style", "variation"}
    assert all(s.left >= 0 for s in iterations)
    assert iterations[-1].left == pytest.approx(0, abs=1e-6)
    assert isinstance(events[-1], Stylized)
    assert (events[-1].stage, events[-1].stages) == (1, 1)


def test_every_stage_of_the_lesson_is_shown(moose, cafe):
    events = [*ganvas.stylize(moose, cafe, **{**QUICK, "preset": "lesson"})]
    stylized = [e for e in events if isinstance(e, Stylized)]
    assert [(p.stage, p.stages) for p in stylized] == [(1, 3), (2, 3), (3, 3)]
    first = next(e for e in events if isinstance(e, StyleIteration))
    assert first.scalars["style"] == 0, "content alone"


@pytest.mark.parametrize("size", [96, 160])
def test_the_lesson_ends_with_the_photograph_repainted_and_not_with_noise(moose, cafe, size):
    """Its own weights, as sums over pixels, end in dark noise at small sizes."""
    options = QUICK | {"preset": "lesson", "size": size, "iterations": 60}
    stages = [e.image for e in ganvas.stylize(moose, cafe, **options) if isinstance(e, Stylized)]
    small = F.interpolate(moose[None], stages[-1].shape[1:], mode="bilinear", antialias=True)[0]

    def differences(image):
        return float(sum(losses.variation(image[None])))

    def likeness(image):
        grey = torch.stack([pixels.mean(0).flatten() for pixels in (image, small)])
        return float(torch.corrcoef(grey)[0, 1])

    noisy, smooth = differences(stages[1]), differences(stages[2])
    assert smooth < noisy / 5, "the third loss removes the noise that the others do not see"
    assert float(stages[2].mean()) == pytest.approx(float(small.mean()), abs=0.08)
    assert likeness(stages[2]) > 0.6


def test_whoever_stops_keeps_the_image_as_it_stands(moose, cafe):
    events = ganvas.stylize(moose, cafe, **QUICK)
    iteration = next(e for e in events if isinstance(e, StyleIteration))
    events.close()
    assert iteration.image().shape == (3, 43, 64)


def test_transparency_is_kept_and_what_is_under_it_does_not_count(moose, cafe):
    image = as_image(moose, "RGBA")
    alpha = np.zeros(image.size[::-1], np.uint8)
    alpha[:, :40] = 255
    image.putalpha(Image.fromarray(alpha))
    found = last(image, cafe)
    assert found.mode == "RGBA"
    kept = np.asarray(found.getchannel("A")).mean(0)
    assert kept[:24].min() == 255
    assert kept[30:].max() == 0
    assert last(as_image(moose, "RGBA"), cafe).mode == "RGB", "opaque images have no alpha"


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "LA", "1"])
def test_images_of_every_mode_are_stylized(mode, moose, cafe):
    deep = np.asarray(as_image(moose, "L")).astype(np.uint16) * 257
    image = Image.fromarray(deep) if mode == "I;16" else None
    found = last(image or as_image(moose).convert(mode), cafe)
    assert found.size == (64, 43)
    assert np.asarray(found.convert("L")).std() > 5, "not mud"


def test_colours_of_the_content(moose, cafe):
    def chroma(image):
        return colour.oklab(image[None])[:, 1:].mean((2, 3))

    like = torch.nn.functional.interpolate(moose[None], (43, 64), mode="area")[0]
    apart = {
        colours: float((chroma(last(moose, cafe, colours=colours)) - chroma(like)).norm())
        for colours in ("style", "content", "luminance")
    }
    assert apart["luminance"] < 0.2 * apart["style"]
    assert apart["content"] < 0.5 * apart["style"]


def test_several_styles_mix_by_weight(moose, cafe):
    blue = torch.zeros_like(cafe)
    blue[2] = 0.4 + 0.5 * torch.rand(cafe.shape[1:], generator=torch.Generator().manual_seed(0))
    more, less = (
        float(last(moose, [cafe, blue], weights=w, strength=1.0, iterations=20)[2].mean())
        for w in ("1,3", "3,1")
    )
    assert more > less + 0.05


def test_masks_divide_the_image(moose, cafe, tmp_path):
    blue = torch.zeros_like(cafe)
    blue[2] = 0.4 + 0.5 * torch.rand(cafe.shape[1:], generator=torch.Generator().manual_seed(0))
    mask = np.zeros((43, 64), np.uint8)
    mask[:, 32:] = 255
    Image.fromarray(mask).save(tmp_path / "right.png")
    found = last(
        moose, [blue, cafe], masks=[(tmp_path / "right.png", None)], strength=1.0, iterations=20
    )
    apart = found[2] - found[0]
    assert float(apart[:, 40:].mean()) > float(apart[:, :24].mean()) + 0.1


def test_a_mask_of_the_style_chooses_its_part(moose, tmp_path):
    halves = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    halves[0, :, :32], halves[2, :, 32:] = 0, 0  # blue and green on the left, no blue on the right
    left = np.zeros((64, 64), np.uint8)
    left[:, :32] = 255
    Image.fromarray(left).save(tmp_path / "left.png")
    pair = [(tmp_path / "left.png", tmp_path / "left.png")]
    found = last(moose, halves, masks=pair, strength=1.0, iterations=20)
    apart = found[2] - found[0]
    assert float(apart[:, :24].mean()) > float(apart[:, 40:].mean()) + 0.2


def test_useless_masks_are_refused(moose, cafe, tmp_path):
    Image.new("L", (8, 8), 0).save(tmp_path / "black.png")
    Image.new("L", (8, 8), 255).save(tmp_path / "white.png")
    white, black = tmp_path / "white.png", tmp_path / "black.png"
    for pairs in ([(black, None)], [(white, black)]):
        with pytest.raises(SettingsError, match="black nearly everywhere"):
            last(moose, cafe, masks=pairs)
    with pytest.raises(SettingsError, match="3 --mask for 2 styles"):
        last(moose, [cafe, cafe], masks=[(white, None)] * 3)


def test_a_rim_is_left_out_and_said_so(moose, cafe):
    framed = torch.nn.functional.pad(0.2 + 0.6 * cafe, (6, 6, 6, 6), value=1.0)
    notices = [e for e in ganvas.stylize(moose, framed, **QUICK) if isinstance(e, Notice)]
    assert len(notices) == 1
    assert "Style 1 has a rim" in notices[0].sentence


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "None is no image"),
        (5, "5 is no image"),
        (b"photo.jpg", "is no image"),
        (np.zeros((3, 64, 64), np.float32), "Image.fromarray makes one"),
        ({}, "is no image"),
        (torch.zeros(3, 64, 64, device="meta"), "no pixels side by side"),
        (torch.zeros(3, 64, 64).to_sparse(), "no pixels side by side"),
        (torch.zeros(3, 0, 0), "at least 16x16"),
        (torch.zeros(3, 64, 64, dtype=torch.complex64), "from 0 to 1"),
        (torch.zeros(3, 64, 64, dtype=torch.bool), "from 0 to 1"),
        (Image.new("RGB", (0, 0)), "too small"),
        (Image.new("RGBA", (40, 40), (9, 9, 9, 0)), "transparent everywhere"),
        (Image.new("LA", (40, 40)), "transparent everywhere"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_messages_name_the_argument(source, message, moose, cafe):
    for pair, name in (((source, cafe), "content"), ((moose, [cafe, source]), r"styles\[1\]")):
        with pytest.raises(ImageError, match=rf"^{name}.*{message}"):
            last(*pair)


@pytest.mark.parametrize("place", ["~nobody-of-this-name/a.png", "a\0b.png", "x" * 5000, ""])
def test_paths_that_nothing_can_have_are_one_sentence(place, moose, cafe):
    for pair in ((place, cafe), (moose, place)):
        with pytest.raises(GanvasError) as fault:
            last(*pair)
        assert str(fault.value).isprintable()
    with pytest.raises(GanvasError):
        last(moose, cafe, features=place)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "--seed -1"),
        ({"seed": 1.5}, "--seed 1.5"),
        ({"iterations": 10**12}, "--iterations 1000000000000"),
        ({"size": 10**9}, "--size 1000000000"),
        ({"size": "9" * 5000}, "--size 9+…"),
        ({"tv": float("inf")}, "--tv inf"),
        ({"strength": float("inf")}, "--strength inf"),
        ({"style_scale": float("nan")}, "--style-scale nan"),
        ({"weights": "1,inf"}, "--weights 1,inf"),
        ({"weights": "1e308,1e308"}, "--weights"),
        ({"style_layers": "relu1_1:inf"}, "--style-layers relu1_1:inf"),
        ({"preset": np.zeros(2)}, "--preset"),
        ({"masks": "mask.png"}, "^masks='mask.png'"),
        ({"features": 5}, "^features=5"),
        ({"features": "."}, r"^features=\. is a folder"),
    ],
)
def test_arguments_are_refused_when_it_is_called(options, message):
    with pytest.raises(GanvasError, match=message) as fault:
        ganvas.stylize("a.png", ["b.png", "c.png"], **options)
    assert len(str(fault.value)) < 400


def test_no_styles_are_refused(moose):
    for none in ([], ()):
        with pytest.raises(GanvasError, match=r"^styles=\[\]: give at least one"):
            ganvas.stylize(moose, none)


def test_tensors_of_any_floating_kind_are_stylized_alike(moose, cafe):
    expected = last(moose, cafe, iterations=1)
    for kind in ("half", "double", "requires_grad_"):
        content, style = getattr(moose.clone(), kind)(), getattr(cafe.clone(), kind)()
        with torch.no_grad():  # and wherever gradients are switched off
            found = last(content, style, iterations=1)
        assert (found.dtype, found.requires_grad) == (torch.float32, False)
        assert float((found - expected).abs().mean()) < 0.01


def test_inference_mode_is_refused(moose, cafe):
    with torch.inference_mode(), pytest.raises(GanvasError, match="needs gradients"):
        ganvas.stylize(moose, cafe)


@pytest.mark.parametrize("sides", [(16, 16), (16, 40), (17, 130), (16, 400)])
@pytest.mark.parametrize("size", [64, "original"])
def test_small_and_narrow_images_keep_their_shape(sides, size):
    image = torch.rand(3, *sides, generator=torch.Generator().manual_seed(0))
    events = [*ganvas.stylize(image, image, **{**QUICK, "size": size, "iterations": 1})]
    wanted = sides if size == "original" else tuple(round(64 * s / max(sides)) for s in sides)
    assert events[-1].image.shape == (3, *wanted)
    iteration = [e for e in events if isinstance(e, StyleIteration)][-1]
    assert (iteration.height, iteration.width) == wanted == tuple(iteration.image().shape[1:])
    assert torch.isfinite(events[-1].image).all()


def test_styles_that_count_nothing_do_not_stop_the_others(moose, cafe):
    three = [cafe, cafe.flip(1), cafe.flip(2)]
    alone = last(moose, three[2], iterations=1)
    assert torch.allclose(last(moose, three, weights="0,0,1", iterations=1), alone, atol=0.02)


def test_memory_that_runs_out_is_one_sentence(moose, cafe, monkeypatch):
    def full(*arguments, **named):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    monkeypatch.setattr(stylize, "optimize", full)
    with pytest.raises(TooLargeError, match="64x43 pixels need more memory than is free"):
        last(moose, cafe)
    monkeypatch.setattr(forecast, "_free", lambda device: 1e6)
    with pytest.raises(TooLargeError, match="close other programs"):
        last(moose, cafe)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 3, 64, 64), "tensor"),
        (torch.zeros(3, 8, 64), "at least 16x16"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), "from 0 to 1"),
        (torch.full((3, 64, 64), float("nan")), "from 0 to 1"),
        (torch.full((3, 64, 64), 2.0), "from 0 to 1"),
        (Image.new("RGB", (10, 100)), "too small"),
        (Image.new("RGB", (20, 400)), "too narrow"),
    ],
)
def test_what_is_no_image_is_refused(image, message, moose, cafe):
    for pair in ((image, cafe), (moose, image)):
        with pytest.raises(ImageError, match=message):
            last(*pair)


def test_what_does_not_fit_into_memory_is_refused_with_a_size_that_does(moose, cafe, monkeypatch):
    monkeypatch.setattr(forecast, "_free", lambda device: 3e9)
    with pytest.raises(TooLargeError, match=r"--size (\d+) would fit") as fault:
        last(moose, cafe, size=9000)
    size = int(str(fault.value).split("--size ")[1].split()[0])
    assert 64 < size < 9000
    sides = round(size * 2 / 3), size
    forecast.check_memory(sides, torch.bfloat16, torch.device("cpu"), PRESETS["default"].recipe)


def test_painting_uses_as_many_threads_as_pay_and_gives_them_back(moose, cafe, monkeypatch):
    monkeypatch.setattr(forecast, "fastest", lambda iteration, limit: iteration() or 1)
    with using(2):
        seen = [(e, torch.get_num_threads()) for e in ganvas.stylize(moose, cafe, **QUICK)]
        assert {threads for e, threads in seen if isinstance(e, StyleIteration)} == {1}
        assert torch.get_num_threads() == 2
        events = ganvas.stylize(moose, cafe, **QUICK)
        assert any(isinstance(event, StyleIteration) for event in events)
        events.close()
        assert torch.get_num_threads() == 2, "also when whoever iterates stops"


def test_the_time_left_is_known_after_the_first_size(monkeypatch):
    """A machine that is half as fast as it was when the forecast was made."""
    now = [0.0]
    monkeypatch.setattr(stylize, "time", SimpleNamespace(monotonic=lambda: now[0]))
    expected = Forecast(((10, 1.0), (10, 2.0), (10, 4.0)))

    def canvases():
        for number in range(30):
            opening = OPENING if number % 10 == 0 else 0
            now[0] += 2 * 2 ** (number // 10) * (1 + opening)
            yield Canvas(1, number + 1, 0.0, 0.0, 0.0, torch.zeros(1, 3, 16, 16))

    iterations = [*stylize._report(canvases(), expected, 1, lambda image: image)][:-1]
    total = now[0]
    for number, iteration in enumerate(iterations[9:], 10):
        assert iteration.iteration == number
        assert iteration.seconds + iteration.left == pytest.approx(total, rel=0.2)


def test_flat_images_are_stylized_without_complaint(moose, cafe):
    for content, style in (
        (torch.full_like(moose, 0.5), cafe),
        (moose, torch.full_like(cafe, 0.5)),
    ):
        assert torch.isfinite(last(content, style)).all()

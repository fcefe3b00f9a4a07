"""Repaint a photograph in the style of paintings: the Python API of style transfer."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.events import Event, Notice, Planned, StyleIteration, Stylized
from ganvas.pretrained.vgg19 import VGG19
from ganvas.runtime.activations import exhausted
from ganvas.runtime.at_exit import closed_at_exit
from ganvas.runtime.device import choose_device
from ganvas.runtime.precision import choose_precision
from ganvas.runtime.system import system_errors
from ganvas.runtime.threads import using
from ganvas.runtime.validation import ArgumentError, build_settings, quote
from ganvas.style import colour
from ganvas.style.forecast import (
    Forecast,
    TooLargeError,
    bytes_needed,
    check_memory,
    forecast,
    threads,
)
from ganvas.style.images import Source, StyleImage, open_image, place_of
from ganvas.style.margins import trim
from ganvas.style.optimization import Canvas, optimize
from ganvas.style.recipe import Recipe
from ganvas.style.regions import MaskPair, OpenPair, checked_pairs, opened_pairs, parts_of
from ganvas.style.scene import Scene, Style, proportions_of, resize, resized_mask, sides_of
from ganvas.style.settings import StyleSettings

Sides = tuple[int, int]  # height, width
TRUST = 1.0  # weight of the forecast against the measured speed, in seconds


def stylize(
    content: Source,
    styles: Source | Sequence[Source],
    masks: Sequence[MaskPair] = (),
    features: str | Path | None = None,
    **options: Any,
) -> Generator[Event, None, None]:
    """Repaint `content` in the style of one or more images; the last event has the result.

    Images are files, Pillow images, or tensors (3, H, W) in [0, 1]; results are tensors if
    `content` is one, and Pillow images otherwise. The options are the fields of StyleSettings.
    Every StyleIteration has the image as it stands, so you can stop iterating at any time and keep
    it. Each of `masks` is a pair of files: where the first is white, the image gets the style of
    the white part of the second, or of the whole style image if the second is None; the rest gets
    the style of the rest. `features` is a file with other weights of VGG-19.

    Raises ArgumentError and SettingsError at once, and during iteration ImageError,
    UnreadableImageError, PlaceError, WeightsError, TooLargeError, UnavailableDeviceError and
    StyleError.
    """
    settings: StyleSettings = build_settings(StyleSettings, "style", options)
    given = _each(styles)
    _ = settings.shares(len(given)), settings.recipe  # evaluated for their SettingsError
    _check_mode()
    return _stylize(content, given, settings, checked_pairs(masks), _weights(features))


def _each(styles: object) -> list[Any]:
    given = list[Any](styles) if isinstance(styles, list | tuple | Iterator) else [styles]
    if not given:
        raise ArgumentError("styles=[]: give at least one style image.")
    return given


def _weights(features: object) -> Path | None:
    if features is None:
        return None
    if not isinstance(features, str | Path):
        raise ArgumentError(f"features={quote(repr(features))}: give a file with weights.")
    path = place_of(Path(features))
    with system_errors(path):
        if path.is_dir():
            raise ArgumentError(f"features={path} is a folder; give a file with weights.")
    return path


def _check_mode() -> None:
    if torch.is_inference_mode_enabled():
        raise ArgumentError("stylize needs gradients: call it outside torch.inference_mode().")


@closed_at_exit
def _stylize(
    content: Source,
    styles: Sequence[Source],
    settings: StyleSettings,
    masks: Sequence[MaskPair],
    weights: Path | None,
) -> Generator[Event, None, None]:
    photograph = open_image(content, "content")
    count = len(styles)
    paintings = [
        open_image(style, "styles" if count == 1 else f"styles[{number}]")
        for number, style in enumerate(styles)
    ]
    pairs = opened_pairs(masks, count)
    for event in repaint(photograph, paintings, settings, pairs, weights):
        match event:
            case StyleIteration():
                yield replace(event, image=partial(_as_opened, event.image))
            case Stylized():
                yield replace(event, image=event.image.as_given())
            case _:
                yield event


def _as_opened(image: Callable[[], StyleImage]) -> Any:
    return image().as_given()


def repaint(
    photograph: StyleImage,
    paintings: Sequence[StyleImage],
    settings: StyleSettings,
    masks: Sequence[OpenPair] = (),
    weights: Path | None = None,
) -> Iterator[Event]:
    """Like `stylize`, with images that are open; the images of its events are StyleImages, too.

    Raises TooLargeError when memory runs out.
    """
    size = photograph.longer_side if settings.size == "original" else settings.size
    try:
        yield from _repaint(photograph, paintings, settings, masks, weights, size)
    except (MemoryError, RuntimeError) as fault:
        if isinstance(fault, GanvasError) or not exhausted(fault):
            raise
        height, width = proportions_of(photograph.colours, size)
        raise TooLargeError(
            f"{width}x{height} pixels need more memory than is free; choose a smaller --size."
        ) from fault


def _repaint(
    photograph: StyleImage,
    paintings: Sequence[StyleImage],
    settings: StyleSettings,
    masks: Sequence[OpenPair],
    weights: Path | None,
    size: int,
) -> Iterator[Event]:
    recipe = settings.recipe
    device = choose_device(settings.device)
    dtype = _dtype(settings, recipe, device)
    sides = sides_of(photograph.colours, size)
    check_memory(sides, dtype, device, recipe)
    styles = []
    for number, (painting, weight) in enumerate(
        zip(paintings, settings.shares(len(paintings)), strict=True), 1
    ):
        inner = trim(painting)
        if (
            inner.longer_side < painting.longer_side
            or inner.colours.shape != painting.colours.shape
        ):
            yield Notice(_rim_sentence(number, painting, inner))
        styles.append(Style(inner.colours, weight, inner.alpha))
    scene = _scene(photograph, styles, masks, settings, size, device)
    network = VGG19.load(recipe.pooling, dtype, device, recipe.unit_layers, weights)
    with using(threads(network, scene, recipe)):
        expected = forecast(network, scene, recipe)
        memory = bytes_needed(sides, dtype, recipe)
        height, width = proportions_of(photograph.colours, size)
        yield Planned(
            f"{width}x{height} pixels in about {_in_words(expected.total)}, "
            f"with {memory / 1e9:.1f} GB of memory.",
            {"seconds": expected.total, "bytes": memory},
        )
        canvases = optimize(network, scene, recipe, settings.seed)
        finish = partial(_finish, photograph, settings)
        shape = partial(_shape, photograph)
        yield from _report(canvases, expected, len(recipe.stages), finish, shape)


def _report(
    canvases: Iterator[Canvas],
    expected: Forecast,
    stages: int,
    finish: Callable[[Tensor], StyleImage],
    shape: Callable[[Tensor], Sides] = lambda canvas: (canvas.shape[2], canvas.shape[3]),
) -> Iterator[Event]:
    """Canvases as events, with the time left, corrected by the speed measured so far."""
    began = time.monotonic()
    last: Canvas | None = None
    for canvas in canvases:
        seconds = time.monotonic() - began
        if last and canvas.stage != last.stage:
            yield Stylized(last.stage, stages, seconds, finish(last.image))
        height, width = shape(canvas.image)
        spent = expected.up_to(canvas.iteration)
        yield StyleIteration(
            iteration=canvas.iteration,
            iterations=expected.iterations,
            height=height,
            width=width,
            stage=canvas.stage,
            seconds=seconds,
            left=(expected.total - spent) * (seconds + TRUST) / (spent + TRUST),
            scalars={
                "content": canvas.content,
                "style": canvas.style,
                "variation": canvas.variation,
            },
            image=partial(finish, canvas.image),
        )
        last = canvas
    assert last is not None, "every recipe has an iteration"
    yield Stylized(last.stage, stages, time.monotonic() - began, finish(last.image))


def _scene(
    photograph: StyleImage,
    styles: list[Style],
    masks: Sequence[OpenPair],
    settings: StyleSettings,
    size: int,
    device: torch.device,
) -> Scene:
    content = resize(photograph.colours, sides_of(photograph.colours, size))
    if settings.colours == "content":
        styles = [replace(s, image=colour.recolour(s.image, content)) for s in styles]
    elif settings.colours == "luminance":
        grey = colour.grey(content)
        styles = [replace(s, image=colour.recolour(colour.grey(s.image), grey)) for s in styles]
        content = grey
    parts = parts_of(content, photograph.alpha, styles, masks)
    return Scene(content, parts, settings.style_scale).to(device)


def _shape(photograph: StyleImage, canvas: Tensor) -> Sides:
    """Height and width of the finished image: narrow ones are stylized on a wider canvas."""
    return proportions_of(photograph.colours, max(canvas.shape[2:]))


def _finish(photograph: StyleImage, settings: StyleSettings, canvas: Tensor) -> StyleImage:
    sides = _shape(photograph, canvas)
    colours = resize(canvas.cpu(), sides)
    if settings.colours == "luminance":
        colours = colour.with_colours_of(colours, resize(photograph.colours, sides))
    alpha = photograph.alpha
    return replace(
        photograph,
        colours=colours,
        alpha=None if alpha is None else resized_mask(alpha, sides),
    )


def _dtype(settings: StyleSettings, recipe: Recipe, device: torch.device) -> torch.dtype:
    # L-BFGS estimates the curvature from differences of gradients, which bf16 drowns in noise.
    if recipe.optimiser == "lbfgs" and settings.precision == "auto":
        return torch.float32
    return torch.bfloat16 if choose_precision(settings.precision, device).bf16 else torch.float32


def _rim_sentence(number: int, painting: StyleImage, inner: StyleImage) -> str:
    before, after = (f"{p.colours.shape[3]}x{p.colours.shape[2]}" for p in (painting, inner))
    return f"Style {number} has a rim, which is cropped: {after} of {before} pixels are used."


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

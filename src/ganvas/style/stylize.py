"""Repaint a photograph in the style of paintings: everything between a call and its picture."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.events import Event, Notice, Painted, Planned, Stroke
from ganvas.settings import built
from ganvas.style import colour
from ganvas.style.forecast import Forecast, check_memory, forecast, needed, threads
from ganvas.style.margins import trimmed
from ganvas.style.painting import Canvas, paint
from ganvas.style.pictures import Picture, Source, opened
from ganvas.style.recipe import Recipe
from ganvas.style.regions import MaskPair, parts_of
from ganvas.style.scene import Scene, Style, resized, resized_mask, sides_of
from ganvas.style.settings import StyleSettings
from ganvas.training.precision import choose_device, choose_precision
from ganvas.training.threads import using
from ganvas.vision.vgg19 import VGG19

TRUST = 1.0  # seconds for which the forecast counts beside what is seen


def stylize(
    content: Source,
    styles: Source | Sequence[Source],
    masks: Sequence[MaskPair] = (),
    features: str | Path | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Repaint `content` in the style of one or more pictures; the last event has the result.

    Pictures are files, Pillow images, or tensors (3, H, W) in [0, 1]; results are tensors if
    `content` is one, and Pillow images otherwise. The options are the fields of StyleSettings.
    Every Stroke has the picture as it stands: whoever stops iterating keeps it. Each of `masks` is
    a pair of files: where the first is white, the picture is painted like the white part of the
    second, or like all of the style for None; the rest is painted like the rest. `features` is a
    file with other weights of VGG-19.

    Raises SettingsError, PictureError, UnreadablePictureError, WeightsError, TooLargeError,
    UnavailableDeviceError and PaintingError.
    """
    settings: StyleSettings = built(StyleSettings, "style", options)
    photograph = opened(content)
    given = [styles] if isinstance(styles, Source) else list(styles)
    paintings = [opened(style) for style in given]
    weights = None if features is None else Path(features)
    for event in repaint(photograph, paintings, settings, masks, weights):
        match event:
            case Stroke():
                yield replace(event, picture=partial(_as_given, event.picture))
            case Painted():
                yield replace(event, picture=event.picture.as_given())
            case _:
                yield event


def _as_given(picture: Callable[[], Picture]) -> Any:
    return picture().as_given()


def repaint(
    photograph: Picture,
    paintings: Sequence[Picture],
    settings: StyleSettings,
    masks: Sequence[MaskPair] = (),
    weights: Path | None = None,
) -> Iterator[Event]:
    """The same with pictures that are open; those of its events are `Picture`s, too."""
    recipe = settings.recipe
    device = choose_device(settings.device)
    dtype = _dtype(settings, recipe, device)
    size = photograph.longer_side if settings.size == "original" else settings.size
    sides = sides_of(photograph.colours, size)
    check_memory(sides, dtype, device, recipe)
    styles = []
    for number, (painting, weight) in enumerate(
        zip(paintings, settings.shares(len(paintings)), strict=True), 1
    ):
        inner = trimmed(painting)
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
        memory = needed(sides, dtype, recipe)
        yield Planned(
            f"{sides[1]}x{sides[0]} pixels in about {_spoken(expected.total)}, "
            f"with {memory / 1e9:.1f} GB of memory.",
            {"seconds": expected.total, "bytes": memory},
        )
        canvases = paint(network, scene, recipe, settings.seed)
        finish = partial(_finished, photograph, settings)
        yield from _reported(canvases, expected, len(recipe.stages), finish)


def _reported(
    canvases: Iterator[Canvas],
    expected: Forecast,
    stages: int,
    finish: Callable[[Tensor], Picture],
) -> Iterator[Event]:
    """Canvases as events, with the time left as the first sizes tell it."""
    began = time.monotonic()
    last: Canvas | None = None
    for canvas in canvases:
        seconds = time.monotonic() - began
        if last and canvas.stage != last.stage:
            yield Painted(last.stage, stages, seconds, finish(last.picture))
        height, width = canvas.picture.shape[2:]
        spent = expected.up_to(canvas.iteration)
        yield Stroke(
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
            picture=partial(finish, canvas.picture),
        )
        last = canvas
    assert last is not None, "every recipe has an iteration"
    yield Painted(last.stage, stages, time.monotonic() - began, finish(last.picture))


def _scene(
    photograph: Picture,
    styles: list[Style],
    masks: Sequence[MaskPair],
    settings: StyleSettings,
    size: int,
    device: torch.device,
) -> Scene:
    content = resized(photograph.colours, sides_of(photograph.colours, size))
    if settings.colours == "content":
        styles = [replace(s, picture=colour.recoloured(s.picture, content)) for s in styles]
    elif settings.colours == "luminance":
        grey = colour.grey(content)
        styles = [
            replace(s, picture=colour.recoloured(colour.grey(s.picture), grey)) for s in styles
        ]
        content = grey
    parts = parts_of(content, photograph.alpha, styles, masks)
    return Scene(content, parts, settings.style_scale).to(device)


def _finished(photograph: Picture, settings: StyleSettings, canvas: Tensor) -> Picture:
    sides = canvas.shape[2], canvas.shape[3]
    colours = canvas.cpu()
    if settings.colours == "luminance":
        colours = colour.with_colours_of(colours, resized(photograph.colours, sides))
    alpha = photograph.alpha
    return replace(
        photograph,
        colours=colours,
        alpha=None if alpha is None else resized_mask(alpha, sides),
    )


def _dtype(settings: StyleSettings, recipe: Recipe, device: torch.device) -> torch.dtype:
    # L-BFGS learns the curvature from differences of gradients, which bf16 would drown in noise.
    if recipe.optimiser == "lbfgs" and settings.precision == "auto":
        return torch.float32
    return torch.bfloat16 if choose_precision(settings.precision, device).bf16 else torch.float32


def _rim_sentence(number: int, painting: Picture, inner: Picture) -> str:
    before, after = (f"{p.colours.shape[3]}x{p.colours.shape[2]}" for p in (painting, inner))
    return f"Style {number} has a rim that is no part of it: {after} of {before} pixels are used."


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

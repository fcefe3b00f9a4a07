"""Where does an iteration's time go, and is the forecast of the time that is left true?

Iterations alternate with the bare passes through the network, forward to relu5_1 and back to the
pixels; what is outside the network is timed part by part in the same iterations. Then an image is
stylized, and what was said before it and after its first size is compared with what it took.
`python benchmarks/style_iteration.py PHOTOGRAPH PAINTING`.
"""

import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import torch
from record import record
from stored import BENCHMARKS, Table
from style_contestants import bare_passes

import ganvas
from ganvas.events import Planned, StyleIteration, Stylized
from ganvas.pretrained.vgg19 import VGG19
from ganvas.runtime.allocation import memory_kept
from ganvas.style import objective, optimization
from ganvas.style.images import open_image
from ganvas.style.margins import trim
from ganvas.style.presets import PRESETS
from ganvas.style.scene import Part, Scene, Style, resize, sides_of

SIZE, ROUNDS, WARM_UP = 512, 24, 4
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
# What of an iteration lies outside the network, by the function that does it.
PARTS = {
    "moments": "moments of activations",
    "_pull": "losses, eigendecompositions",
    "_style_gradient": "gradients at activations",
}


class Clock:
    """Seconds spent in functions."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str) -> Callable[..., Any]:
        """The function of the objective called so, which tells this clock."""
        original = getattr(objective, name)

        def function(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = original(*arguments)
            self.seconds[name] += time.perf_counter() - began
            return result

        return function


def iterations(network: VGG19, scene: Scene) -> Iterator[None]:
    """One at a time, at one size."""
    recipe = PRESETS["default"].recipe
    stage = recipe.stages[0]
    mover = optimization._Mover(scene.content.clone(), recipe, None)
    goal = scene.wanted(network, recipe, stage)
    while True:
        mover.move(
            lambda canvas: optimization._distance(network, goal, stage, recipe, None, canvas)
        )
        yield


def row(precision: str, scene: Scene) -> list[str]:
    """Milliseconds, and shares of an iteration."""
    network, clock = VGG19.load(dtype=DTYPES[precision]), Clock()
    bare: list[float] = []
    whole: list[float] = []
    with memory_kept(), ExitStack() as stack:
        for name in PARTS:
            stack.enter_context(patch.object(objective, name, clock.timed(name)))
        todo = iterations(network, scene)
        for turn in range(WARM_UP + ROUNDS):
            if turn == WARM_UP:
                clock.seconds.clear()
                bare, whole = [], []
            began = time.perf_counter()
            bare_passes(network, scene.content)
            between = time.perf_counter()
            next(todo)
            bare.append(between - began)
            whole.append(time.perf_counter() - between)
    each = median(whole)
    parts = [f"{clock.seconds[name] / ROUNDS / each:.1%}" for name in PARTS]
    return [
        precision,
        f"{1e3 * median(bare):.0f} ms",
        f"{1e3 * each:.0f} ms",
        *parts,
        f"**{1 - median(bare) / each:.1%}**",
    ]


def forecasts(photograph: Path, style: Path, size: int) -> list[str]:
    """What was said about the time, and what it took."""
    before = first = total = 0.0
    height = None
    for event in ganvas.stylize(photograph, style, size=size):
        match event:
            case Planned():
                before = float(str(event.choices["seconds"]))
            case StyleIteration():
                height = height or event.height
                if event.height == height:
                    first = event.seconds + event.left
            case Stylized():
                total = event.seconds
    return [
        f"{size} px",
        f"{before:.1f} s ({before / total - 1:+.0%})",
        f"{first:.1f} s (**{first / total - 1:+.0%}**)",
        f"{total:.1f} s",
    ]


def main() -> None:
    """Measure, print and record."""
    options = ArgumentParser(description="Where does an iteration's time go?")
    options.add_argument("photograph", type=Path)
    options.add_argument("painting", type=Path)
    options.add_argument("--results", type=Path, default=BENCHMARKS)
    given = options.parse_args()
    content = open_image(given.photograph).colours
    content = resize(content, sides_of(content, SIZE))
    scene = Scene(content, (Part((Style(trim(open_image(given.painting)).colours),)),)).at(SIZE)
    parts = []
    for precision in DTYPES:
        parts.append(row(precision, scene))
        print(*parts[-1], flush=True)
    times = []
    for size in (SIZE // 2, SIZE, 2 * SIZE):
        times.append(forecasts(given.photograph, given.painting, size))
        print(*times[-1], flush=True)
    head = ["precision", "bare passes", "an iteration", *PARTS.values(), "outside the network"]
    record(
        given.results,
        "style_iteration",
        [
            Table(head, parts, f"An iteration at {SIZE} px:"),
            Table(["size", "forecast before", "forecast after the first size", "took"], times),
        ],
        wanted="at most 15 % outside the network, and a forecast within 20 % after the first size.",
    )


if __name__ == "__main__":
    main()

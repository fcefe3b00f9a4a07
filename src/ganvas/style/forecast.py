"""How long painting will take and how much memory it will need, before it begins."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ganvas.errors import GanvasError
from ganvas.evaluation.features.vgg19 import VGG19, channels, stride
from ganvas.runtime.memory import available
from ganvas.runtime.threads import fastest
from ganvas.style.objective import distance
from ganvas.style.optimization import iterations, sizes
from ganvas.style.recipe import Recipe
from ganvas.style.scene import Scene, sides_of
from ganvas.style.settings import SMALLEST
from ganvas.style.tiles import blocks

PROBE = 256  # longer side at most at which an iteration is timed, and at half of it
TIMED = 4  # iterations of each of the two
CHOOSING = 2.0  # seconds at most for choosing threads
OPENING = 4  # iterations that a new size costs before the first one
TWICE = 4 / 3  # work of a block that is looked at for its moments first

# Bytes: of the process itself, a pixel of a block (by bits of its activations), and a pixel of the
# whole image. Measured by benchmarks/style_memory.py.
PROCESS = 460e6
BLOCK_PIXEL = {torch.bfloat16: 1620, torch.float32: 2900}
TILED = 1.15  # what the sizes stylized before leave behind in gaps
IMAGE_PIXEL = 300  # photograph, canvas, gradients, average, moments
SAFE = 0.9  # part of the free memory that may be used


class TooLargeError(GanvasError, MemoryError):
    """An image that does not fit into memory; the message names the size that would."""


@dataclass(frozen=True)
class Forecast:
    """Seconds for every size of every stage, in the order in which they are stylized."""

    seconds: tuple[tuple[int, float], ...]  # iterations, seconds each

    @property
    def iterations(self) -> int:
        """Of all sizes."""
        return sum(count for count, _ in self.seconds)

    @property
    def total(self) -> float:
        """Seconds from the first iteration to the last."""
        return self.up_to(self.iterations)

    def up_to(self, iteration: int) -> float:
        """Seconds of so many iterations."""
        total, left = 0.0, iteration
        for count, each in self.seconds:
            here = min(count, left)
            total += each * (here + (OPENING if here else 0))
            left -= here
        return total


def threads(network: VGG19, scene: Scene, recipe: Recipe) -> int:
    """As many processor threads as pay while the machine is as busy as it is now."""
    if network.device.type != "cpu":
        return torch.get_num_threads()
    return fastest(_iteration(network, scene.at(_probe(scene) // 2), recipe), CHOOSING)


def forecast(network: VGG19, scene: Scene, recipe: Recipe) -> Forecast:
    """By timing an iteration of two small sizes: a fixed part, and one for each pixel looked at."""
    longer_side, probe = max(scene.content.shape[2:]), _probe(scene)
    scenes = [scene.at(size) for size in (probe // 2, probe)]
    probes = [_iteration(network, here, recipe) for here in scenes]
    # By turns: what else the machine does at times then slows down both.
    times = [[_seconds(iteration) for iteration in probes] for _ in range(TIMED)]
    small, large = (
        (float(here.content.shape[2] * here.content.shape[3]), min(seconds))
        for here, seconds in zip(scenes, zip(*times, strict=True), strict=True)
    )
    # Images of 16 pixels are as large as their half: nothing smaller can be looked at.
    more = max(1.0, large[0] - small[0])
    pixel = max(0.0, (large[1] - small[1]) / more)
    fixed = max(0.0, small[1] - pixel * small[0])
    steps = [
        (iterations(recipe, size), fixed + pixel * _looked_at(*sides_of(scene.content, size)))
        for size in sizes(recipe, longer_side)
    ]
    return Forecast(tuple(steps) * len(recipe.stages))


def _probe(scene: Scene) -> int:
    return min(PROBE, max(scene.content.shape[2:]))


def _iteration(network: VGG19, scene: Scene, recipe: Recipe) -> Callable[[], None]:
    """What an iteration costs, without its step."""
    goal = scene.wanted(network, recipe, recipe.stages[-1])

    def iteration() -> None:
        distance(network, scene.content, goal)

    return iteration


def _seconds(work: Callable[[], None]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _looked_at(height: int, width: int) -> float:
    windows = _windows(height, width)
    return sum(windows) * (TWICE if len(windows) > 1 else 1)


def bytes_needed(sides: tuple[int, int], dtype: torch.dtype, recipe: Recipe) -> float:
    """Bytes of memory while an image of this height and width is stylized."""
    windows = _windows(*sides)
    largest = max(windows) * (TILED if len(windows) > 1 else 1)
    wanted = sum(channels(layer) / stride(layer) ** 2 for layer in recipe.content_layers)
    pixel = IMAGE_PIXEL + dtype.itemsize * wanted
    return PROCESS + BLOCK_PIXEL[dtype] * largest + pixel * sides[0] * sides[1]


def check_memory(
    sides: tuple[int, int], dtype: torch.dtype, device: torch.device, recipe: Recipe
) -> None:
    """Raises TooLargeError when an image of this height and width does not fit."""
    room, need = SAFE * _free(device), bytes_needed(sides, dtype, recipe)
    if need <= room:
        return
    size = max(sides)
    while size > SMALLEST and bytes_needed(_scale(sides, size), dtype, recipe) > room:
        size = max(SMALLEST, int(0.98 * size))
    fits = bytes_needed(_scale(sides, size), dtype, recipe) <= room
    raise TooLargeError(
        f"{sides[1]}x{sides[0]} pixels need {need / 1e9:.1f} GB of memory, "
        f"and {room / 1e9:.1f} GB are free; "
        + (f"--size {size // 16 * 16} would fit." if fits else "close other programs.")
    )


def _scale(sides: tuple[int, int], size: int) -> tuple[int, int]:
    scale = size / max(sides)
    return round(sides[0] * scale), round(sides[1] * scale)


def _windows(height: int, width: int) -> list[int]:
    """Pixels of every block's window."""
    return [
        (rows.stop - rows.start) * (columns.stop - columns.start)
        for rows, columns in (block.window for block in blocks(height, width))
    ]


def _free(device: torch.device) -> float:
    """Bytes that may be used on a device."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(available())

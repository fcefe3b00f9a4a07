"""Estimates of the time and the memory that a style transfer takes, before it begins."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ganvas.errors import GanvasError
from ganvas.pretrained.vgg19 import VGG19, channels, stride
from ganvas.runtime.memory import available
from ganvas.runtime.threads import fastest, using
from ganvas.style.objective import distance
from ganvas.style.optimization import iterations, sizes
from ganvas.style.recipe import Recipe
from ganvas.style.scene import Scene, sides_of
from ganvas.style.settings import SMALLEST
from ganvas.style.tiles import blocks

PROBE = 256  # largest longer side at which an iteration is timed; half of it is timed as well
TIMED = 4  # iterations timed at each of the two sizes
CHOOSING = 2.0  # seconds at most for choosing the number of threads
OPENING = 4  # iterations' worth of time that a new size takes before its first one
TWICE = 4 / 3  # relative work of a block that first needs a forward pass for its moments

# Bytes for the process itself, for a pixel of a block (by the type of its activations), and for a
# pixel of the whole image. Measured by benchmarks/style_memory.py.
PROCESS = 460e6
BLOCK_PIXEL = {torch.bfloat16: 1620, torch.float32: 2900}
TILED = 1.15  # memory fragmentation left by earlier sizes
IMAGE_PIXEL = 300  # photograph, canvas, gradients, average, moments
SAFE = 0.9  # share of the free memory that may be used


class TooLargeError(GanvasError, MemoryError):
    """An image that does not fit into memory; the message names the size that would."""


@dataclass(frozen=True)
class Forecast:
    """Seconds for every size of every stage, in order."""

    seconds: tuple[tuple[int, float], ...]  # iterations, seconds each

    @property
    def iterations(self) -> int:
        """Iterations of all sizes together."""
        return sum(count for count, _ in self.seconds)

    @property
    def total(self) -> float:
        """Seconds from the first iteration to the last."""
        return self.up_to(self.iterations)

    def up_to(self, iteration: int) -> float:
        """Seconds that the first so many iterations take."""
        total, left = 0.0, iteration
        for count, each in self.seconds:
            here = min(count, left)
            total += each * (here + (OPENING if here else 0))
            left -= here
        return total


def threads(network: VGG19, scene: Scene, recipe: Recipe) -> int:
    """The number of processor threads that is fastest at the machine's current load."""
    if network.device.type != "cpu":
        return torch.get_num_threads()
    with using(1):  # on a busy machine more of them may take a hundred times as long
        iteration = _iteration(network, scene.at(_probe(scene) // 2), recipe)
    return fastest(iteration, CHOOSING)


def forecast(network: VGG19, scene: Scene, recipe: Recipe) -> Forecast:
    """Time iterations at two small sizes, and fit a fixed cost and a cost per pixel processed."""
    longer_side, probe = max(scene.content.shape[2:]), _probe(scene)
    scenes = [scene.at(size) for size in (probe // 2, probe)]
    probes = [_iteration(network, here, recipe) for here in scenes]
    # Alternating, so that other load on the machine slows down both sizes.
    times = [[_seconds(iteration) for iteration in probes] for _ in range(TIMED)]
    small, large = (
        (float(here.content.shape[2] * here.content.shape[3]), min(seconds))
        for here, seconds in zip(scenes, zip(*times, strict=True), strict=True)
    )
    # Images of 16 pixels and of half that are equally large: the network needs 16.
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
    """A function that does the work of an iteration, without the optimiser step."""
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
    """Bytes of memory that it takes to stylize an image of this height and width."""
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
    """Free bytes on a device."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(available())

"""Emoji in ten minutes: who draws the best emoji after ten minutes on this machine?

`python benchmarks/emoji_ten_minutes.py` races everyone over three seeds at 64x64; `--sizes 32 64`
at both. Interrupted, it goes on where it was; `--fresh` starts again.
"""

from functools import partial

from contestants import Contestant, ganvas_itself, lesson, tutorial_dcgan
from pictures import as_tensor, prepared
from record import Shelf, Terms, race_options, report, table
from score import Judge, race
from torch import Tensor

from ganvas.metrics import EfficientNetLite0

SAMPLES = 2000
CONTESTANTS = ("lesson", "tutorial DCGAN", "ganvas")
COLUMNS = {
    "pictures/s": "pictures/s",
    "kernel": "kernel ↓",
    "kernel error": "± (kernel)",
    "FD": "FD ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "coverage": "coverage ↑",
}


def main() -> None:
    """Race at every size, print, and append to the results when everyone has finished."""
    options = race_options("Emoji in ten minutes.", 600, CONTESTANTS)
    options.add_argument("--sizes", type=int, nargs="+", default=[64], choices=[32, 64])
    asked = vars(options.parse_args())
    sizes = asked.pop("sizes")
    for size in sizes:
        race_at(size, Terms(**asked))


def race_at(size: int, terms: Terms) -> None:
    """One race: everyone at this size."""
    pictures = as_tensor(prepared("emoji", size))
    judge = Judge(EfficientNetLite0(), pictures, SAMPLES)
    shelf = Shelf(f"emoji{size}_{terms.seconds:g}s")
    groups = race(shelf, judge, contestants(pictures, size), terms)
    body = table(groups, COLUMNS, judge.ceiling(), baseline="tutorial DCGAN")
    note = (
        f"{SAMPLES:,} samples against all {len(pictures):,} emoji on white (neighbours: k = 5, "
        "2,000 against 2,000); the kernel distance is in units of the real pictures' spread."
    )
    title = f"Emoji, {size}x{size}, {terms.seconds:g} s of training"
    report(title, shelf, groups, f"{note}\n\n{body}", terms, pictures[:: len(pictures) // 64])


def contestants(pictures: Tensor, size: int) -> dict[str, Contestant]:
    """Who races: the peers get the pictures as a tensor, ganvas by name."""
    trainers: tuple[Contestant, ...] = (
        partial(lesson, pictures),
        partial(tutorial_dcgan, pictures),
        partial(ganvas_itself, "emoji", size),
    )
    return dict(zip(CONTESTANTS, trainers, strict=True))


if __name__ == "__main__":
    main()

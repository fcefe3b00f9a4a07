"""Emoji in ten minutes: who draws the best emoji after ten minutes on this machine?

`python benchmarks/emoji_ten_minutes.py` races everyone over three seeds at 64x64; `--sizes 32 64`
at both. Interrupted, it goes on where it was; `--fresh` starts again.
"""

import io
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from contestants import Contestant, ganvas_itself, lesson, tutorial_dcgan
from PIL import Image
from record import ROOT, SCRATCH, Shelf, Terms, race_options, report, table
from safetensors.torch import load_file, save_file
from score import Judge, race
from torch import Tensor

from ganvas.metrics import EfficientNetLite0

SAMPLES = 2000
EMOJI = (ROOT / "src/ganvas/assets/emoji.zip", ROOT.parent / "shared/data/emoji.zip")
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
    pictures = emoji(size)
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
    """Who races: the peers get pictures that are ready, ganvas prepares its own."""
    trainers: tuple[Contestant, ...] = (
        partial(lesson, pictures),
        partial(tutorial_dcgan, pictures),
        partial(ganvas_itself, "emoji", size),
    )
    return dict(zip(CONTESTANTS, trainers, strict=True))


def emoji(size: int) -> Tensor:
    """All emoji (3391, 3, size, size) in [-1, 1], laid on white; decoded once into `.scratch/`."""
    archive = next((path for path in EMOJI if path.is_file()), None)
    if archive is None:
        raise FileNotFoundError("emoji.zip is not among the assets: reinstall ganvas.")
    path = SCRATCH / f"emoji{size}_{archive.stat().st_size}.safetensors"
    if not path.is_file():
        SCRATCH.mkdir(exist_ok=True)
        save_file({"pictures": _decoded(archive, size)}, path)
    return load_file(path)["pictures"] / 127.5 - 1


def _decoded(archive: Path, size: int) -> Tensor:
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith((".webp", ".png")))
        return torch.stack([_on_white(file.read(name), size) for name in names])


def _on_white(file: bytes, size: int) -> Tensor:
    picture = Image.open(io.BytesIO(file)).convert("RGBA")
    canvas = Image.new("RGBA", picture.size, "white")
    canvas.alpha_composite(picture)
    small = canvas.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


if __name__ == "__main__":
    main()

"""Small sets of images to compare on: few objects, and many textures.

`python benchmarks/subsets.py icons` writes every eleventh of the emoji, 309 of them, to
`.scratch/icons`; `python benchmarks/subsets.py patches FOLDER ...` writes patches of 64x64 from
photographs and paintings to `.scratch/patches`.
"""

from argparse import ArgumentParser
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from zipfile import ZipFile

from PIL import Image
from record import SCRATCH

from ganvas.runtime.assets import ASSETS

EVERY = 11  # emoji
SIDE, APART = 64, 36  # pixels of a patch, and from one to the next
LONGEST = 1024  # pixels of an image that is cut


def main() -> None:
    """Write one of the sets, and say how many images it has."""
    options = ArgumentParser(description="Small sets of images to compare on.")
    options.add_argument("name", choices=["icons", "patches"])
    options.add_argument("folders", type=Path, nargs="*", help="of photographs or paintings")
    chosen = options.parse_args()
    place = SCRATCH / str(chosen.name)
    place.mkdir(parents=True, exist_ok=True)
    count = icons(place) if chosen.name == "icons" else patches(chosen.folders, place)
    print(f"{count:,} images in {place.relative_to(SCRATCH.parent)}")


def icons(place: Path) -> int:
    """Write every eleventh emoji, in the order of their names."""
    with ZipFile(ASSETS / "emoji.zip") as emoji:
        names = sorted(name for name in emoji.namelist() if name.endswith(".webp"))[::EVERY]
        for name in names:
            (place / Path(name).name).write_bytes(emoji.read(name))
    return len(names)


def patches(folders: Iterable[Path], place: Path) -> int:
    """Cut the images of some folders."""
    count = 0
    for path in sorted(path for folder in folders for path in folder.glob("*.jpg")):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        width, height = image.size
        corners = product(range(0, height - SIDE + 1, APART), range(0, width - SIDE + 1, APART))
        for top, left in corners:
            image.crop((left, top, left + SIDE, top + SIDE)).save(place / f"{count:05}.png")
            count += 1
    return count


if __name__ == "__main__":
    main()

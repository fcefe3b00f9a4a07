"""Make the pictures that come with ganvas from their originals. Run by hand:

    python tools/make_assets.py ../shared/data src/ganvas/assets

The first folder holds `digits.npz` and `emoji.zip` (see assets/PROVENANCE.md). Emoji are reduced to
128 x 128 pixels with premultiplied alpha, so that no dark rims appear. Times in the archive are
fixed: the same originals give the same bytes.
"""

import argparse
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from PIL import Image

from ganvas.images import Frame, decode

SIDE = 128
QUALITY = 85  # of the colours; transparency is kept exactly
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold


def smaller(original: bytes) -> bytes:
    """A WebP picture reduced to SIDE x SIDE pixels."""
    picture = Image.fromarray(decode(original, Frame(SIDE, SIDE, channels=4)))
    stream = BytesIO()
    picture.save(stream, "WEBP", quality=QUALITY, alpha_quality=100)
    return stream.getvalue()


def make_emoji(source: Path, target: Path) -> None:
    """Reduce every picture of an archive; the results are stored, for WebP is packed already."""
    with zipfile.ZipFile(source) as originals, zipfile.ZipFile(target, "w") as results:
        names = sorted(originals.namelist())
        with ThreadPoolExecutor() as pool:
            for name, data in zip(
                names, pool.map(smaller, map(originals.read, names)), strict=True
            ):
                results.writestr(zipfile.ZipInfo(name, EPOCH), data)


def main() -> None:
    """Make all assets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("originals", type=Path, help="folder with digits.npz and emoji.zip")
    parser.add_argument("assets", type=Path, help="folder to write to")
    options = parser.parse_args()
    shutil.copyfile(options.originals / "digits.npz", options.assets / "digits.npz")
    make_emoji(options.originals / "emoji.zip", options.assets / "emoji.zip")


if __name__ == "__main__":
    main()

"""Write images atomically."""

import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from ganvas.imaging import GENERATED, Pixels
from ganvas.runtime.atomic import check_file, replacing
from ganvas.runtime.system import PlaceError, read_regular, system_errors


@dataclass(frozen=True)
class Format:
    """What an image format can hold."""

    name: str  # Pillow's
    bits: tuple[int, ...] = (8,)
    alpha: bool = True


FORMATS = {
    ".png": Format("PNG", (8, 16)),
    ".tif": Format("TIFF", (8, 16)),
    ".tiff": Format("TIFF", (8, 16)),
    ".webp": Format("WEBP"),
    ".jpg": Format("JPEG", alpha=False),
    ".jpeg": Format("JPEG", alpha=False),
}


_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def write_image(
    path: Path, pixels: NDArray[np.float32], bits: int, facts: Mapping[str, str]
) -> None:
    """Write pixels (height, width, 3 or 4) in [0, 1], atomically.

    The suffix of the name decides on the format. `facts` go into PNG files as text. `bits` must be
    among those of the format.
    """
    form = FORMATS[path.suffix.lower()]
    whole = np.rint(pixels * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    if form.name == "PNG" and bits == 8:
        write_png(path, whole, facts)
        return
    with replacing(path) as temporary:
        if bits == 8:
            as_pillow(whole).save(temporary, form.name, **_OPTIONS[form.name])
        elif form.name == "TIFF":
            extra = ["UNASSALPHA"] if whole.shape[2] == 4 else None
            tifffile.imwrite(
                temporary, whole, photometric="rgb", extrasamples=extra, compression="zlib"
            )
        else:
            temporary.write_bytes(_deep_png(whole, facts))


def _deep_png(pixels: NDArray[np.uint16], facts: Mapping[str, str]) -> bytes:
    """A 16-bit PNG file (ISO/IEC 15948); Pillow reads these, but does not write them in colour."""
    height, width, channels = pixels.shape
    kind = {3: 2, 4: 6}[channels]
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    # The filter "up": neighbouring rows are alike, and their differences small.
    differences = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), differences])
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
        *((b"tEXt", f"{name}\0{fact}".encode("latin-1")) for name, fact in facts.items()),
        (b"IDAT", zlib.compress(filtered.tobytes(), 6)),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def generated_mark(kind: str, facts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Facts for a file that ganvas generated: a `sample`, a `sheet`, a `figure`.

    They carry the mark that excludes such a file from real images.
    """
    return {GENERATED: kind, **(facts or {})}


def facts_in(path: Path) -> dict[str, str]:
    """The facts in an existing file: a PNG's text, a GIF's comment. Empty for other files.

    Raises OSError.
    """
    data = read_regular(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about the size
            image = Image.open(BytesIO(data), formats=("PNG", "GIF"))
    except Exception:  # whatever Pillow raises over a file that is no image
        return {}
    facts = {str(key): str(value) for key, value in image.info.items()}
    comment = image.info.get("comment", b"")
    if isinstance(comment, bytes) and comment.startswith(GENERATED.encode()):
        facts[GENERATED] = "film"
    return facts


def check_place(path: Path) -> dict[str, str]:
    """The facts of the image that a new one would replace, empty if there is none.

    Raises PlaceError, before long work, if the image cannot be written or would replace a file
    that ganvas has not made.
    """
    check_file(path)
    with system_errors(path):
        if not path.exists():
            return {}
        facts = facts_in(path)
    if not any(name.startswith("ganvas.") for name in facts):
        raise PlaceError(
            f"{path} exists, and ganvas has not made it; it is kept. Choose another place."
        )
    return facts


def write_png(path: Path, image: Pixels, facts: Mapping[str, str]) -> None:
    """Write an image (height, width[, 1, 3 or 4]) with its facts as text, atomically."""
    chunks = PngImagePlugin.PngInfo()
    for name, fact in facts.items():
        chunks.add_text(name, fact)
    with replacing(path) as temporary:
        as_pillow(image).save(temporary, "PNG", pnginfo=chunks)


def as_pillow(image: Pixels) -> Image.Image:
    single = image.ndim == 3 and image.shape[2] == 1
    return Image.fromarray(np.ascontiguousarray(image[..., 0] if single else image))

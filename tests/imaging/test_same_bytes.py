"""Sound images of 8 bits come out as they always did: prepared caches of old runs stay valid."""

from hashlib import blake2b
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ganvas.imaging import Frame, decode

FRAMES = (
    Frame(16, 16),
    Frame(9, 14, 1),
    Frame(12, 12, 4, "pad", "#204060"),
    Frame(10, 20, 3, "pad", "navy"),
    Frame(8, 6, 3, "stretch", "black"),
    Frame(64, 48, 4),
)

# Of ganvas 0.1.0, in which one function decoded everything. The files are lossless, so that no
# encoder's version matters.
EXPECTED = {
    "png": "094e6de474db8011",
    "png grey": "f2769d6a09658b35",
    "png alpha": "06ec49063af3d4cc",
    "png grey alpha": "c8208f6cfd874cfb",
    "png bilevel": "7390d12525147873",
    "png palette": "aef7ab261f1b2cc4",
    "png palette alpha": "6587dc33a4d67230",
    "png palette index": "94f96828f6ca0d02",
    "png grey index": "3b3e2c62c7f5516d",
    "png colour index": "ea717a06d9308515",
    "png turned": "8cba182fa8d70234",
    "gif": "aef7ab261f1b2cc4",
    "gif index": "1a5887d7a3bfa9d9",
    "bmp": "094e6de474db8011",
    "webp": "06ec49063af3d4cc",
    "tiff": "094e6de474db8011",
    "tiff lzw": "f2769d6a09658b35",
    "tiff cmyk": "094e6de474db8011",
    "tiff turned": "586c008981458ad5",
}


def _smooth(height=150, width=201, mode="RGB"):
    y, x = np.mgrid[0:height, 0:width]
    pixels = [3 * x + y, 255 - y, 7 * x * y // 50, 40 + 2 * x + y]
    return Image.fromarray(np.stack(pixels, 2).astype(np.uint8), "RGBA").convert(mode)


def _palette():
    indices = np.add.outer(np.arange(40), np.arange(56)) % 16
    image = Image.fromarray(indices.astype(np.uint8), "P")
    image.putpalette([value * 7 % 256 for value in range(48)])
    return image


def _encoded(image, kind="PNG", **options):
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


FILES = {
    "png": _encoded(_smooth()),
    "png grey": _encoded(_smooth(mode="L")),
    "png alpha": _encoded(_smooth(mode="RGBA")),
    "png grey alpha": _encoded(_smooth(mode="LA")),
    "png bilevel": _encoded(_smooth(mode="L").point(lambda value: 255 * (value > 99), "1")),
    "png palette": _encoded(_palette()),
    "png palette alpha": _encoded(_palette(), transparency=bytes(range(0, 240, 15))),
    "png palette index": _encoded(_palette(), transparency=3),
    "png grey index": _encoded(_smooth(mode="L"), transparency=77),
    "png colour index": _encoded(_smooth(), transparency=(3, 255, 0)),
    "png turned": _encoded(_smooth(), exif=_turned(6)),
    "gif": _encoded(_palette(), "GIF"),
    "gif index": _encoded(_palette(), "GIF", transparency=5),
    "bmp": _encoded(_smooth(), "BMP"),
    "webp": _encoded(_smooth(mode="RGBA"), "WEBP", lossless=True, exact=True),
    "tiff": _encoded(_smooth(), "TIFF"),
    "tiff lzw": _encoded(_smooth(mode="L"), "TIFF", compression="tiff_lzw"),
    "tiff cmyk": _encoded(_smooth().convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
    "tiff turned": _encoded(_smooth(), "TIFF", exif=_turned(7)),
}


def _digest(data):
    digest = blake2b(digest_size=8)
    for frame in FRAMES:
        digest.update(decode(data, frame).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_bytes_are_those_of_the_first_edition(name):
    assert _digest(FILES[name]) == EXPECTED[name]

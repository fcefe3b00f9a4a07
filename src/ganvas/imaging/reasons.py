"""Turn Pillow's errors into reasons that a user understands."""

import re

from PIL import Image, UnidentifiedImageError

from ganvas.imaging.errors import ScarceMemoryError, UnreadableImageError

_LOOKS_LIKE = (
    (0, b"\xff\xd8\xff\xf7", "a JPEG-LS image: save it as PNG"),
    (0, b"\xff\xd8\xff", "a damaged JPEG image"),
    (0, b"\x89PNG", "a damaged PNG image"),
    (8, b"WEBP", "a damaged WebP image"),
    (0, b"GIF8", "a damaged GIF image"),
    (0, b"BM", "a damaged BMP image"),
    (0, b"II*\0", "a damaged TIFF image"),
    (0, b"MM\0*", "a damaged TIFF image"),
    (0, b"II+\0", "a damaged TIFF image"),
    (0, b"MM\0+", "a damaged TIFF image"),
    (4, b"ftypavi", "a damaged AVIF image, or Pillow was built without AVIF"),
    (4, b"ftyphei", "a HEIC image, which needs `pip install pillow-heif`"),
    (4, b"ftypmif1", "a HEIC image, which needs `pip install pillow-heif`"),
    (4, b"ftyp", "a film"),
    (4, b"jP  ", "a JPEG 2000 image: save it as PNG"),
    (0, b"8BPS", "a Photoshop document: save it as PNG"),
    (0, b"\0\0\1\0", "an icon: save it as PNG"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\3\4", "a ZIP archive or an office document"),
    (0, b"\x1f\x8b", "a compressed file"),
    (0, b"\x1aE\xdf\xa3", "a film"),
    (8, b"AVI ", "a film"),
    (8, b"WAVE", "a sound"),
    (0, b"ID3", "a sound"),
)


def refusal(error: Exception, data: bytes, limit: int) -> UnreadableImageError:
    """The exception for the user when Pillow raised `error` over a file's bytes."""
    if isinstance(error, MemoryError):
        return ScarceMemoryError("needs more memory than there is")
    return UnreadableImageError(_reason(error, data, limit))


def too_many_pixels(count: int, limit: int) -> str:
    """The message for an image with more pixels than the limit."""
    return f"has {count // 10**6} million pixels, more than the limit of {limit // 10**6} million"


def looks_like(data: bytes) -> str:
    """What kind of file begins like this, in words."""
    for start, mark, words in _LOOKS_LIKE:
        if data[start:].startswith(mark):
            return words
    return "text" if _is_text(data[:1024]) else "unknown data"


def _reason(error: Exception, data: bytes, limit: int) -> str:
    if isinstance(error, Image.DecompressionBombError):
        count = int("".join(re.findall(r"\((\d+) pixels\)", str(error))) or 0)
        return too_many_pixels(count, limit)
    if isinstance(error, UnidentifiedImageError):
        return f"is not an image that can be read (looks like {looks_like(data)})"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "is truncated"
    if str(error).startswith("decoder error"):  # libtiff gives no other reason
        return "is damaged, or a TIFF image of a kind that cannot be read: save it with LZW"
    if str(error).startswith("Unsupported BMP"):
        return "is a BMP image of a kind that cannot be read: save it as PNG"
    return f"is damaged ({str(error) or type(error).__name__})"


def _is_text(data: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in data)

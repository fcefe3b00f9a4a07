"""Read, orient and resize images.

A file becomes an upright 8-bit sRGB image (`upright`), and that becomes an array of a wanted size
and number of channels (`fitted`); `decode` does both, and holds no more in memory than it has to.
Arrays are uint8, height x width x channels. Resizing always uses Lanczos with antialiasing, on
premultiplied alpha.
"""

from ganvas.images.errors import ScarceMemoryError, UnreadablePictureError
from ganvas.images.frame import Colour, Fit, Frame, Pixels, colour
from ganvas.images.generated import GENERATED, is_generated
from ganvas.images.opening import FORMATS
from ganvas.images.reading import (
    MAX_BYTES,
    MAX_PIXELS,
    check_bytes,
    decode,
    read,
    read_bytes,
    read_upright,
    turned_upright,
    upright,
)
from ganvas.images.reasons import looks_like
from ganvas.images.resize import fitted

__all__ = [
    "FORMATS",
    "GENERATED",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Colour",
    "Fit",
    "Frame",
    "Pixels",
    "ScarceMemoryError",
    "UnreadablePictureError",
    "check_bytes",
    "colour",
    "decode",
    "fitted",
    "is_generated",
    "looks_like",
    "read",
    "read_bytes",
    "read_upright",
    "turned_upright",
    "upright",
]

"""Read, orient and resize images.

`upright` turns a file into an upright 8-bit sRGB image, `fit` turns that into an array of a given
size and number of channels, and `decode` does both with as little memory as possible. Arrays are
uint8, height x width x channels. Resizing always uses Lanczos with antialiasing, on premultiplied
alpha.
"""

from ganvas.imaging.decoding import (
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
from ganvas.imaging.errors import ScarceMemoryError, UnreadableImageError
from ganvas.imaging.frame import Colour, Fit, Frame, Pixels, colour
from ganvas.imaging.generated import GENERATED, is_generated
from ganvas.imaging.opening import FORMATS
from ganvas.imaging.reasons import looks_like
from ganvas.imaging.resize import fit

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
    "UnreadableImageError",
    "check_bytes",
    "colour",
    "decode",
    "fit",
    "is_generated",
    "looks_like",
    "read",
    "read_bytes",
    "read_upright",
    "turned_upright",
    "upright",
]

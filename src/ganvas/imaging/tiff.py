"""Choose the reader of a TIFF file: Pillow where it is correct, else `tiff_samples`, or none.

Pillow misreads many forms of 16 bits and more (white as zero, separate planes, 12 bits, signed
numbers), and shows a missing strip as black. It is used for samples of up to 8 bits, and for
compressions that hold nothing else.
"""

from ganvas.imaging.errors import UnreadableImageError
from ganvas.imaging.tiff_tags import Layout

RAW = 1
PACKED_BYTES = {5, 8, 32773, 32946, 34925, 50000}  # LZW, deflate, PackBits, LZMA, Zstandard
_OF_PILLOW = {2, 3, 4, 6, 7, 32771, 32809, 34676, 34677, 50001}  # fax, JPEG, and rare ones
_OLD_JPEG = 6
_RAW_PHOTOGRAPHS = {32803, 34892}
_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_OF_SAMPLES = {_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK}
_OTHERWISE = "save it as RGB or grey with 8 or 16 bits"


def is_read_by_samples(found: Layout, size: int) -> bool:
    """Whether `tiff_samples` must read a file of `size` bytes because Pillow would misread it.

    Raises UnreadableImageError for files that are cut off, or that neither can read.
    """
    _check_packing(found)
    _check_subsampling(found, size)
    if found.compression != _OLD_JPEG:  # whose pixels may lie elsewhere
        _check_length(found, size)
    if found.compression in _OF_PILLOW or (_pillow_is_right(found) and not found.misread):
        return False
    _check_samples(found)
    return True


def beside(found: Layout) -> int:
    """Bytes that Pillow needs beside the image: a strip or tile, and a copy if it is turned."""
    strip = found.segment[0] * found.segment[1] * 4
    return strip + (4 * found.width * found.height if found.orientation > 1 else 0)


def _pillow_is_right(found: Layout) -> bool:
    if found.kind != 1 or found.bits[0] not in (1, 2, 4, 8):
        return False
    if found.backwards and found.bits[0] == 8 and found.photometric in _OF_SAMPLES:
        return False  # Pillow lacks a raw mode for some of these
    if found.planes > 1 and found.compression == RAW:
        return found.bits[0] == 8 and found.photometric in (_RGB, _CMYK) and not found.extra
    if found.photometric == _PALETTE:  # Pillow assumes 16 bits, as the standard says
        return max(found.colours, default=256) > 255 and not (found.planes > 1 and found.extra)
    if found.photometric in (_WHITE_IS_ZERO, _GREY):
        return found.samples == 1 or (
            found.photometric == _GREY and found.bits == (8, 8) and found.planes == 1
        )
    if found.planes > 1 and found.extra:  # Pillow combines libtiff's planes without their alpha
        return False
    return found.bits[0] == 8 or found.photometric not in _OF_SAMPLES


def unknown(found: Layout) -> UnreadableImageError:
    """The error for a well-formed file of a kind that Pillow does not know."""
    return UnreadableImageError(
        f"is a TIFF image of a kind that cannot be read (colour space {found.photometric}, "
        f"{found.samples} samples of {found.bits[0]} bits): {_OTHERWISE}"
    )


def _check_packing(found: Layout) -> None:
    if found.photometric in _RAW_PHOTOGRAPHS:
        raise UnreadableImageError(
            "is a raw photograph (DNG): develop it, and save it as JPEG or TIFF"
        )
    known = {RAW, *PACKED_BYTES} if found.misread else {RAW, *PACKED_BYTES, *_OF_PILLOW}
    if found.compression not in known:
        raise UnreadableImageError(
            f"is a TIFF image packed in a way that cannot be read ({found.compression}): "
            "save it with LZW or deflate"
        )


def _check_length(found: Layout, size: int) -> None:
    """Raise UnreadableImageError if strips or tiles are missing, or lie outside the file."""
    if len(found.offsets) < found.segments:
        raise UnreadableImageError("is truncated")
    if found.compression == RAW:
        height = found.height if not found.tiled else found.grid[1] * found.segment[1]
        across = found.grid[0] if found.tiled else 1
        if found.row * across * height * found.planes > size:
            raise UnreadableImageError("is truncated")


def _check_samples(found: Layout) -> None:
    if found.photometric not in _OF_SAMPLES:
        raise UnreadableImageError(
            f"is a TIFF image in a colour space that cannot be read in this form "
            f"({found.photometric}, {found.bits[0]} bits): {_OTHERWISE}"
        )
    if found.photometric in (_WHITE_IS_ZERO, _GREY) and len(found.extra) > 1:
        raise UnreadableImageError(
            f"is a TIFF image with {found.samples} samples a pixel that does not say which of "
            f"them are colours: {_OTHERWISE}"
        )
    wanted = {_RGB: 3, _CMYK: 4}.get(found.photometric, 1)
    if found.samples < wanted:
        raise UnreadableImageError(
            f"is damaged (a TIFF image with {found.samples} samples a pixel instead of {wanted})"
        )
    widths = {1: range(1, 65), 2: (8, 16, 32, 64), 3: (16, 32, 64)}.get(found.kind, ())
    odd = found.bits[0] not in (8, 16, 32, 64)
    if (
        found.bits[0] not in widths
        or (odd and found.bits[0] > 32)
        or (odd and found.predictor != 1)
        or found.predictor not in (1, 2, 3)
        or (found.predictor == 3 and found.kind != 3)
        or (found.photometric == _PALETTE and (found.kind != 1 or found.bits[0] > 16))
        or (found.photometric == _CMYK and found.kind != 1)
    ):
        raise UnreadableImageError(
            f"is a TIFF image with numbers of an uncommon form ({found.bits[0]} bits, kind "
            f"{found.kind}, predictor {found.predictor}): {_OTHERWISE}"
        )


def _check_subsampling(found: Layout, size: int) -> None:
    """Raise UnreadableImageError for forms of YCbCr that Pillow misreads."""
    if (
        found.photometric == _YCBCR
        and found.compression == RAW
        and (found.planes > 1 or _is_subsampled(found, size))
    ):
        raise UnreadableImageError(
            f"is an uncompressed TIFF image in YCbCr, which cannot be read: {_OTHERWISE}"
        )


def _is_subsampled(found: Layout, size: int) -> bool:
    if found.photometric != _YCBCR or found.subsampling == (1, 1):
        return False
    whole = found.row * found.planes * found.height
    return sum(found.sizes) < whole or size < whole

"""Read TIFF images of any depth, compression and byte order, sample by sample.

libtiff decompresses strips and tiles as if they were rows of bytes. The bytes are interpreted here,
in bands, so that memory stays close to the size of the decompressed file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganvas.imaging.errors import UnreadableImageError
from ganvas.imaging.frame import Pixels
from ganvas.imaging.quiet import quiet_libtiff
from ganvas.imaging.tiff import RAW
from ganvas.imaging.tiff_tags import Layout
from ganvas.imaging.white import white

Numbers = NDArray[Any]

BAND = 2**20  # pixels that are processed at once
BATCH = 2**25  # bytes that are decompressed at once, unless one strip has more
LARGEST_STRIP = 178_000_000  # bytes; to Pillow they are pixels, whose number it limits
_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_COLOURS = {_RGB: 3, _CMYK: 4}
_PREMULTIPLIED, _STRAIGHT = 1, 2
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def bytes_needed(found: Layout) -> int:
    """Bytes that `read` needs."""
    across, down = found.grid
    height = found.height if not found.tiled else down * found.segment[1]
    unpacked = found.row * (across if found.tiled else 1) * height * found.planes
    widest = found.width * max(found.segment[1] if found.tiled else 1, BAND // found.width)
    batch = 3 * max(BATCH, found.row * found.segment[1])
    return unpacked + batch + 4 * found.width * found.height + 40 * found.samples * widest


def read(data: bytes, found: Layout) -> Image.Image:
    """The image as stored, converted to 8 bits: L, LA, RGB, RGBA or CMYK.

    Raises UnreadableImageError, and what Pillow raises over damaged strips.
    """
    planes = [_plane(data, found, index) for index in range(found.planes)]
    as_pixels = _converter(found, planes)
    image, top = None, 0
    with np.errstate(all="ignore"):  # values out of range are clipped later
        for values in _bands(found, planes):
            pixels = as_pixels(values)
            mode = "CMYK" if found.photometric == _CMYK else _MODES[pixels.shape[2]]
            image = image or Image.new(mode, (found.width, found.height))
            band = Image.frombytes(mode, (found.width, len(pixels)), pixels.tobytes())
            image.paste(band, (0, top))
            top += len(pixels)
    assert image is not None  # an image has rows
    return image


# ---- strips and tiles


def _plane(data: bytes, found: Layout, index: int) -> Pixels:
    """The decompressed bytes of one plane: rows of strips or tiles, one below the other."""
    count = found.segments // found.planes
    height = count * found.segment[1] if found.tiled else found.height
    parts = [_segment(data, found, index * count + place) for place in range(count)]
    if sum(map(len, parts)) > 2 * len(data):
        raise UnreadableImageError("is damaged (its strips overlap)")
    rows = np.empty((height, found.row), np.uint8)
    step = max(1, BATCH // (found.row * found.segment[1]))  # Pillow limits the size of one image
    for place in range(0, count, step):
        top, some = place * found.segment[1], parts[place : place + step]
        bottom = min(height, top + len(some) * found.segment[1])
        unpack = _as_they_are if found.compression == RAW else _unpack
        rows[top:bottom] = unpack(some, found, bottom - top)
    return rows


def _as_they_are(parts: list[memoryview], found: Layout, height: int) -> Pixels:
    raw = b"".join(parts)
    if found.backwards:
        raw = raw.translate(_REVERSED)
    return np.frombuffer(raw, np.uint8).reshape(height, found.row)


def _segment(data: bytes, found: Layout, place: int) -> memoryview:
    start = found.offsets[place]
    if place < len(found.sizes) and found.sizes[place] > 0:
        size = found.sizes[place]
    else:  # some programs leave the size out if it can be computed
        size = len(data) - start
    if found.compression == RAW:
        rows = found.segment[1]
        if not found.tiled:
            rows = min(rows, found.height - place % found.grid[1] * rows)
        size = rows * found.row
    if not 0 <= start <= start + size <= len(data):
        raise UnreadableImageError("is truncated")
    return memoryview(data)[start : start + size]


def _unpack(parts: list[memoryview], found: Layout, height: int) -> Pixels:
    """Strips or tiles, decompressed as if they belonged to an 8-bit grey image."""
    if found.row * height > LARGEST_STRIP:
        raise UnreadableImageError(
            f"has strips of more than {LARGEST_STRIP // 10**6} MB: save it with smaller ones"
        )
    sizes = [len(part) for part in parts]
    starts = np.cumsum([8, *sizes[:-1]]).tolist()
    end = 8 + sum(sizes)
    tags = [
        (256, (found.row,)),
        (257, (height,)),
        (258, (8,)),
        (259, (found.compression,)),
        (262, (1,)),
        (266, (2 if found.backwards else 1,)),
        (273, tuple(starts)),
        (277, (1,)),
        (278, (found.segment[1],)),
        (279, tuple(sizes)),
    ]
    directory, arrays = b"", b""
    after = end + 2 + 12 * len(tags) + 4
    for tag, values in tags:
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            place, arrays = after + len(arrays), arrays + packed
            packed = struct.pack("<I", place)
        directory += struct.pack("<HHI", tag, 4, len(values)) + packed
    whole: tuple[bytes | memoryview, ...] = (
        struct.pack("<2sHI", b"II", 42, end),
        *parts,
        struct.pack("<H", len(tags)) + directory + bytes(4) + arrays,
    )
    with quiet_libtiff(), Image.open(BytesIO(b"".join(whole)), formats=("TIFF",)) as image:
        image.load()
        return np.asarray(image)


# ---- samples


def _bands(found: Layout, planes: list[Pixels]) -> Iterator[Numbers]:
    """The samples (rows, width, samples) in their own type, from top to bottom."""
    count = found.samples // found.planes
    across, _ = found.grid
    wide, high = found.segment
    step = high if found.tiled else max(1, BAND // found.width)
    for top in range(0, found.height, step):
        rows = min(step, found.height - top)
        parts = []
        for plane in planes:
            if found.tiled:
                first = top // high * across * high
                tiles = _numbers(plane[first : first + across * high], found, wide, count)
                tiled = tiles.reshape(across, high, wide, count).swapaxes(0, 1)
                parts.append(tiled.reshape(high, across * wide, count)[:rows, : found.width])
            else:
                parts.append(_numbers(plane[top : top + rows], found, wide, count))
        yield np.concatenate(parts, 2) if len(parts) > 1 else parts[0]


def _numbers(raw: Pixels, found: Layout, width: int, count: int) -> Numbers:
    """Rows of bytes as numbers (rows, width, count)."""
    shape, bits = (len(raw), width, count), found.bits[0]
    if bits % 8 or bits == 24:
        return _unpacked(raw, found, width * count).reshape(shape)
    raw = raw[:, : width * count * bits // 8]
    if found.predictor == 3:
        return _float_differences(raw, count, bits // 8).reshape(shape)
    letter = {1: "u", 2: "i", 3: "f"}[found.kind]
    size = bits // 8
    values = np.ascontiguousarray(raw).view(f"{found.order}u{size}").reshape(shape)
    values = values.astype(f"=u{size}")
    if found.predictor == 2:
        values = np.cumsum(values, 1, values.dtype)
    return values.view(f"=f{size}" if letter == "f" else f"={letter}{size}")


def _unpacked(raw: Pixels, found: Layout, count: int) -> Numbers:
    """Unpack numbers of 1 to 31 bits, highest bit first; those of 24 bits lie in whole bytes."""
    values: Numbers = np.zeros((len(raw), count), np.uint32)
    if found.bits[0] == 24:
        octets = raw[:, : 3 * count].reshape(len(raw), count, 3)
        for octet in range(3) if found.order == ">" else range(2, -1, -1):
            values = values << 8 | octets[..., octet]
        return values
    bits = np.unpackbits(raw, 1)[:, : count * found.bits[0]].reshape(len(raw), count, -1)
    for bit in range(found.bits[0]):
        values = values << 1 | bits[..., bit]
    return values


def _float_differences(raw: Pixels, count: int, size: int) -> Numbers:
    """Undo predictor 3 (Adobe, TIFF Technical Note 3): byte differences, by significance."""
    rows = len(raw)
    octets = np.cumsum(raw.reshape(rows, -1, count), 1, np.uint8).reshape(rows, size, -1)
    values = np.ascontiguousarray(octets.swapaxes(1, 2)).view(f">f{size}")
    return values.astype(f"=f{size}").reshape(rows, -1)


# ---- from samples to pixels


@dataclass(frozen=True)
class _Scale:
    """Converts grey, colour or ink samples to pixels; `white` is the largest sample."""

    found: Layout
    white: float
    opaque: float  # the alpha value that is fully opaque

    def __call__(self, values: Numbers) -> Pixels:
        found = self.found
        count = _COLOURS.get(found.photometric, 1)
        numbers: Numbers = values.astype(np.float64 if values.itemsize > 2 else np.float32)
        colours = numbers[..., :count] * (255 / self.white)
        if found.photometric == _WHITE_IS_ZERO:
            colours = 255 - colours
        alpha = _alpha(found, numbers, self.opaque)
        if alpha is None:
            return _eight(colours)
        if found.extra[0] == _PREMULTIPLIED:
            seen = np.maximum(alpha, 1e-9)
            colours = np.where(alpha > 0, colours * (255 / seen), 0)
        return np.concatenate([_eight(colours), _eight(alpha)], 2)


@dataclass(frozen=True)
class _Palette:
    """Converts palette indices to pixels."""

    found: Layout
    colours: Pixels  # (count, 3)

    def __call__(self, values: Numbers) -> Pixels:
        indices = values[..., 0]
        if int(indices.max()) >= len(self.colours):
            raise UnreadableImageError("is damaged (its palette has fewer colours than it needs)")
        pixels: Pixels = self.colours[indices]
        white = float(2 ** self.found.bits[0] - 1)
        alpha = _alpha(self.found, values.astype(np.float64), white)
        return pixels if alpha is None else np.concatenate([pixels, _eight(alpha)], 2)


def _converter(found: Layout, planes: list[Pixels]) -> "_Scale | _Palette":
    if found.photometric == _PALETTE:
        colours: Numbers = np.array(found.colours, np.uint32).reshape(3, -1).T
        if len(colours) and colours.max() > 255:
            colours = colours // 256  # 16 bits, as the standard says; some programs write 8
        return _Palette(found, colours.astype(np.uint8))
    if found.kind == 1 and (found.bits[0] <= 8 or found.photometric == _CMYK):
        return _Scale(found, 2.0 ** found.bits[0] - 1, 2.0 ** found.bits[0] - 1)
    count = _COLOURS.get(found.photometric, 1)
    low, high, beside = np.inf, -np.inf, 0.0
    for values in _bands(found, planes):
        if found.kind == 3 and np.isnan(values).any():
            low = high = np.nan  # every comparison with it is false
            break
        colours = values[..., :count]
        low, high = min(low, float(colours.min())), max(high, float(colours.max()))
        if _has_alpha(found):
            beside = max(beside, float(values[..., count].max()))
    kind = "uif"[found.kind - 1]
    top = white(kind, found.bits[0], low, high, found.most, _has_alpha(found))
    # Floating-point colours may go to 255 and alpha to 1.
    return _Scale(found, top, 1.0 if found.kind == 3 and beside <= 1 else top)


def _has_alpha(found: Layout) -> bool:
    return found.photometric != _CMYK and found.extra[:1] in ((_PREMULTIPLIED,), (_STRAIGHT,))


def _alpha(found: Layout, values: Numbers, opaque: float) -> Numbers | None:
    """The first sample beside the colours as 0 to 255, if it is alpha."""
    count = _COLOURS.get(found.photometric, 1)
    return values[..., count : count + 1] * (255 / opaque) if _has_alpha(found) else None


def _eight(values: Numbers) -> Pixels:
    pixels: Pixels = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return pixels

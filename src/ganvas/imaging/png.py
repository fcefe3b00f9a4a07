"""The headers of a PNG file, and the file reduced to what decoding needs.

Pillow reads every chunk (ISO/IEC 15948): it rejects a file for a long text or a large profile, and
checks neither the checksums of what it decodes nor whether all rows are there. Here broken
ancillary chunks are ignored, as the standard says, and broken pixels are rejected.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from ganvas.imaging.errors import UnreadableImageError
from ganvas.imaging.white import FAINT, white

MARK = b"\x89PNG\r\n\x1a\n"
LARGEST_PROFILE = 2**25  # bytes; the largest printer profiles have a third of that
LARGEST_TEXT = 2**20  # bytes of Exif or XMP written as text
DENSEST = 1032  # the largest compression ratio of deflate

_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_READ = {b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
_EXIF, _XMP = "Raw profile type exif", "XML:com.adobe.xmp"
_GREY, _COLOUR, _PALETTE = 0, 2, 3
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
# Adam7: first column and row, and steps, of each pass.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


@dataclass(frozen=True)
class Header:
    """The chunk IHDR."""

    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool

    @property
    def unpacked(self) -> int:
        """Bytes of the pixels before compression."""
        if not self.interlaced:
            return self._rows(self.width, self.height)
        return sum(
            self._rows(_steps(self.width, left, across), _steps(self.height, top, down))
            for left, top, across, down in _PASSES
        )

    def _rows(self, width: int, height: int) -> int:
        bits = self.depth * _CHANNELS[self.kind]
        return height * (1 + -(-width * bits // 8)) if width else 0


@dataclass(frozen=True)
class Png:
    """A PNG file reduced to what decoding needs, and its useful metadata."""

    data: bytes
    header: Header
    info: dict[str, Any]  # profile, Exif and XMP, under Pillow's names
    transparent: tuple[int, ...] | None  # the transparent grey or colour, in the file's own depth
    pixels: tuple[memoryview, ...]  # the chunks IDAT

    @property
    def beside(self) -> int:
        """Bytes that `complete` takes beside the image."""
        deep = self.header.kind == _COLOUR and self.header.depth == 16
        return 5 * self.header.width * self.header.height if deep and self.transparent else 0

    def check_length(self) -> None:
        """Raise UnreadableImageError if there are too few bytes for the number of pixels."""
        packed = sum(map(len, self.pixels))
        if not packed or self.header.unpacked > DENSEST * (packed + 1):
            raise UnreadableImageError("is truncated")

    def is_complete(self) -> bool:
        """Whether all rows are there: Pillow leaves missing rows black."""
        unpacker, missing = zlib.decompressobj(), self.header.unpacked
        for chunk in self.pixels:
            piece: bytes | memoryview = chunk
            while piece and missing > 0:
                missing -= len(unpacker.decompress(piece, 2**20))
                piece = unpacker.unconsumed_tail
        return missing <= 0


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name of each chunk, and where its content begins and ends; the last may be cut off."""
    place = len(MARK)
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        name = data[place + 4 : place + 8]
        if not name.isalpha():
            return
        yield name, place + 8, place + 8 + length
        if name == b"IEND":
            return
        place += 12 + length


def parse(data: bytes) -> Png:
    """Sort a file's chunks; raises UnreadableImageError if a needed chunk is damaged."""
    header: Header | None = None
    view, info = memoryview(data), dict[str, Any]()
    kept, pixels = [memoryview(MARK)], list[memoryview]()
    palette, transparency = False, b""
    for name, start, end in chunks(data):
        if name == b"tRNS" and end - start < 2 * _values(header):
            continue  # too short to name a colour: decoders ignore it
        if name in _NEEDED:
            _check_sum(data, name, start, end)
            kept.append(view[start - 8 : end + 4])
        elif name not in _READ or not _is_sound(data, start, end):
            continue
        if name == b"IDAT":
            pixels.append(view[start:end])
            continue
        body = data[start:end]
        match name:
            case b"IHDR":
                header = header or _header(body)
            case b"PLTE":
                palette = True
            case b"tRNS":
                transparency = body
            case b"iCCP":
                info["icc_profile"] = _profile(body)
            case b"eXIf":
                info["exif"] = b"Exif\0\0" + body
            case b"tEXt" | b"zTXt" | b"iTXt":
                info |= _text(name, body)
    if header is None:
        raise UnreadableImageError("is damaged (a PNG image without a header)")
    if not pixels:
        raise UnreadableImageError("is truncated")
    if header.kind == _PALETTE and not palette:
        raise UnreadableImageError("is damaged (a PNG image without its palette)")
    needed = data if sum(map(len, kept)) == len(data) else b"".join(kept)
    return Png(needed, header, info, _transparent(header, transparency), tuple(pixels))


def complete(image: Image.Image, png: Png, formats: tuple[str, ...]) -> Image.Image | None:
    """Correct the transparency of a loaded image where Pillow gets it wrong.

    Returns alpha for 16-bit colours with a transparent one, else None. Raises UnreadableImageError
    for an image whose pixels end too early.
    """
    last = image.crop((0, image.height - 1, image.width, image.height))
    if (png.header.interlaced or not any(last.tobytes())) and not png.is_complete():
        raise UnreadableImageError("is truncated")
    if png.header.kind == _COLOUR and png.header.depth == 16:
        _check_range(image, png, formats)
        return _colour_key(image, png, formats) if png.transparent else None
    if png.transparent and png.header.depth < 16:
        # Pillow scales the pixels to 8 bits, but not the transparent grey.
        scale = 255 // (2**png.header.depth - 1)
        scaled = tuple(value * scale for value in png.transparent)
        image.info["transparency"] = scaled if png.header.kind == _COLOUR else scaled[0]
    return None


def _check_range(image: Image.Image, png: Png, formats: tuple[str, ...]) -> None:
    """Raise UnreadableImageError for 16-bit colours that use far fewer bits."""
    upper = _highest(image)
    if upper < 256 // FAINT and _highest(_lower(png, formats)):
        white("u", 16, 0, 256 * upper + 255)


def _highest(image: Image.Image) -> int:
    """The largest byte of all channels."""
    return max(value % 256 for value, count in enumerate(image.histogram()) if count)


def _lower(png: Png, formats: tuple[str, ...]) -> Image.Image:
    """The lower bytes of 16-bit colours; Pillow keeps the upper ones."""
    with Image.open(BytesIO(png.data), formats=formats) as image:
        # The raw mode of the opposite byte order selects the lower byte.
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        image.load()
        return image


def _colour_key(image: Image.Image, png: Png, formats: tuple[str, ...]) -> Image.Image:
    """Alpha of 16-bit colours, one of which is transparent."""
    del image.info["transparency"]
    lower, alpha = _lower(png, formats), Image.new("L", image.size)
    for top in range(0, image.height, 256):
        box = (0, top, image.width, min(top + 256, image.height))
        values = np.asarray(image.crop(box)).astype(np.uint16) << 8
        values |= np.asarray(lower.crop(box))
        seen = (values != np.array(png.transparent, np.uint16)).any(2)
        alpha.paste(Image.fromarray(np.where(seen, 255, 0).astype(np.uint8)), box)
    return alpha


def _steps(length: int, first: int, step: int) -> int:
    return max(0, -(-(length - first) // step))


def _check_sum(data: bytes, name: bytes, start: int, end: int) -> None:
    if name == b"IEND":
        return  # it is empty
    if end + 4 > len(data):
        raise UnreadableImageError("is truncated")
    if not _is_sound(data, start, end):
        raise UnreadableImageError(f"is damaged (the checksum of {name.decode()} is wrong)")


def _is_sound(data: bytes, start: int, end: int) -> bool:
    if end + 4 > len(data):
        return False
    (stored,) = struct.unpack_from(">I", data, end)
    return zlib.crc32(memoryview(data)[start - 4 : end]) == int(stored)


def _header(body: bytes) -> Header:
    if len(body) < 13:
        raise UnreadableImageError("is damaged (the header of the PNG image is too short)")
    width, height, depth, kind, packing, filters, interlace = struct.unpack_from(">IIBBBBB", body)
    if depth not in _DEPTHS.get(kind, ()) or packing or filters or interlace > 1:
        raise UnreadableImageError(
            "is damaged (the header of the PNG image names a kind that does not exist)"
        )
    if not width or not height:
        raise UnreadableImageError("is damaged (the PNG image has no pixels)")
    return Header(width, height, depth, kind, interlace == 1)


def _transparent(header: Header, body: bytes) -> tuple[int, ...] | None:
    """The grey or colour that is transparent; bits above the file's depth are ignored."""
    count, mask = _values(header), 2**header.depth - 1
    if not body or not count:
        return None
    return tuple(value & mask for value in struct.unpack_from(f">{count}H", body))


def _values(header: Header | None) -> int:
    """How many numbers name the transparent colour; 0 with a palette or an alpha channel."""
    return {_GREY: 1, _COLOUR: 3}.get(header.kind, 0) if header else 0


def _profile(body: bytes) -> bytes | None:
    packed = body.partition(b"\0")[2]
    return _unpack(packed[1:], LARGEST_PROFILE) if packed[:1] == b"\0" else None


def _text(name: bytes, body: bytes) -> dict[str, Any]:
    """Exif and XMP, which some programs write as text; other texts are ignored."""
    key, _, rest = body.partition(b"\0")
    label = key.decode("latin-1")
    if label == _EXIF and name in (b"tEXt", b"zTXt"):
        value = rest if name == b"tEXt" else _unpack(rest[1:], LARGEST_TEXT)
        return {_EXIF: value.decode("latin-1")} if value is not None else {}
    if label == _XMP and name == b"iTXt" and len(rest) >= 2:
        value = rest[2:].split(b"\0", 2)[-1]
        if rest[0]:
            value = _unpack(value, LARGEST_TEXT) or b""
        return {"xmp": value}
    return {}


def _unpack(packed: bytes, most: int) -> bytes | None:
    """Decompressed bytes; None if they are damaged or more than `most`."""
    unpacker = zlib.decompressobj()
    try:
        value = unpacker.decompress(packed, most)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else value

"""The tags of the first image in a TIFF file (TIFF 6.0 and BigTIFF): the layout of its samples."""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from math import prod

from ganvas.imaging.errors import UnreadableImageError

MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# TIFF field types as `struct` format characters, without rationals.
_TYPES = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}


class Tag(IntEnum):
    """The tags that describe the layout of samples in a file, and their meaning."""

    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIPS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS = 278
    STRIP_BYTES = 279
    MOST = 281
    PLANES = 284
    PREDICTOR = 317
    COLOURS = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILES = 324
    TILE_BYTES = 325
    EXTRA = 338
    FORMAT = 339
    MOST_OF_ANY = 341
    SUBSAMPLING = 530
    PROFILE = 34675


_READ = set(Tag)
Tags = dict[int, tuple[float, ...]]


@dataclass(frozen=True)
class Layout:
    """The layout of an image's samples in its file."""

    order: str  # "<" or ">"
    width: int
    height: int
    bits: tuple[int, ...]  # of each sample of a pixel
    kind: int  # SampleFormat: 1 unsigned, 2 signed, 3 floating-point
    compression: int
    photometric: int
    planes: int  # 1, or the number of samples if each has a plane of its own
    extra: tuple[int, ...]  # samples beside the colours: 1 premultiplied alpha, 2 alpha
    predictor: int
    backwards: bool  # bits within a byte: FillOrder 2
    segment: tuple[int, int]  # width and height of a strip or a tile
    tiled: bool
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    orientation: int
    most: int | None  # the largest sample, if the file states it
    subsampling: tuple[int, int]
    misread: bool  # whether Pillow misreads the file, whatever the samples are
    colours: tuple[int, ...] = field(repr=False)  # of a palette
    profile: bytes | None = field(repr=False)

    @property
    def samples(self) -> int:
        """Samples per pixel."""
        return len(self.bits)

    @property
    def row(self) -> int:
        """Bytes of one row of a strip or tile, of one plane."""
        return -(-self.segment[0] * sum(self.bits) // self.planes // 8)

    @property
    def segments(self) -> int:
        """The number of strips or tiles of the whole image."""
        return prod(self.grid) * self.planes

    @property
    def grid(self) -> tuple[int, int]:
        """Strips or tiles of one plane, across and down."""
        return -(-self.width // self.segment[0]), -(-self.height // self.segment[1])


def layout(data: bytes) -> Layout | None:
    """The layout of a TIFF file; None for other files.

    Raises UnreadableImageError if the file holds no image.
    """
    if not data.startswith(MARKS):
        return None
    try:
        tags, profile = _tags(data)
    except (struct.error, OverflowError):
        raise UnreadableImageError("is truncated") from None
    order = "<" if data[:2] == b"II" else ">"
    width, height = _one(tags, Tag.WIDTH, 0), _one(tags, Tag.HEIGHT, 0)
    if min(width, height) <= 0:
        raise UnreadableImageError("is damaged (the TIFF image has no size)")
    tiled = Tag.TILE_WIDTH in tags and Tag.TILE_HEIGHT in tags
    misplaced = tiled and Tag.TILES not in tags  # some programs list tiles as if they were strips
    rows = min(_one(tags, Tag.ROWS, height) or height, height)
    segment = (
        (_one(tags, Tag.TILE_WIDTH, 0), _one(tags, Tag.TILE_HEIGHT, 0)) if tiled else (width, rows)
    )
    if min(segment) <= 0:
        raise UnreadableImageError("is damaged (the strips or tiles of the TIFF have no size)")
    bits, kind, extra = _samples(tags)
    return Layout(
        order,
        width,
        height,
        bits,
        kind,
        _one(tags, Tag.COMPRESSION, 1),
        _one(tags, Tag.PHOTOMETRIC, 0),
        len(bits) if _one(tags, Tag.PLANES, 1) == 2 else 1,
        extra,
        _one(tags, Tag.PREDICTOR, 1),
        _one(tags, Tag.FILL_ORDER, 1) == 2,
        segment,
        tiled,
        _all(tags, Tag.TILES if tiled and not misplaced else Tag.STRIPS),
        _all(tags, Tag.TILE_BYTES if tiled and Tag.TILE_BYTES in tags else Tag.STRIP_BYTES),
        _one(tags, Tag.ORIENTATION, 1),
        _most(tags),
        _subsampling(tags),
        misplaced or _is_misread(data, tags),
        _all(tags, Tag.COLOURS),
        profile,
    )


def _samples(tags: Tags) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """Bits of each sample, their SampleFormat, and the samples beside the colours."""
    count, stated = _one(tags, Tag.SAMPLES, 1), _all(tags, Tag.BITS) or (1,)
    if not 0 < count <= 64:
        raise UnreadableImageError(f"is damaged (a TIFF image with {count} samples a pixel)")
    bits = stated[:count] if len(stated) > 1 else stated * count
    formats = set(_all(tags, Tag.FORMAT)[:count]) or {1}
    if len(bits) != count or len({*bits}) > 1 or len(formats) > 1 or not 0 < bits[0] <= 64:
        raise UnreadableImageError(
            "is a TIFF image whose colours have different depths: save it with 8 or 16 bits each"
        )
    if Tag.PHOTOMETRIC not in tags and count > 1:
        raise UnreadableImageError(
            "is a TIFF image that does not say what its colours are: save it as RGB"
        )
    colours = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}.get(_one(tags, Tag.PHOTOMETRIC, 0), 1)
    extra = (*_all(tags, Tag.EXTRA), *(0,) * count)[: max(0, count - colours)]
    if Tag.EXTRA not in tags and len(extra) == 1:
        extra = (2,)  # many programs forget to say that it is alpha
    extra = tuple(what if what in (0, 1) else 2 for what in extra)  # Corel Draw writes 999 for it
    (kind,) = formats
    return bits, 1 if kind == 4 else kind, extra  # 4: "undefined"


def _is_misread(data: bytes, tags: Tags) -> bool:
    """Whether Pillow misreads a file: big-endian BigTIFF, or unusual alpha without RGB."""
    odd = any(what > 2 for what in _all(tags, Tag.EXTRA))
    return data.startswith(b"MM\0+") or (odd and _one(tags, Tag.PHOTOMETRIC, 0) != 2)


def _subsampling(tags: Tags) -> tuple[int, int]:
    match _all(tags, Tag.SUBSAMPLING):
        case (across, down, *_):
            return across, down
    return 2, 2


def _most(tags: Tags) -> int | None:
    stated = _all(tags, Tag.MOST_OF_ANY) or _all(tags, Tag.MOST)
    return max(stated) if stated else None


def _one(tags: Tags, tag: int, default: int) -> int:
    return next(iter(_all(tags, tag)), default)


def _all(tags: Tags, tag: int) -> tuple[int, ...]:
    """A tag's numbers; none if one of them cannot be an integer."""
    values = tags.get(tag, ())
    return tuple(map(int, values)) if all(abs(value) < 2**64 for value in values) else ()


def _tags(data: bytes) -> tuple[Tags, bytes | None]:
    """The tags of the first directory whose values lie within the file, and the ICC profile."""
    order = "<" if data[:2] == b"II" else ">"
    large = 43 in data[2:4]
    (first,) = struct.unpack_from(order + ("8xQ" if large else "4xI"), data)
    (count,) = struct.unpack_from(order + ("Q" if large else "H"), data, first)
    head, inline, step = ("HHQ", 8, 20) if large else ("HHI", 4, 12)
    tags: Tags = {}
    profile = None
    for place in range(first + (8 if large else 2), len(data) - step + 1, step):
        if count <= 0:
            break
        count -= 1
        tag, kind, length = struct.unpack_from(order + head, data, place)
        if tag not in _READ or kind not in _TYPES:
            continue
        start = place + step - inline
        size = length * struct.calcsize(_TYPES[kind])
        if size > inline:
            (start,) = struct.unpack_from(order + ("Q" if large else "I"), data, start)
        if start + size > len(data):
            continue
        if tag == Tag.PROFILE:
            profile = data[start : start + size]
        else:
            tags[tag] = struct.unpack_from(f"{order}{length}{_TYPES[kind]}", data, start)
    return tags, profile

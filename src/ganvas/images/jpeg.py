"""What a JPEG file says before its pixels, and the file without what is not needed to decode it.

Pillow reads every segment, and refuses the file when a comment or a camera's notes are broken;
libjpeg, which decodes, looks at few of them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from ganvas.images.errors import UnreadablePictureError

MARK = b"\xff\xd8\xff"

_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a segment: TEM, RST0 to RST7, SOI
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; the others are DHT, JPG, DAC
_INTERVAL = b"\xff\xdd\0\4"  # a segment that says how often coding starts anew
_END_MARK = b"\xff\xd9"
_SCAN, _END, _COMMENT, _LINES = 0xDA, 0xD9, 0xFE, 0xDC
_LOSSLESS = {0xC3, 0xCB}
_HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
_PROGRESSIVE = {0xC2, 0xCA}

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PROFILE = b"ICC_PROFILE\0"


@dataclass(frozen=True)
class Frame:
    """The frame header (ITU-T T.81, B.2.2): how the pixels are coded."""

    marker: int
    bits: int
    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]  # horizontal and vertical factors of each channel

    @property
    def coefficients(self) -> int:
        """Bytes in which libjpeg keeps a progressive file before the first pixel is known."""
        if self.marker not in _PROGRESSIVE or not self.sampling:
            return 0
        across = max(horizontal for horizontal, _ in self.sampling) or 1
        down = max(vertical for _, vertical in self.sampling) or 1
        area = sum(horizontal * vertical for horizontal, vertical in self.sampling)
        return 2 * self.width * self.height * area // (across * down)


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file of which only what decoding needs is left, and what else was of use in it."""

    data: bytes
    frame: Frame | None
    info: dict[str, bytes]  # Exif and XMP, under Pillow's names
    scan: int  # where the coded pixels begin, 0 if nowhere

    @property
    def reducible(self) -> bool:
        """Whether it can be decoded at a half, a quarter or an eighth of its size."""
        return self.frame is not None and not self.lossless

    @property
    def lossless(self) -> bool:
        """Whether its pixels are coded as they are, without a transform."""
        return self.frame is not None and self.frame.marker in _LOSSLESS

    def continued(self) -> bytes:
        """The file with more coded pixels before its end than it has.

        Where all pixels are coded already, decoders pass over them: an image that comes out
        otherwise was cut off.
        """
        end = self.data.find(_END_MARK, self.scan)
        restarts = self.data.find(_INTERVAL, 0, self.scan) > 0  # or one looks for the next mark
        more = b"".join(
            bytes(range(1, 255)) + bytes((0xFF, 0xD0 + number % 8)) * restarts
            for number in range(64)
        )
        return self.data[:end] + more + self.data[end:] if end > 0 else self.data


def parsed(data: bytes) -> Jpeg:
    """Sort a file's segments; raises UnreadablePictureError for kinds that nobody reads here.

    A file that is not built as the standard says is left as it is, for Pillow to judge.
    """
    frame: Frame | None = None
    view = memoryview(data)
    kept = [view[:2]]
    info: dict[str, bytes] = {}
    for marker, start, body, end in _segments(data):
        segment = data[body:end]
        if marker == _SCAN:
            kept.append(view[start:])
            _check(frame)
            needed = data if sum(map(len, kept)) == len(data) else b"".join(kept)
            scan = sum(map(len, kept[:-1])) + end - start
            return Jpeg(needed, frame, info, scan)
        if marker in _FRAMES and frame is None:
            frame = _frame(marker, segment)
        if marker == 0xE1 and segment.startswith(_EXIF):
            known = info.get("exif")
            info["exif"] = segment if known is None else known + segment[len(_EXIF) :]
        elif marker == 0xE1 and segment.startswith(_XMP):
            info["xmp"] = segment[len(_XMP) :]
        if _needed(marker, segment):
            kept.append(view[start:end])
    return Jpeg(data, frame, info, 0)


def check_end(
    picture: Image.Image, file: Jpeg, asked: tuple[int, int] | None, formats: tuple[str, ...]
) -> None:
    """Raise UnreadablePictureError where a loaded image ends before its last pixel.

    libjpeg fills what is missing with grey and says nothing, where an end is marked: programs that
    rescue photographs write one. `asked` is the size that was asked of the decoder, if any.
    """
    width, height = picture.size
    last = picture.crop((width - 1, height - 1, width, height)).tobytes()
    if not file.reducible or {*last} - {127, 128}:  # 127 in negative: CMYK
        return
    with Image.open(BytesIO(file.continued()), formats=formats) as other:
        if asked:
            other.draft(other.mode, asked)
        other.load()
        foot = (0, max(0, height - 16), width, height)
        if other.crop(foot).tobytes() != picture.crop(foot).tobytes():
            raise UnreadablePictureError("is truncated")


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Marker, and where it, its content and what follows begin; ends where there is none."""
    place = 2
    while True:
        start = data.find(b"\xff", place)  # decoders pass over what stands between segments
        if start < 0:
            return
        place = start + 1
        while data[place : place + 1] == b"\xff":  # padding
            place += 1
        if place >= len(data):
            return
        marker, place = data[place], place + 1
        if marker == 0 or marker in _ALONE:
            continue
        if marker == _END or place + 2 > len(data):
            return
        (length,) = struct.unpack_from(">H", data, place)
        if length < 2 or (place + length > len(data) and marker != _SCAN):
            return
        yield marker, start, place + 2, place + length
        place += length


def _needed(marker: int, segment: bytes) -> bool:
    """Whether decoders look at a segment: those of programs and people they pass over."""
    if marker == 0xE0:
        return segment.startswith(b"JFIF\0") and len(segment) >= 14
    if marker == 0xE2:
        return segment.startswith(_PROFILE) and len(segment) >= 14
    if marker == 0xEE:
        return segment.startswith(b"Adobe") and len(segment) >= 12
    return not 0xE0 <= marker <= 0xEF and marker not in (_COMMENT, _LINES)


def _frame(marker: int, segment: bytes) -> Frame | None:
    if len(segment) < 6:
        return None
    bits, height, width, count = struct.unpack_from(">BHHB", segment)
    factors = segment[7 : 6 + 3 * count : 3]
    return Frame(marker, bits, width, height, tuple((both >> 4, both & 15) for both in factors))


def _check(frame: Frame | None) -> None:
    if frame is None:
        return
    if frame.marker in _HIERARCHICAL or frame.marker == 0xCB:
        raise UnreadablePictureError(
            "is a JPEG picture of a kind that hardly any program reads "
            f"(SOF{frame.marker - 0xC0}): save it as a usual JPEG, or as PNG"
        )
    if frame.bits != 8 and len(frame.sampling) in (1, 3, 4):
        raise UnreadablePictureError(
            f"is a JPEG picture with {frame.bits} bits a colour instead of 8: save it as PNG"
        )

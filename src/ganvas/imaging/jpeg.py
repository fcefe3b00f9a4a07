"""The headers of a JPEG file, and the file reduced to what decoding needs.

Pillow reads every segment, and rejects the file if a comment or a camera's notes are broken;
libjpeg, which decodes, reads only a few of them.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

from PIL import Image

from ganvas.imaging.errors import UnreadableImageError

MARK = b"\xff\xd8\xff"

_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a segment: TEM, RST0 to RST7, SOI
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; the others are DHT, JPG, DAC
_INTERVAL = b"\xff\xdd\0\4"  # DRI: the restart interval of the coded pixels
_CODED_END = re.compile(rb"\xff+[^\0\xff\xd0-\xd7]", re.DOTALL)  # never occurs in coded pixels
_SCAN, _END, _COMMENT, _LINES = 0xDA, 0xD9, 0xFE, 0xDC
_LOSSLESS = {0xC3, 0xCB}
_HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
_PROGRESSIVE = {0xC2, 0xCA}
_ARITHMETIC = {0xC9, 0xCA}
_STRIP = 256  # rows compared at a time

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PROFILE = b"ICC_PROFILE\0"


@dataclass(frozen=True)
class JpegFrame:
    """The frame header (ITU-T T.81, B.2.2): how the pixels are coded."""

    marker: int
    bits: int
    width: int
    height: int
    channels: tuple[int, ...]  # component identifiers, as in the scan headers
    sampling: tuple[tuple[int, int], ...]  # horizontal and vertical factors of each channel

    @property
    def coefficients(self) -> int:
        """Bytes in which libjpeg buffers the coefficients of a progressive file."""
        if self.marker not in _PROGRESSIVE or not self.sampling:
            return 0
        across = max(horizontal for horizontal, _ in self.sampling) or 1
        down = max(vertical for _, vertical in self.sampling) or 1
        area = sum(horizontal * vertical for horizontal, vertical in self.sampling)
        return 2 * self.width * self.height * area // (across * down)


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file reduced to what decoding needs, and its useful metadata."""

    data: bytes
    frame: JpegFrame | None
    info: dict[str, bytes]  # Exif and XMP, under Pillow's names
    scan: int  # where the coded pixels begin, 0 if nowhere

    @property
    def reducible(self) -> bool:
        """Whether it can be decoded at a half, a quarter or an eighth of its size."""
        return self.frame is not None and not self.lossless

    @property
    def lossless(self) -> bool:
        """Whether its pixels are coded losslessly, without a transform."""
        return self.frame is not None and self.frame.marker in _LOSSLESS

    def scans(self) -> list[tuple[bytes, int]]:
        """The header of each scan, and where its coded pixels end."""
        found, place = list[tuple[bytes, int]](), 0
        while place >= 0:
            head = next((at for at in _segments(self.data, place) if at[0] == _SCAN), None)
            if head is None:
                return found
            _, _, body, start = head
            end = _CODED_END.search(self.data, start)
            found.append((self.data[body:start], end.start() if end else len(self.data)))
            place = end.start() if end else -1
        return found

    def continue_scan(self, end: int) -> bytes:
        """The file with additional coded pixels behind those of its last scan, at `end`.

        If all pixels are coded already, decoders ignore the additional ones: an image that changes
        was cut off.
        """
        restarts = self.data.find(_INTERVAL, 0, self.scan) > 0  # decoders then expect RST markers
        more = b"".join(
            bytes(range(1, 255)) + bytes((0xFF, 0xD0 + number % 8)) * restarts
            for number in range(64)
        )
        return self.data[:end] + more + self.data[end:]


def parse(data: bytes) -> Jpeg:
    """Sort a file's segments; raises UnreadableImageError for kinds that cannot be decoded.

    A file that does not follow the standard is left as it is, for Pillow to accept or reject.
    """
    frame: JpegFrame | None = None
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
    image: Image.Image, file: Jpeg, asked: tuple[int, int] | None, formats: tuple[str, ...]
) -> None:
    """Raise UnreadableImageError if a loaded image ends before its last pixel.

    If the end marker is there, libjpeg silently fills missing pixels with grey; programs that
    rescue photographs write such files. `asked` is the size requested from the decoder, if any.
    """
    if file.frame is None or file.lossless:
        return
    scans, gradual = file.scans(), file.frame.marker in _PROGRESSIVE
    if not scans or (len(scans) == 1 and not gradual and not _ends_grey(image)):
        return
    left = dict.fromkeys(((channel, 0) for channel in file.frame.channels), 1)
    for head, _ in scans:
        left |= _bits_left(head, gradual)
    if any(left.values()):
        raise UnreadableImageError("is truncated")
    if file.frame.marker in _ARITHMETIC:  # arithmetic coding may leave out zeros at the end
        return
    _, end = scans[-1]
    with Image.open(BytesIO(file.continue_scan(end)), formats=formats) as other:
        if asked:
            other.draft(other.mode, asked)
        other.load()
        if not _is_same(other, image):
            raise UnreadableImageError("is truncated")


def _ends_grey(image: Image.Image) -> bool:
    """Whether the last pixel may be one that libjpeg filled in.

    Only its brightness is compared, because the colours of the row above reach into the last row.
    In CMYK black is compared.
    """
    corner = (image.width - 1, image.height - 1)
    last = image.crop((*corner, *image.size))
    grey = last.getchannel("K") if last.mode == "CMYK" else last.convert("L")
    return 126 <= grey.tobytes()[0] <= 129


def _bits_left(head: bytes, gradual: bool) -> dict[tuple[int, int], int]:
    """The low bits left to later scans, for each channel's coefficients in this scan.

    ITU-T T.81, B.2.3. Bands without any scan may be left out of a file.
    """
    count = head[0] if head else 0
    if len(head) < 4 + 2 * count:
        return {}
    first, last, bits = head[1 + 2 * count : 4 + 2 * count]
    return {
        (channel, place): bits & 15 if gradual else 0
        for channel in head[1 : 1 + 2 * count : 2]
        for place in range(first, min(last, 63) + 1)
    }


def _is_same(one: Image.Image, other: Image.Image) -> bool:
    edges = [*range(0, one.height, _STRIP), one.height]
    return all(
        one.crop((0, top, one.width, foot)).tobytes()
        == other.crop((0, top, one.width, foot)).tobytes()
        for top, foot in pairwise(edges)
    )


def _segments(data: bytes, place: int = 2) -> Iterator[tuple[int, int, int, int]]:
    """Marker, and the offsets of the marker, its content and what follows, of each segment."""
    while True:
        start = data.find(b"\xff", place)  # decoders skip bytes between segments
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
    """Whether decoders use a segment; they ignore comments and application data."""
    if marker == 0xE0:
        return segment.startswith(b"JFIF\0") and len(segment) >= 14
    if marker == 0xE2:
        return segment.startswith(_PROFILE) and len(segment) >= 14
    if marker == 0xEE:
        return segment.startswith(b"Adobe") and len(segment) >= 12
    return not 0xE0 <= marker <= 0xEF and marker not in (_COMMENT, _LINES)


def _frame(marker: int, segment: bytes) -> JpegFrame | None:
    if len(segment) < 6:
        return None
    bits, height, width, count = struct.unpack_from(">BHHB", segment)
    channels, factors = segment[6 : 6 + 3 * count : 3], segment[7 : 6 + 3 * count : 3]
    sampling = tuple((both >> 4, both & 15) for both in factors)
    return JpegFrame(marker, bits, width, height, tuple(channels), sampling)


def _check(frame: JpegFrame | None) -> None:
    if frame is None:
        return
    if frame.marker in _HIERARCHICAL or frame.marker == 0xCB:
        raise UnreadableImageError(
            "is a JPEG image of a kind that hardly any program reads "
            f"(SOF{frame.marker - 0xC0}): save it as a usual JPEG, or as PNG"
        )
    if frame.bits != 8 and len(frame.sampling) in (1, 3, 4):
        raise UnreadableImageError(
            f"is a JPEG image with {frame.bits} bits a colour instead of 8: save it as PNG"
        )

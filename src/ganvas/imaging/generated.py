"""The mark of images that ganvas generated, which keeps them out of training and evaluation."""

from ganvas.imaging import png

GENERATED = "ganvas.generated"
"""The text key of a PNG, and the beginning of a GIF's comment, in every sample, sheet and film."""

_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_OURS, _REPAINTED = b"ganvas.", b"ganvas.style"  # stylized photographs count as real images


def is_generated(data: bytes) -> bool:
    """Whether a file's bytes carry the mark; nothing is decoded, and nothing is raised."""
    if data.startswith(png.MARK):
        return any(_is_ours(data[start : start + 80]) for start in _texts(data))
    if data.startswith((b"GIF87a", b"GIF89a")) and GENERATED.encode() in data:
        return _is_in_comment(data)
    return False


def _texts(data: bytes) -> list[int]:
    return [start for name, start, _ in png.chunks(data) if name in _TEXTS]


def _is_ours(text: bytes) -> bool:
    key = text.partition(b"\0")[0]
    return key.startswith(_OURS) and key != _REPAINTED


def _is_in_comment(data: bytes) -> bool:
    """Whether a comment extension of a GIF begins with the mark (GIF89a, sections 24 and 15)."""
    if len(data) < 13:
        return False
    place = 13 + _table(data[10])
    while place < len(data):
        match data[place]:
            case 0x21 if data[place + 1 : place + 2] == b"\xfe":
                if data.startswith(GENERATED.encode(), place + 3):
                    return True
                place = _after_blocks(data, place + 2)
            case 0x21:
                place = _after_blocks(data, place + 2)
            case 0x2C if place + 10 < len(data):
                place = _after_blocks(data, place + 11 + _table(data[place + 9]))
            case _:
                return False
    return False


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1

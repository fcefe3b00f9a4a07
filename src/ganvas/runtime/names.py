"""Make text safe to print, and expand paths that users give."""

import os
import re
import unicodedata
from pathlib import Path

from ganvas.runtime.system import PlaceError

# Characters that move the cursor, break a line or change the writing direction (UAX #9). The
# joiners of Indic scripts, also of category Cf, are part of words and stay.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNS = {*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"}

_ENDLESS = re.compile(r"(\S{150})\S+(\S{150})")


def printable(text: str) -> str:
    r"""Text with unprintable characters escaped, line breaks included: ESC becomes `\x1b`.

    Undecodable bytes in a name become `\xff`. Use it for all outside text that goes to a terminal
    or a log.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if _hidden(c) else c for c in text)


def condense(text: str) -> str:
    """Text with the middle of very long words removed, such as a path of 4,000 characters."""
    return _ENDLESS.sub(r"\1…\2", text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _TURNS


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that Python could not decode (PEP 383)
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def expand(path: str | Path) -> Path:
    """A path with `~` and `~name` expanded; raises PlaceError if that user is unknown."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise PlaceError(
            f"{printable(str(path))} cannot be used: nobody here has that home folder; "
            "write the path in full."
        ) from None


def absolute(path: str | Path) -> Path:
    """The absolute path, expanded; raises PlaceError as `expand` does."""
    return Path(os.path.abspath(expand(path)))

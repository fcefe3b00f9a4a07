"""What every source of pictures consists of: named entries, and files refused at first sight."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from ganvas.events import Refusal
from ganvas.images import Frame, Pixels

NO_PICTURES = {
    "text": ".txt .md .csv .tsv .json .jsonl .xml .yaml .yml .html .htm .py .log .srt .ini .pkl",
    "a film": ".mp4 .mov .avi .mkv .webm .m4v .mpg .mpeg .wmv",
    "a sound": ".mp3 .wav .flac .ogg .m4a .aac",
    "a document": ".pdf .doc .docx .odt .ppt .pptx .xls .xlsx .svg .ai .eps .psd .xcf",
    "an archive": ".zip .tar .gz .tgz .bz2 .xz .zst .7z .rar",
    "numbers": ".npy .npz .pt .pth .safetensors .onnx .h5 .parquet .db .bin",
    "a program": ".exe .dll .so .sh .bat",
}
_KIND = {ending: kind for kind, endings in NO_PICTURES.items() for ending in endings.split()}
_CLUTTER = {"thumbs.db", "desktop.ini", "__macosx"}


class Entry(Protocol):
    """One file that may be a picture."""

    @property
    def name(self) -> str:
        """Its place in the source, with forward slashes, the same on every system."""

    @property
    def stamp(self) -> str | None:
        """Changes when the content may have changed; None when a digest costs nothing."""

    def digest(self) -> str:
        """Tells contents apart; raises UnreadablePictureError."""

    def picture(self, frame: Frame) -> Pixels:
        """The decoded picture (height, width, channels); raises UnreadablePictureError."""


@dataclass(frozen=True)
class Found:
    """A source: entries in an order that only their names decide, refusals, and a usual size."""

    entries: Sequence[Entry]
    refused: tuple[Refusal, ...] = ()
    size: str = "64"


def plain_name(name: str) -> str:
    """A name as every system would write it: composed accents, and only characters that print."""
    printable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", printable)


def is_clutter(name: str) -> bool:
    """Whether systems put such a file or folder beside pictures without being asked."""
    return name.startswith(".") or name.lower() in _CLUTTER


def name_objection(name: str) -> str | None:
    """Why a file of that name is evidently no picture, if it is none."""
    ending = PurePosixPath(name).suffix.lower()
    return f"is not a picture ({ending}: {_KIND[ending]})" if ending in _KIND else None

"""The settings that a repainted PNG carries as text: writing them, and reading them back.

The pixels are not decoded for this. What is read is validated: the file may come from anywhere.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from ganvas import __version__
from ganvas.runtime.forms import FormError, Text, parse, validate
from ganvas.runtime.system import check_regular, reason
from ganvas.runtime.validation import SettingsError
from ganvas.style.images import place_of
from ganvas.style.regions import MaskPair
from ganvas.style.settings import StyleSettings

FACT = "ganvas.style"  # keyword of the PNG text that holds the settings
SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iTXt")  # PNG optimisers turn one into another
MOST_BYTES, MOST_CHUNKS = 2**20, 2**20
LONGEST_PATH = 4096


def _is_place(path: str) -> str:
    if not 0 < len(path) <= LONGEST_PATH or "\0" in path or Path(path).is_absolute():
        raise ValueError("it should be a path from where ganvas was called")
    return path


Place = Annotated[Text, AfterValidator(_is_place)]


@dataclass(frozen=True, config=ConfigDict(extra="ignore"))  # a newer ganvas may add fields
class StyleFacts:
    """The settings and the paths of the images, as they were typed.

    Of absolute paths only the file name is kept: it tells strangers nothing about this machine.
    """

    content: Place
    styles: Annotated[tuple[Place, ...], Field(min_length=1)]
    settings: StyleSettings
    masks: tuple[tuple[Place, Place | None], ...] = ()
    features: Place | None = None
    version: Text = __version__


_FORM = TypeAdapter(StyleFacts)


def facts_of(
    content: Path,
    styles: tuple[Path, ...],
    masks: tuple[MaskPair, ...],
    features: Path | None,
    settings: StyleSettings,
) -> dict[str, str]:
    """The text to store in an image that was stylized with these settings."""
    about = {
        "version": __version__,
        "content": shareable_path(content),
        "styles": [shareable_path(style) for style in styles],
        "masks": [[shareable_path(a), None if b is None else shareable_path(b)] for a, b in masks],
        "features": None if features is None else shareable_path(features),
        "settings": asdict(settings),
    }
    return {FACT: json.dumps(about)}


def shareable_path(path: Path) -> str:
    """A path as it is stored in an image: relative, or the file name alone."""
    return path.name if path.is_absolute() else path.as_posix()


def settings_in(image: Path) -> StyleFacts:
    """The settings stored in an image that ganvas stylized; raises SettingsError."""
    try:
        place = place_of(image)
        check_regular(place)
        with place.open("rb") as file:
            text = _text(file)
    except (_NoPngError, OSError, ValueError) as fault:
        why = f": {reason(fault)}" if isinstance(fault, OSError) else ""
        raise SettingsError(f"--like {image} cannot be read as a PNG image{why}.") from fault
    if text is None:
        raise SettingsError(
            f"--like {image}: it carries no settings; give a PNG that ganvas style has written."
        )
    try:
        return validate(_FORM, parse(text))
    except FormError as fault:
        raise SettingsError(
            f"--like {image}: its settings are damaged, or not of ganvas ({fault}); give another "
            "image, or set the options yourself."
        ) from fault


class _NoPngError(Exception):
    """A file that is not a valid PNG."""


def _text(file: BinaryIO) -> bytes | None:
    """The text under FACT in a PNG, wherever it stands; None if there is none."""
    wanted = FACT.encode() + b"\0"
    for kind, body in _texts(file):
        if body.startswith(wanted):
            return _decode(kind, body.removeprefix(wanted))
    return None


def _texts(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of every text chunk (ISO/IEC 15948, 5.3); others are skipped."""
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise _NoPngError
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size, kind = struct.unpack(">I4s", head)
        if kind not in TEXTS or size > MOST_BYTES:
            file.seek(size + 4, 1)
            continue
        body, check = file.read(size), file.read(4)
        if check != struct.pack(">I", zlib.crc32(kind + body)):
            raise _NoPngError
        yield kind, body


def _decode(kind: bytes, body: bytes) -> bytes:
    """The text itself, decompressed if necessary; validation rejects anything else later."""
    compressed = kind == b"zTXt"
    if kind == b"iTXt":
        compressed = body[:1] == b"\1"
        _, _, body = body[2:].partition(b"\0")  # the language
        _, _, body = body.partition(b"\0")  # the name in this language
    elif compressed:
        body = body[1:]  # the compression method: only one is defined
    if not compressed:
        return body
    try:
        return zlib.decompressobj().decompress(body, MOST_BYTES)
    except zlib.error as fault:
        raise _NoPngError from fault

"""Images that are dropped onto a page: stored under names of the studio's choosing, within limits.

They are decoded by `ganvas data`, the same tolerant loader that training uses, in a process of its
own with limits of memory and time. The studio itself never opens them.
"""

import json
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.system import system_errors

FILE, ARCHIVE = 64 * 2**20, 4 * 2**30  # bytes of an image, and of a zip
FILES, ALL = 50_000, 16 * 2**30  # files of an upload, and bytes of all of them
KEPT = 7 * 24 * 3600  # seconds for which an upload may wait to be used
MEMORY, SECONDS = 16 * 2**30, 900  # limits of the process that decodes
SAID = "ganvas: "  # before what a command says of a fault
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
ID = re.compile(r"[0-9a-f]{16}")


class UploadError(GanvasError, ValueError):
    """Files that cannot be taken; the message says which limit they exceed."""


@dataclass
class _Taken:
    """The numbers of an upload's files, and the bytes of all of them."""

    numbers: set[int]
    size: int


@dataclass(frozen=True)
class Uploads:
    """The uploads of a workspace, each a folder."""

    folder: Path
    _taken: dict[str, "_Taken"] = field(default_factory=dict)

    def begin(self) -> str:
        """A new, empty upload; its id."""
        name = secrets.token_hex(8)
        make_folder(self.folder / name / "images")
        return name

    def remove_unused(self, used: Collection[str]) -> None:
        """Remove the uploads that have waited for a week and are not among those that are used."""
        if not self.folder.is_dir():
            return
        for place in self.folder.iterdir():
            if not ID.fullmatch(place.name) or place.name in used:
                continue
            with suppress(OSError):  # what cannot be removed now is removed later
                if time.time() - max(p.stat().st_mtime for p in (place, place / "images")) > KEPT:
                    shutil.rmtree(place)

    def place(self, name: str) -> Path:
        """The folder of an upload; raises UploadError."""
        place = self.folder / name
        if not ID.fullmatch(name) or not (place / "images").is_dir():
            raise UploadError("there is no such upload.")
        return place

    async def take(self, name: str, number: int, title: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file: a number and an extension, whatever its own name says. Raises UploadError
        where it is too large, or there are too many."""
        images = self.place(name) / "images"
        extension = found[0].lower() if (found := EXTENSION.search(title)) else ""
        most = ARCHIVE if extension == ".zip" else FILE
        taken = self._taken_by(name)
        if number in taken.numbers:
            raise UploadError("a file of this number has been taken already.")
        if len(taken.numbers) >= FILES:
            raise UploadError(f"an upload has at most {FILES:,} files; give them as one .zip.")
        taken.numbers.add(number)
        path = images / f"{number:06d}{extension}"
        written = 0
        with system_errors(path):
            try:
                with path.open("xb") as file:
                    async for chunk in chunks:
                        written += len(chunk)
                        taken.size += len(chunk)
                        if written > most or taken.size > ALL:
                            raise UploadError(
                                f"a file may have {most / 2**20:,.0f} MB, and all of them "
                                f"{ALL / 2**30:.0f} GB."
                            )
                        file.write(chunk)
            except BaseException:  # whoever sends it may go away, and the disk may be full
                path.unlink(missing_ok=True)
                taken.numbers.discard(number)
                taken.size -= written
                raise

    def _taken_by(self, name: str) -> "_Taken":
        """What an upload holds, counted once and kept: it may have very many files."""
        if name not in self._taken:
            files = [*(self.place(name) / "images").iterdir()]
            numbers = {int(path.stem) for path in files}
            self._taken[name] = _Taken(numbers, sum(path.stat().st_size for path in files))
        return self._taken[name]

    def source(self, name: str) -> Path:
        """What training gets of an upload: the archive if it is one, else the folder."""
        images = self.place(name) / "images"
        files = [*images.iterdir()]
        if len(files) == 1 and files[0].suffix == ".zip":
            return files[0]
        return images

    def look(self, name: str, size: str) -> dict[str, Any]:
        """How training would see an upload: `ganvas data`, with a contact sheet beside it."""
        return looked_at(str(self.source(name)), size, self.place(name) / "sheet.png")

    def sheet(self, name: str) -> Path:
        """The contact sheet of an upload that has been looked at; raises UploadError."""
        path = self.place(name) / "sheet.png"
        if not path.is_file():
            raise UploadError("there is no contact sheet of it yet.")
        return path


def looked_at(source: str, size: str, sheet: Path) -> dict[str, Any]:
    """What `ganvas data` says of images, in a process with limits; it writes the contact sheet."""
    command = [sys.executable, "-m", "ganvas", "data", source, "--json"]
    command += ["--size", size, "--sheet", str(sheet)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _limit(process.pid)
    try:
        said, fault = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise UploadError("these images take too long to decode; use fewer.") from None
    if process.returncode:
        last = ["", *fault.decode("utf-8", "replace").strip().splitlines()][-1]
        sentence = last.removeprefix(SAID)
        if sentence == last:  # it did not get as far as to say what is wrong
            sentence = (
                f"these images cannot be decoded ({last or process.returncode}) with "
                f"{MEMORY / 2**30:.0f} GB of memory; use fewer or smaller ones."
            )
        raise UploadError(sentence.replace(source, "what you gave"))
    report: dict[str, Any] = json.loads(said)
    report.pop("source", None)
    return report


def _limit(process: int) -> None:
    """Limit the memory of a process, where the system can."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(process, resource.RLIMIT_AS, (MEMORY, MEMORY))

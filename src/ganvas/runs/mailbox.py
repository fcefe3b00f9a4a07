"""Commands of other processes to a run, as files in its directory.

RUN/commands/TIME-ID.json is a command, written atomically by its sender: read in the order of their
times, between two steps. RUN/commands/TIME-ID.answer is what became of it; its sender removes it.
This is the only way in which another process changes a run: `ganvas steer` and others send the same
files, and the run puts the commands of several senders in one order.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ganvas.checkpoints.run_dir import RunDir
from ganvas.runs.control import (
    STOPPED,
    Answer,
    Command,
    Label,
    Pause,
    Reply,
    Resume,
    Save,
    Set,
    Stop,
)
from ganvas.runs.errors import RunError
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.forms import FormError, parse, rebuild
from ganvas.runtime.locking import is_locked
from ganvas.runtime.names import printable
from ganvas.runtime.system import PlaceError, read_regular

EVERY = 0.25  # seconds from one look into the folder to the next
LOOK = 0.05  # seconds from one look for an answer to the next
CHECK = 1.0  # seconds from one check that the run still lives to the next
LONGEST = 4096  # bytes of a command
COMMANDS: dict[str, type[Command]] = {
    kind.name: kind for kind in (Save, Pause, Resume, Stop, Set, Label)
}
_ANSWER = TypeAdapter(Answer)
LABEL = 200  # characters


class NotRunningError(RunError):
    """A run to which a command was sent, and which does not train."""


class FolderMailbox:
    """The run's side: what has arrived, and the answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._due = 0.0
        self._taken: set[str] = set()  # obeyed once, even if their files cannot be removed

    def clear(self) -> None:
        """Remove what was left for an earlier process."""
        for path in [*_files(self.folder, "*.json"), *_files(self.folder, "*.answer")]:
            with suppress(OSError):
                path.unlink()

    def collect(self) -> list[tuple[Command, Reply]]:
        """The commands that have arrived; what is no command is answered at once."""
        if time.monotonic() < self._due:
            return []
        self._due = time.monotonic() + EVERY
        found: list[tuple[Command, Reply]] = []
        for path in _files(self.folder, "*.json"):
            if path.name in self._taken:
                continue
            self._taken.add(path.name)
            reply = partial(self._answer, path)
            try:
                found.append((decode(_read(path)), reply))
            except (FormError, OSError) as fault:
                reply(Answer(0, f"{printable(path.name)} is no command: {fault}."))
        return found

    def _answer(self, path: Path, answer: Answer) -> None:
        # The run goes on, whether its sender can be answered or not.
        with suppress(PlaceError, OSError):
            if path.exists():  # its sender may have given up
                write_text(path.with_suffix(".answer"), json.dumps(asdict(answer)))
            path.unlink(missing_ok=True)


def encode(command: Command) -> str:
    """A command as JSON."""
    content = {} if isinstance(command, Stop) else asdict(command)
    return json.dumps({"command": command.name, **content})


def decode(data: bytes) -> Command:
    """The command of what `encode` gave; raises FormError."""
    content = parse(data)
    if not isinstance(content, dict):
        raise FormError("it is not an object")
    kind = COMMANDS.get(str(content.pop("command", None)))
    if kind is None:
        raise FormError(f"its command is none of {', '.join(COMMANDS)}")
    if kind is Stop:
        return Stop(STOPPED)
    form: TypeAdapter[Any] = TypeAdapter(kind)
    command: Command = rebuild(form, content)
    if isinstance(command, Label) and not 0 < len(command.text) <= LABEL:
        raise FormError(f"a label has 1 to {LABEL} characters")
    return command


def ask(folder: RunDir, command: Command, waiting: Callable[[], object] = lambda: None) -> Answer:
    """Send a command to a run that another process trains, and wait for its answer.

    It is answered between two steps. `waiting` is called about once a second until then. Raises
    NotRunningError, also if the run ends before it has answered, and PlaceError.
    """
    if is_locked(folder.path) is False:
        raise NotRunningError(_not_running(folder))
    make_folder(folder.commands)
    path = folder.commands / f"{time.time_ns():020d}-{secrets.token_hex(4)}.json"
    write_text(path, encode(command))
    try:
        for answer in _answers(path.with_suffix(".answer")):
            if answer is not None:
                return answer
            if is_locked(folder.path) is False:
                raise NotRunningError(_not_running(folder))
            waiting()
    finally:  # an answered one is gone already
        path.unlink(missing_ok=True)
    raise AssertionError("answers never end")


def _answers(path: Path) -> Iterator[Answer | None]:
    """The answer once it is there; None about once a second until then."""
    check = time.monotonic() + CHECK
    while True:
        with suppress(FileNotFoundError, FormError):
            answer = rebuild(_ANSWER, parse(path.read_bytes()))
            path.unlink(missing_ok=True)
            yield answer
        if time.monotonic() >= check:
            check = time.monotonic() + CHECK
            yield None
        time.sleep(LOOK)


def _not_running(folder: RunDir) -> str:
    shown = printable(str(folder.path))
    return f"{shown} is not being trained; go on with it by ganvas train --resume --out {shown}."


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names match, in their order; none if it cannot be read."""
    try:
        return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    except OSError:
        return []


def _read(path: Path) -> bytes:
    data = read_regular(path)
    if len(data) > LONGEST:
        raise FormError(f"it has more than {LONGEST:,} bytes")
    return data

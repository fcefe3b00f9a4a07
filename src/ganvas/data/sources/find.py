"""Resolve what a user typed to a source of images, and open it.

`digits` means a folder of that name if there is one, else the built-in set. `locate` turns it into
a name that means the same from any folder at any time, which run.yaml stores; `find` opens it.
"""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from ganvas.data.sources.archive import archive
from ganvas.data.sources.builtin import SOURCES
from ganvas.data.sources.entry import Found, is_clutter
from ganvas.data.sources.folder import folder, is_run
from ganvas.registry import UnknownNameError, did_you_mean
from ganvas.runtime.names import absolute, expand, printable
from ganvas.runtime.system import system_errors
from ganvas.runtime.validation import ArgumentError, quote

BUILTIN_PREFIX = "builtin:"
KINDS = "folder, .zip archive or built-in set of images"


def locate(typed: str | Path, argument: str = "source") -> str:
    """The bare name of a built-in set, or the absolute path of a folder or archive.

    A folder that is not empty takes precedence over a built-in set of its name, unless it is a run
    directory; `builtin:digits` is always the built-in set. Raises UnknownNameError if there is no
    such source, PlaceError if the system denies access, and ArgumentError, which names the
    `argument`, for what is no name at all.
    """
    if not isinstance(typed, str | Path) or not str(typed):
        raise ArgumentError(f"{argument} must be a {KINDS}, not {quote(repr(typed))}.")
    name = str(typed)
    bare = name.removeprefix(BUILTIN_PREFIX)
    if bare in SOURCES and (bare != name or not _wins(Path(name))):
        return bare
    _check(expand(name), name)
    return str(absolute(name))


def stored(written: str | Path) -> str:
    """The source that a file of settings names, as run.yaml stores it: there a bare name, with
    `builtin:` or without, always is the built-in set. Whether anything is there `find` will say."""
    bare = str(written).removeprefix(BUILTIN_PREFIX)
    return bare if bare in SOURCES else str(absolute(written))


def find(source: str | Path) -> AbstractContextManager[Found]:
    """Open a built-in set by its name, a folder or a .zip archive; `./digits` is a folder.

    Raises UnknownNameError if there is no such source, BadArchiveError for a broken archive.
    """
    if isinstance(source, str) and source.removeprefix(BUILTIN_PREFIX) in SOURCES:
        return SOURCES[source.removeprefix(BUILTIN_PREFIX)].open()
    path = expand(source)
    _check(path, str(source))
    return folder(path) if path.is_dir() else archive(path)


def passed_by(typed: object) -> str | None:
    """The notice that a bare name means a built-in set although a folder has that name too."""
    if typed not in SOURCES or not os.path.isdir(str(typed)) or _wins(Path(str(typed))):
        return None
    return f"Using the built-in {typed}; write ./{typed} for the folder of that name."


def _check(path: Path, name: str) -> None:
    """Raise UnknownNameError unless the path is a folder or an archive."""
    with system_errors(path):
        is_folder, exists = path.is_dir(), path.exists()
    if is_folder or (exists and path.suffix.lower() == ".zip"):
        return
    if exists:
        ours = f"; {BUILTIN_PREFIX}{name} comes with ganvas" if name in SOURCES else ""
        raise UnknownNameError(
            f"'{printable(name)}' is neither a folder nor a .zip archive of images{ours}"
        )
    if name in SOURCES:
        raise UnknownNameError(
            f"'{name}' is a link to nothing; {BUILTIN_PREFIX}{name} comes with ganvas"
        )
    hint = did_you_mean(name, SOURCES)
    raise UnknownNameError(f"there is no {KINDS} called '{printable(name)}'{hint}")


def _wins(path: Path) -> bool:
    """Whether a path takes precedence over a built-in set of its name.

    It does if it is a file, or a folder that is neither empty nor a run directory.
    """
    with system_errors(path):
        if os.path.lexists(path) and not path.is_dir():
            return True
        names = set(os.listdir(path)) if path.is_dir() else set()
    return not is_run(names) and any(not is_clutter(name) for name in names)

"""From what a person typed to a source of images, and from its name to what it holds.

A person who types `digits` means a folder of that name where there is one, and the set that comes
with ganvas elsewhere. What `locate` makes of it means the same from any folder and on any day, and
is what run.yaml keeps; `find` opens it.
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

    A folder that holds something wins over a built-in set of its name, unless it is the folder of a
    run; `builtin:digits` is always the built-in set. Raises UnknownNameError where there is no such
    thing, PlaceError where the system does not let anyone look, and ArgumentError, which names the
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


def find(source: str | Path) -> AbstractContextManager[Found]:
    """Open a built-in set by its name, a folder or a .zip archive; `./digits` is a folder.

    Raises UnknownNameError when there is no such thing, BadArchiveError for a broken archive.
    """
    if isinstance(source, str) and source.removeprefix(BUILTIN_PREFIX) in SOURCES:
        return SOURCES[source.removeprefix(BUILTIN_PREFIX)].open()
    path = expand(source)
    _check(path, str(source))
    return folder(path) if path.is_dir() else archive(path)


def passed_by(typed: object) -> str | None:
    """What to say where a bare name means a built-in set, and a folder has that name too."""
    if typed not in SOURCES or not os.path.isdir(str(typed)) or _wins(Path(str(typed))):
        return None
    return f"The {typed} that come with ganvas are meant; ./{typed} names the folder that is here."


def _check(path: Path, name: str) -> None:
    """Raises UnknownNameError unless a folder or an archive lies there."""
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
    """Whether somebody may mean this place by its name: a file, or a folder that holds something,
    and no run."""
    with system_errors(path):
        if os.path.lexists(path) and not path.is_dir():
            return True
        names = set(os.listdir(path)) if path.is_dir() else set()
    return not is_run(names) and any(not is_clutter(name) for name in names)

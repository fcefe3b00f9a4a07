"""From what the user typed to a source of pictures."""

from contextlib import AbstractContextManager
from pathlib import Path

from ganvas.data.archive import archive
from ganvas.data.builtin import SOURCES
from ganvas.data.entry import Found
from ganvas.data.folder import folder
from ganvas.registry import UnknownNameError, did_you_mean


def find(source: str | Path) -> AbstractContextManager[Found]:
    """Open a built-in set by its name, a folder or a .zip archive; `./digits` is a folder.

    Raises UnknownNameError when there is no such thing, BadArchiveError for a broken archive.
    """
    if isinstance(source, str) and source in SOURCES:
        return SOURCES[source].open()
    path, name = Path(source).expanduser(), str(source)
    if path.is_dir():
        return folder(path)
    if path.suffix.lower() == ".zip" and path.exists():
        return archive(path)
    if path.exists():
        raise UnknownNameError(f"{name!r} is neither a folder nor a .zip archive of pictures")
    kind = "folder, .zip archive or built-in set of pictures"
    raise UnknownNameError(f"there is no {kind} called {name!r}{did_you_mean(name, SOURCES)}")

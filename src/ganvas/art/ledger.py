"""What has been made already, and of what: a step is done again only if that has changed."""

import json
from hashlib import blake2b
from pathlib import Path

from ganvas.runtime.atomic import write_text

FILE = "made.json"


def fingerprint(*parts: object) -> str:
    """A digest of files (bytes) and settings (anything else)."""
    found = blake2b(digest_size=12)
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


class Ledger:
    """The files of a folder, each with what it was made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            content = json.loads((folder / FILE).read_text("utf-8"))
            self._made = {str(name): str(of) for name, of in content.items()}
        except (OSError, ValueError, AttributeError):  # there is none yet, or it is damaged
            self._made = {}

    def stands(self, path: Path, of: str) -> bool:
        """Whether a file is there, and of what is wanted; one that is not known is somebody's own,
        and stands too."""
        return path.exists() and self._made.get(self._name(path), of) == of

    def made(self, folder: Path, of: str) -> list[Path]:
        """What was made of this in a folder, whether it is there now or has been deleted."""
        paths = [self.folder / name for name, known in self._made.items() if known == of]
        return [path for path in paths if path.parent == folder]

    def add(self, path: Path, of: str) -> None:
        """A file has been made."""
        self._made[self._name(path)] = of
        write_text(self.folder / FILE, json.dumps(self._made, indent=1))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

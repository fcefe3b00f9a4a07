"""The folder in which the studio finds runs and puts new ones. Clients name runs by opaque ids, and
nothing that they send is ever joined to a path."""

import os
import re
import shutil
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ganvas.checkpoints.run_dir import RunDir
from ganvas.errors import GanvasError
from ganvas.runs.listing import Listed, describe, disk_use, find_runs
from ganvas.runtime.atomic import make_folder
from ganvas.runtime.locking import is_locked
from ganvas.runtime.system import system_errors
from ganvas.training.callbacks.samples import GRID

OWN, TRASH, UPLOADS = ".studio", ".trash", "uploads"
NAME = re.compile(r"[^-. /\\<>:\"|?*][^/\\<>:\"|?*]{0,79}")  # on any file system
LONGEST = 200  # bytes of a name: in the trash it gets a date
# Folders of runs and of the studio, and names that Windows keeps for devices.
RESERVED = {
    "checkpoints",
    "samples",
    "search",
    "commands",
    "styled",
    "con",
    "prn",
    "aux",
    "nul",
} | {f"{device}{number}" for device in ("com", "lpt") for number in range(10)}
KNOWN = 2.0  # seconds for which the list of runs is not looked for again
MEASURED = 30.0  # seconds for which the size of a run is not measured again


class UnknownRunError(GanvasError, LookupError):
    """No run of the workspace has this id."""


class WorkspaceError(GanvasError, ValueError):
    """Something that cannot be done to a run now, or a name that a run cannot have."""


class Workspace:
    """A folder with runs."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._found: dict[str, RunDir] = {}
        self._until = 0.0
        self._sizes: dict[str, tuple[float, int]] = {}  # until when, and bytes

    @property
    def own(self) -> Path:
        """The studio's folder in it."""
        return self.root / OWN

    @property
    def uploads(self) -> Path:
        """Where images are that were dropped onto a page."""
        return self.own / UPLOADS

    def used_uploads(self) -> set[str]:
        """The uploads that runs learn from, those in the trash among them."""
        trash = self.root / TRASH
        away = [RunDir(place) for place in trash.iterdir()] if trash.is_dir() else []
        found = set()
        for run in (*self.runs(fresh=True).values(), *away):
            with suppress(OSError):
                text = run.settings.read_text("utf-8", "replace")
                found |= set(re.findall(rf"{UPLOADS}[/\\]+([0-9a-f]{{16}})\b", text))
        return found

    def id_of(self, run: RunDir) -> str:
        """An opaque name, the same at each start."""
        return sha256(
            str(run.path.relative_to(self.root)).encode("utf-8", "surrogateescape")
        ).hexdigest()[:16]

    def runs(self, fresh: bool = False) -> dict[str, RunDir]:
        """All runs by id."""
        if fresh or time.monotonic() > self._until:
            self._found = {self.id_of(run): run for run in find_runs(self.root)}
            self._until = time.monotonic() + KNOWN
        return self._found

    def run(self, name: str) -> RunDir:
        """The run of an id; raises UnknownRunError."""
        for fresh in (False, True):
            if (found := self.runs(fresh).get(name)) is not None:
                return found
        raise UnknownRunError("there is no such run in this workspace.")

    def described(self, name: str) -> dict[str, object]:
        """What a run's files say of it, for a client: no absolute paths."""
        run = self.run(name)
        found: Listed = describe(run, self._disk_use(name, run))
        return {
            **found.as_json(),
            "id": name,
            "path": run.path.relative_to(self.root).as_posix(),
            "thumbnail": found.thumbnail and found.thumbnail.name,
        }

    def _disk_use(self, name: str, run: RunDir) -> int:
        """The bytes of a run, measured twice a minute at most: it has many files."""
        until, size = self._sizes.get(name, (0.0, 0))
        if time.monotonic() > until:
            size = disk_use(run.path)
            self._sizes[name] = (time.monotonic() + MEASURED, size)
        return size

    def samples(self, name: str) -> list[str]:
        """The file names of a run's sample grids, in the order of images shown."""
        folder = self.run(name).samples
        with system_errors(folder):
            files = [*folder.iterdir()] if folder.is_dir() else []
        return sorted((f.name for f in files if GRID.fullmatch(f.name)), key=lambda n: int(n[:-4]))

    def sample(self, name: str, file: str) -> Path:
        """A sample grid of a run; raises UnknownRunError."""
        if file not in self.samples(name):
            raise UnknownRunError("there is no such sample.")
        return self.run(name).samples / file

    def place_for(self, name: str) -> Path:
        """Where a new run of this name goes; raises WorkspaceError."""
        if not NAME.fullmatch(name) or not name.isprintable() or name[-1] in " .":
            raise WorkspaceError(
                "a run's name has 1 to 80 characters, none of them a slash or one of "
                '< > : " | ? *; it begins with no dot or dash, and ends with no dot.'
            )
        if len(os.fsencode(name)) > LONGEST or name.partition(".")[0].casefold() in RESERVED:
            raise WorkspaceError(f"no run can be called {name}; choose another, shorter name.")
        place = self.root / name
        if os.path.lexists(place):
            raise WorkspaceError(f"there is a {name} already; choose another name.")
        return place

    def throw_away(self, name: str) -> Path:
        """Move a run to the workspace's trash; raises WorkspaceError while it trains."""
        run = self.run(name)
        if run.path == self.root:
            raise WorkspaceError("the workspace itself is this run; open the studio above it.")
        for one in find_runs(run.path):  # itself, and those that lie in it
            if is_locked(one.path):
                raise WorkspaceError(f"{one.path.name} is being trained; stop it first.")
        trash = self.root / TRASH
        make_folder(trash)
        goal = trash / f"{run.path.name}-{time.strftime('%Y%m%d-%H%M%S')}-{name[:4]}"
        with system_errors(run.path):
            shutil.move(run.path, goal)
        self._until = 0.0
        return goal

"""Follow a run from its files alone, whoever trains it and wherever.

The metrics log is read on from a position, so that nothing is lost and nothing is read twice. A
position says how far a reader has come and what stood just before; when a run is resumed from an
earlier checkpoint its log is rewritten, and a position in what no longer exists is recognised.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from ganvas.checkpoints.run_dir import RunDir
from ganvas.runs import status as status_file
from ganvas.runs.status import Status
from ganvas.runtime.locking import is_locked
from ganvas.training.callbacks.log import content

EVERY = 1.0  # seconds from one look to the next, at least
BEFORE = 64  # bytes before a position by which it is recognised
MOST = 2**22  # bytes that are read at once


@dataclass(frozen=True)
class News:
    """What has been added to a metrics log since a position.

    `again` says that the log has been rewritten since, so that `lines` begin with its first one.
    """

    lines: list[dict[str, Any]]
    position: str
    again: bool = False
    more: bool = False  # whether there is more to be read at once


def news(folder: RunDir, after: str = "") -> News:
    """The lines of a run's metrics log after a position that an earlier call gave; "" is the
    beginning. A line that is not yet complete is left for the next call.
    """
    try:
        file = os.open(folder.metrics_log, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return News([], "", again=bool(after))
    with os.fdopen(file, "rb") as log:
        size = os.fstat(log.fileno()).st_size
        offset, _, mark = after.partition("-")
        start = int(offset) if offset.isdecimal() else 0
        again = bool(after) and (start > size or _mark(log, start) != mark)
        start = 0 if again else start
        log.seek(start)
        data = log.read(MOST)
        # What has no break for so long is no line: it is passed over.
        whole = data.rfind(b"\n") + 1 or (len(data) if len(data) == MOST else 0)
        found = [line for raw in data[:whole].splitlines() if (line := content(raw)) is not None]
        end = start + whole
        return News(
            [dict(line) for line in found],
            f"{end}-{_mark(log, end)}",
            again,
            end < size and whole > 0,
        )


def position_at(folder: RunDir, offset: int) -> str:
    """The position after so many bytes of a run's metrics log, for `news`; "" if there is none."""
    with suppress(OSError), folder.metrics_log.open("rb") as log:
        return f"{offset}-{_mark(log, offset)}"
    return ""


def follow(
    folder: RunDir, after: str = "", sleep: Callable[[float], object] = time.sleep
) -> Iterator[tuple[News, Status | None]]:
    """News and status of a run, about once a second, until it no longer trains.

    Yields once for a run that has ended.
    """
    while True:
        alive = is_locked(folder.path) is not False
        found = news(folder, after)
        while found.more:
            yield found, None
            found = news(folder, found.position)
        yield found, status_file.read(folder.status)
        after = found.position
        if not alive:
            return
        sleep(EVERY)


def _mark(log: Any, offset: int) -> str:
    """What stands before an offset, in a few characters."""
    with suppress(OSError):
        log.seek(max(0, offset - BEFORE))
        return f"{crc32(log.read(min(BEFORE, offset))):08x}"
    return ""

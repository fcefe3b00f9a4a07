"""Output paths for the photographs of a folder: unique on any file system.

They depend on the names alone, so that a stopped batch finds its results when it is resumed.
"""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

LONGEST = 255  # bytes of a name, on nearly every file system
MARK = 4  # bytes of the digest that makes names unique

# All files that are written for an image with this output path.
Family = Callable[[Path], Iterable[Path]]


def plan_targets(places: Sequence[Path], family: Family) -> dict[Path, Path]:
    """A target for each place, both relative to their folders.

    a/b.jpg becomes a/b.png; a/b.jpg.png if another photograph's result would have that name; a name
    with a digest if that is taken, too. Names that differ only in case or in how accents are
    composed count as equal: some file systems do not tell them apart.
    """
    tries = dict.fromkeys(places, 0)
    folders = {_key(folder) for place in places for folder in place.parents}
    while True:
        targets = {place: _target(place, number, family) for place, number in tries.items()}
        claims = defaultdict[str, set[Path]](set)
        for place, target in targets.items():
            for path in family(target):
                claims[_key(path)].add(place)
        moving = set[Path]()
        for key, claimants in claims.items():
            if len(claimants) > 1 or key in folders:
                fewest = min(tries[place] for place in claimants)
                moving |= {place for place in claimants if tries[place] == fewest}
        if not moving:
            return targets
        for place in moving:
            tries[place] += 1


def _target(place: Path, number: int, family: Family) -> Path:
    """The first, second, third... choice for a place, within the length limit of names."""
    mark = blake2b(f"{number}{place.as_posix()}".encode("utf-8", "surrogateescape"))
    digest = mark.hexdigest()[: 2 * MARK]
    if number == 0:
        target = place.with_suffix(".png")
    elif number == 1:
        target = place.with_name(f"{place.name}.png")
    else:
        target = place.with_name(f"{place.name}-{digest}.png")
    longest = max(len(os.fsencode(path.name)) for path in family(target))
    if longest <= LONGEST:
        return target
    stem = os.fsencode(target.stem)
    kept = stem[: len(stem) - (longest - LONGEST) - 2 * MARK - 1]
    return target.with_name(f"{kept.decode('utf-8', 'ignore')}-{digest}.png")


def _key(path: Path) -> str:
    decomposed = unicodedata.normalize("NFD", path.as_posix())
    return unicodedata.normalize("NFC", decomposed.casefold())

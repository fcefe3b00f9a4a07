"""Classes of pictures, from the folders that they lie in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import GanvasError

LabelsName = Literal["none", "folders"]
MOST = 1000


class LabelsError(GanvasError, ValueError):
    """Pictures whose folders do not say what they show."""


@dataclass(frozen=True)
class Classes:
    """What there is, and which of it each picture shows."""

    names: tuple[str, ...]
    of: NDArray[np.int64]  # the number of a name, one a picture


def by_folder(source: str, names: Sequence[str]) -> Classes:
    """The first folder of each picture's name is its class; raises LabelsError."""
    if loose := [name for name in names if "/" not in name]:
        raise LabelsError(
            f"{loose[0]} in {source} lies in no folder; with --labels folders every picture lies "
            "in one named after what it shows."
        )
    folders = [name.split("/", 1)[0] for name in names]
    found = tuple(sorted(set(folders)))
    if not 2 <= len(found) <= MOST:
        raise LabelsError(
            f"{source} has {len(found)} folders of pictures; --labels folders takes 2 to {MOST:,}, "
            "one for each class."
        )
    numbers = {name: number for number, name in enumerate(found)}
    return Classes(found, np.array([numbers[folder] for folder in folders], np.int64))

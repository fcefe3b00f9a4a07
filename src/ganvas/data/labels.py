"""Classes of images, from the folders that they lie in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import GanvasError
from ganvas.runtime.names import printable

LabelsName = Literal["none", "folders"]
MOST = 1000
PARTS = {
    "train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval",
    "evaluation",
}  # fmt: skip
"""Folder names of the splits of a data set, which are not classes."""
BESIDE = re.compile(r"^(seg|my)[_-]|[_-]?(set|data|images|imgs|split)$")  # affixes of such names
SHARED = 2  # folder names common to all parts, from which they count as splits


class LabelsError(GanvasError, ValueError):
    """Images whose folders cannot serve as classes."""


@dataclass(frozen=True)
class Classes:
    """Class names, and the class of each image."""

    names: tuple[str, ...]
    of: NDArray[np.int64]  # index into `names`, one per image


def by_folder(source: str, names: Sequence[str]) -> Classes:
    """Classes from the folder of each image; raises LabelsError.

    The class folders may lie in a common folder, as in many archives, and in splits such as train
    and test, which are merged. Folders below a class folder belong to its class.
    """
    places = [tuple(name.split("/")) for name in names]
    while _is_above_classes(places):
        places = [place[1:] for place in places]
    where = printable(source)
    for name, place in zip(names, places, strict=True):
        if len(place) < 2:
            raise LabelsError(
                f"{name} in {where} lies in no folder of a class; --labels folders needs every "
                "image in a folder named after its class (--only 'train/*' uses only the images "
                "below train)."
            )
    folders = [place[0] for place in places]
    found = tuple(sorted(set(folders)))
    if not 2 <= len(found) <= MOST:
        there = f"{len(found):,} folders" if found[1:] else f"1 folder of images, {found[0]}"
        raise LabelsError(
            f"{where} has {there}; --labels folders takes 2 to {MOST:,}, one for each class: name "
            "the folder that holds them, or omit --labels."
        )
    numbers = {name: number for number, name in enumerate(found)}
    return Classes(found, np.array([numbers[folder] for folder in folders], np.int64))


def _is_part(name: str) -> bool:
    return BESIDE.sub("", name.lower()) in PARTS


def _share_folders(first: set[str], places: Sequence[tuple[str, ...]]) -> bool:
    """Whether all first folders but one are named like splits, and share folders.

    Trains, buses and cars by day and by night are classes: only one of them is named like a split.
    """
    inside = [{place[1] for place in places if place[0] == one and len(place) > 2} for one in first]
    parts = sum(map(_is_part, first))
    return 0 < parts == len(first) - 1 and len(set.intersection(*inside)) >= SHARED


def _is_above_classes(places: Sequence[tuple[str, ...]]) -> bool:
    """Whether the first folders are no classes: a single common folder, or splits."""
    first = {place[0] for place in places if len(place) > 1}
    divided = bool(first) and (all(map(_is_part, first)) or _share_folders(first, places))
    loose = any(len(place) == 1 for place in places)
    deeper = any(len(place) > 2 for place in places)
    return deeper and not loose and (divided or len(first) == 1)

"""What became of a folder: how many pictures can be used, which cannot, and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from ganvas.data.dataset import Pictures
from ganvas.events import Refusal
from ganvas.imaging import Pixels
from ganvas.imaging.grid import grid
from ganvas.runtime.names import printable


@dataclass(frozen=True)
class Report:
    """Usable and refused pictures of a source; `reasons` counts the refusals, most common first,
    `classes` the pictures of each class."""

    source: str
    key: str
    usable: int
    channels: int
    height: int
    width: int
    mirror: bool
    reasons: Mapping[str, int]
    refused: tuple[Refusal, ...]
    classes: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Plain dictionaries and lists, ready for `json.dumps`, and text that is all Unicode."""
        told = {**asdict(self), "refused": [asdict(refusal) for refusal in self.refused]}
        return {**told, "source": _unicode(self.source)}


def report(pictures: Pictures) -> Report:
    """The report about prepared pictures."""
    reasons = Counter(refusal.reason for refusal in pictures.refused)
    channels, height, width = pictures.shape
    return Report(
        source=pictures.source,
        key=pictures.key,
        usable=pictures.usable,
        channels=channels,
        height=height,
        width=width,
        mirror=pictures.mirror,
        reasons=dict(reasons.most_common()),
        refused=pictures.refused,
        classes=pictures.counts,
    )


def _unicode(text: str) -> str:
    """The text itself, unless it holds bytes that are no text, as names of files may."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return printable(text)
    return text


def contact_sheet(pictures: Pictures, limit: int = 64) -> Pixels:
    """Up to `limit` pictures, evenly spread over the source, in one picture (height, width, 3)."""
    count = min(limit, pictures.usable)
    numbers = np.linspace(0, pictures.usable - 1, count).round().astype(np.int64)
    return grid(pictures.batch(numbers), columns=int(np.ceil(np.sqrt(count))))

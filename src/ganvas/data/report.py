"""Report how many images of a source can be used, which cannot, and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from ganvas.data.dataset import ImageDataset
from ganvas.events import Refusal
from ganvas.imaging import Pixels
from ganvas.imaging.grid import grid
from ganvas.runtime.names import printable


@dataclass(frozen=True)
class DataReport:
    """Usable and refused images of a source.

    `reasons` counts the refusals, most common first, `classes` the images of each class.
    """

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
        """Plain dictionaries and lists with valid Unicode text, ready for `json.dumps`."""
        content = {**asdict(self), "refused": [asdict(refusal) for refusal in self.refused]}
        return {**content, "source": _unicode(self.source)}


def report(dataset: ImageDataset) -> DataReport:
    """The report on prepared images."""
    reasons = Counter(refusal.reason for refusal in dataset.refused)
    channels, height, width = dataset.shape
    return DataReport(
        source=dataset.source,
        key=dataset.key,
        usable=dataset.usable,
        channels=channels,
        height=height,
        width=width,
        mirror=dataset.mirror,
        reasons=dict(reasons.most_common()),
        refused=dataset.refused,
        classes=dataset.counts,
    )


def _unicode(text: str) -> str:
    """The text itself, with bytes that are no valid text escaped, as file names may hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return printable(text)
    return text


def contact_sheet(dataset: ImageDataset, limit: int = 64) -> Pixels:
    """Up to `limit` images, evenly spread over the source, in one image (height, width, 3)."""
    count = min(limit, dataset.usable)
    numbers = np.linspace(0, dataset.usable - 1, count).round().astype(np.int64)
    return grid(dataset.batch(numbers), columns=int(np.ceil(np.sqrt(count))))

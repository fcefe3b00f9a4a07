"""What training asks of a set: pictures, a part of them, or made-up points."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Learnable(Protocol):
    """Equal-sized pictures by their number, from 0 to the length."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        ...

    @property
    def usable(self) -> int:
        """How many there are, mirror images not counted."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what they show, if that is known."""
        ...

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[Any]:
        """The pictures of these numbers (count, height, width, channels), from 0 to 255."""
        ...

    def labels(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """One-hot classes (count, classes) of the pictures of these numbers."""
        ...

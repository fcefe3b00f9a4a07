"""The size and form that images are brought to, and the colour behind transparent ones."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

Pixels = NDArray[np.uint8]
Fit = Literal["crop", "pad", "stretch"]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Frame:
    """The size and form that images are brought to.

    `fit` says what happens to another aspect ratio: `crop` keeps the largest centred area, `pad`
    adds borders of `background` (transparent ones with 4 channels), `stretch` distorts. 1 channel
    is luminance. With 1 or 3 channels transparent images are laid on `background`. `most_aspect` is
    the largest ratio of an image's sides that is taken, and `enlarge` whether smaller images are
    taken too. Raises ValueError if `background` is no colour.
    """

    height: int
    width: int
    channels: int = 3
    fit: Fit = "crop"
    background: str = "white"
    most_aspect: float | None = None
    enlarge: bool = True

    def __post_init__(self) -> None:
        colour(self.background)


def colour(name: str) -> Colour:
    """Red, green and blue of "white" or "#ffcc00"; raises ValueError if it is no opaque colour."""
    with suppress(ValueError):
        values = ImageColor.getrgb(name)
        if len(values) == 3:
            return values
    raise ValueError(f"background must be a colour such as white or #ffcc00, not {name!r}")

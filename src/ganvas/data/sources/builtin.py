"""Images that come with ganvas: nothing needs to be downloaded."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from PIL import Image

from ganvas.data.sources.archive import archive
from ganvas.data.sources.entry import Found
from ganvas.imaging import Frame, Pixels, fit
from ganvas.runtime.assets import ASSETS

BORDER = 2  # black pixels around a digit: pads 28 x 28 to 32 x 32, the usual size for networks


@dataclass(frozen=True)
class Builtin:
    """A set of images that comes with ganvas: its summary, and how to open it."""

    summary: str
    open: Callable[[], AbstractContextManager[Found]]
    own_size: str | None = None
    """The size of its files, if it differs from the usual one."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One image of an array."""

    pixels: Pixels
    name: str
    stamp: None = None

    def digest(self) -> str:
        return blake2b(self.pixels.tobytes(), digest_size=16).hexdigest()

    def image(self, frame: Frame) -> Pixels:
        side = self.pixels.shape[0] + 2 * BORDER
        whole = (frame.height, frame.width) == (side, side)
        return fit(Image.fromarray(np.pad(self.pixels, BORDER * whole)), frame)


@contextmanager
def digits() -> Iterator[Found]:
    """10,000 handwritten digits, 28 x 28 grey pixels; at 32 x 32 padded with a black border."""
    with np.load(ASSETS / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    named = zip(images, labels, range(len(images)), strict=True)
    yield Found([Digit(image, f"{label}/{index:05d}") for image, label, index in named], size="32")


def emoji() -> AbstractContextManager[Found]:
    """3,391 emoji, 128 x 128 pixels with transparency."""
    return archive(ASSETS / "emoji.zip")


SOURCES = {
    "digits": Builtin("10,000 handwritten digits (MNIST), grey", digits, own_size="28"),
    "emoji": Builtin("3,391 emoji (Microsoft Fluent 3D), colour", emoji),
}

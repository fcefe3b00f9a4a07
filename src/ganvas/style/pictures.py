"""Pictures of any kind in, and the same kind out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas import images
from ganvas.errors import GanvasError
from ganvas.images import Frame

Source = str | Path | Image.Image | Tensor
SMALLEST = 16  # pixels of the shorter side
LONGEST = 8  # times the shorter side


class PictureError(GanvasError, ValueError):
    """Something that is no picture to paint from; the message says what is wanted."""


@dataclass(frozen=True)
class Picture:
    """Colours (1, 3, H, W) in [0, 1] and transparency (H, W), 0 where nothing is seen, if any."""

    colours: Tensor
    alpha: Tensor | None
    kind: Literal["tensor", "image"]

    @property
    def longer_side(self) -> int:
        """In pixels."""
        return max(self.colours.shape[2:])

    def as_given(self) -> Tensor | Image.Image:
        """A tensor (3, H, W) if it came as one, else a Pillow image."""
        if self.kind == "tensor":
            return self.colours[0].clone()
        return Image.fromarray(np.rint(255 * self.pixels).astype(np.uint8))

    @property
    def pixels(self) -> NDArray[np.float32]:
        """Colours and transparency (H, W, 3 or 4) in [0, 1]."""
        layers = [self.colours[0]] if self.alpha is None else [self.colours[0], self.alpha[None]]
        return torch.cat(layers).clamp(0, 1).permute(1, 2, 0).numpy()


def opened(source: Source) -> Picture:
    """A picture from a file, from Pillow, or from a tensor (3, H, W) in [0, 1], at its own size.

    Pictures are turned upright and brought to sRGB; what is transparent lies on white. Raises
    PictureError, or UnreadablePictureError for a file.
    """
    if isinstance(source, Tensor):
        return Picture(_checked(source)[None].float().cpu(), None, "tensor")
    if isinstance(source, Image.Image):
        picture, name = images.turned_upright(source), "a picture"
    else:
        picture, name = images.read_upright(Path(source)), str(source)
    shorter, longer = sorted(picture.size)
    if shorter < SMALLEST or longer > LONGEST * shorter:
        raise PictureError(
            f"{name} has {picture.width}x{picture.height} pixels: too "
            + (f"small, {SMALLEST} are needed." if shorter < SMALLEST else "narrow; crop it.")
        )
    colours = torch.from_numpy(images.fitted(picture, Frame(picture.height, picture.width)))
    alpha = None
    if picture.mode in ("LA", "RGBA"):
        opaque = torch.from_numpy(np.array(picture.getchannel("A")))
        alpha = opaque.float() / 255 if opaque.min() < 255 else None
    return Picture(colours.permute(2, 0, 1)[None].float() / 255, alpha, "image")


def opened_mask(path: Path) -> Tensor:
    """Weights (H, W) in [0, 1] from the brightness of a picture: white is inside."""
    picture = images.read_upright(path)
    pixels = images.fitted(picture, Frame(picture.height, picture.width, 1, background="black"))
    return torch.from_numpy(pixels[..., 0]).float() / 255


def _checked(picture: Tensor) -> Tensor:
    if picture.ndim != 3 or picture.shape[0] != 3 or min(picture.shape[1:]) < SMALLEST:
        raise PictureError(
            f"a picture is a tensor (3, H, W) of at least {SMALLEST}x{SMALLEST} pixels, "
            f"not {tuple(picture.shape)}."
        )
    if (
        not picture.is_floating_point()
        or not 0 <= float(picture.min()) <= float(picture.max()) <= 1
    ):
        raise PictureError("a picture holds floating-point numbers from 0 to 1.")
    return picture.detach()

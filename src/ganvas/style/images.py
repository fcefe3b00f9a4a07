"""Open files, Pillow images and tensors, and return results as the same kind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas import imaging
from ganvas.errors import GanvasError
from ganvas.imaging import Frame, UnreadableImageError
from ganvas.runtime.memory import available
from ganvas.runtime.names import expand
from ganvas.runtime.system import PlaceError, system_errors
from ganvas.runtime.validation import quote

Source = str | Path | Image.Image | Tensor
SMALLEST = 16  # pixels of the shorter side
LONGEST = 8  # times the shorter side
LEAST = 0.002  # share of an image: if no more of it is visible, there is no style to transfer
PIXEL = 16  # bytes a pixel takes while an image is opened: as read, and as floats


class ImageError(GanvasError, ValueError):
    """An input that cannot be used as an image; the message says what is expected."""


@dataclass(frozen=True)
class StyleImage:
    """Colours (1, 3, H, W) in [0, 1], and alpha (H, W) if any, 0 where it is transparent."""

    colours: Tensor
    alpha: Tensor | None
    kind: Literal["tensor", "image"]

    @property
    def longer_side(self) -> int:
        """In pixels."""
        return max(self.colours.shape[2:])

    def as_given(self) -> Tensor | Image.Image:
        """A tensor (3, H, W) if it was given as one, else a Pillow image."""
        if self.kind == "tensor":
            return self.colours[0].clone()
        return Image.fromarray(np.rint(255 * self.pixels).astype(np.uint8))

    @property
    def pixels(self) -> NDArray[np.float32]:
        """Colours and transparency (H, W, 3 or 4) in [0, 1]."""
        layers = [self.colours[0]] if self.alpha is None else [self.colours[0], self.alpha[None]]
        return torch.cat(layers).clamp(0, 1).permute(1, 2, 0).numpy()


def open_image(source: Source, name: str = "an image") -> StyleImage:
    """An image from a file, from Pillow, or from a tensor (3, H, W) in [0, 1], at its own size.

    Images are turned upright and converted to sRGB; transparent ones are laid on white. Error
    messages use `name` for anything but a file. Raises ImageError, UnreadableImageError and
    PlaceError.
    """
    if isinstance(source, Tensor):
        return StyleImage(_check(source, name)[None], None, "tensor")
    if isinstance(source, Image.Image):
        with _readable(name):
            image = imaging.turned_upright(source)
    elif isinstance(source, str | Path):
        image, name = read_file(Path(source)), str(source)
    else:
        raise ImageError(
            f"{name}: {quote(repr(source))} is no image; give a file, a Pillow image "
            "(Image.fromarray makes one of an array), or a tensor (3, H, W) in [0, 1]."
        )
    _check_size(image, name)
    colours = torch.from_numpy(imaging.fit(image, Frame(image.height, image.width)))
    alpha = None
    if image.mode in ("LA", "RGBA"):
        opaque = torch.from_numpy(np.array(image.getchannel("A")))
        alpha = opaque.float() / 255 if opaque.min() < 255 else None
    if alpha is not None and float(alpha.mean()) <= LEAST:
        raise ImageError(
            f"{name} is transparent everywhere, or nearly so: there is nothing in it to stylize."
        )
    return StyleImage(colours.permute(2, 0, 1)[None].float().div_(255), alpha, "image")


def opened_mask(path: Path) -> Tensor:
    """Weights (H, W) in [0, 1] from the brightness of an image: white selects."""
    image = read_file(path)
    pixels = imaging.fit(image, Frame(image.height, image.width, 1, background="black"))
    return torch.from_numpy(pixels[..., 0]).float() / 255


def read_file(path: Path) -> Image.Image:
    """The image in a file, upright and in sRGB.

    Raises UnreadableImageError, ImageError, and PlaceError for an invalid path.
    """
    place = place_of(path)
    with system_errors(place):
        is_folder = place.is_dir()
    if is_folder:
        raise ImageError(f"{path} is a folder; name one image.")
    return imaging.read_upright(place)


def place_of(path: Path) -> Path:
    """A path as it is if it exists, else with `~` expanded; raises PlaceError."""
    if "\0" in str(path):
        raise PlaceError(f"{quote(str(path))} holds a NUL character: it is no valid path.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise PlaceError(f"{quote(str(path))} is not valid Unicode.") from None
    return path if os.path.lexists(path) else expand(path)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except UnreadableImageError as fault:
        raise UnreadableImageError(f"{name} {fault}") from fault
    # Damaged or closed images make Pillow raise nearly every exception.
    except Exception as fault:
        raise ImageError(f"{name} cannot be read ({quote(str(fault))}).") from fault


def _check_size(image: Image.Image, name: str) -> None:
    shorter, longer = sorted(image.size)
    if shorter < SMALLEST or longer > LONGEST * shorter:
        raise ImageError(
            f"{name} has {image.width}x{image.height} pixels: too "
            + (f"small, {SMALLEST} are needed." if shorter < SMALLEST else "narrow; crop it.")
        )
    needed, room = PIXEL * shorter * longer, available()
    if needed > room:
        raise ImageError(
            f"{name} has {image.width}x{image.height} pixels: too large, {needed / 1e9:.1f} GB "
            f"of memory are needed and {room / 1e9:.1f} GB are free; make it smaller."
        )


def _check(image: Tensor, name: str) -> Tensor:
    """A valid image tensor as fp32, detached, on the CPU; raises ImageError."""
    wanted = f"{name}: an image is a tensor (3, H, W) of at least {SMALLEST}x{SMALLEST} pixels"
    if image.is_nested or image.layout != torch.strided or image.device.type == "meta":
        raise ImageError(f"{wanted}, and this one has no pixels side by side.")
    if image.ndim != 3 or image.shape[0] != 3 or min(image.shape[1:]) < SMALLEST:
        raise ImageError(f"{wanted}, not {tuple(image.shape)}.")
    if image.is_floating_point():
        values = image.detach().float().cpu()
        if 0 <= float(values.min()) <= float(values.max()) <= 1:
            return values
    raise ImageError(f"{name}: an image holds floating-point numbers from 0 to 1.")

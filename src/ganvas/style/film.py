"""Intermediate images of a style transfer, every so many iterations, and a film of them."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas.events import StyleIteration
from ganvas.imaging.video import write_gif
from ganvas.imaging.write import write_image
from ganvas.runtime.atomic import make_folder
from ganvas.style.images import StyleImage
from ganvas.style.scene import resize, sides_of
from ganvas.style.work import Work, film_of, frames_of

SIDE, MILLISECONDS = 512, 80
MOST = 600  # frames of a film: beyond this every second frame is dropped, repeatedly
FRAME = re.compile(r"\d{5,}\.png")


class Film:
    """Writes intermediate images while an image is stylized, if they are asked for."""

    def __init__(self, work: Work) -> None:
        self._work, self._every = work, work.every
        self._folder = frames_of(work.out)
        self._written = set[Path]()
        self._frames: list[Tensor] = []  # (1, 3, H, W) in [0, 255]
        self._step = 1  # every so many written images, one becomes a frame of the film

    def see(self, iteration: StyleIteration) -> None:
        """Write this iteration's image if it is due; raises PlaceError."""
        if not self._every or iteration.iteration % self._every:
            return
        image: StyleImage = iteration.image()
        make_folder(self._folder)
        path = self._folder / f"{iteration.iteration:05d}.png"
        write_image(path, image.pixels, 8, self._work.facts)
        self._written.add(path)
        if (len(self._written) - 1) % self._step:
            return
        sides = sides_of(image.colours, min(SIDE, image.longer_side))
        self._frames.append((255 * resize(image.colours, sides)).round().byte())
        if len(self._frames) > MOST:
            self._frames, self._step = self._frames[::2], 2 * self._step

    def write(self) -> None:
        """Write the film, if there is more than one image; all frames as large as the largest.

        Frames and film of an earlier job under the same name are removed. Raises PlaceError.
        """
        if not self._written:
            return
        for path in self._folder.iterdir():
            if FRAME.fullmatch(path.name) and path not in self._written:
                path.unlink()
        if len(self._frames) < 2:
            film_of(self._work.out).unlink(missing_ok=True)
            return
        largest = max(self._frames, key=torch.numel)
        sides = largest.shape[2], largest.shape[3]
        film = np.stack([_enlarge(frame, sides) for frame in self._frames])
        write_gif(film_of(self._work.out), film, MILLISECONDS)


def _enlarge(frame: Tensor, sides: tuple[int, int]) -> np.ndarray:
    if frame.shape[2:] == sides:
        return frame[0].permute(1, 2, 0).numpy()
    larger = (255 * resize(frame.float() / 255, sides)).round().byte()
    return larger[0].permute(1, 2, 0).numpy()

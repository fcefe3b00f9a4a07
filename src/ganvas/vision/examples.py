"""Two pictures that come with ganvas, to show and to test style transfer and its network with."""

from pathlib import Path

import torch
from torch import Tensor

from ganvas import images

ASSETS = Path(__file__).parents[1] / "assets"
EXAMPLES = {"moose": ASSETS / "moose.jpg", "night_cafe": ASSETS / "van_gogh_night_cafe.jpg"}


def example(name: str, size: int) -> Tensor:
    """An example picture (1, 3, H, W) in [0, 1] whose longer side is `size`."""
    picture = images.read_upright(EXAMPLES[name])
    scale = size / max(picture.size)
    frame = images.Frame(round(picture.height * scale), round(picture.width * scale))
    fitted = images.fitted(picture, frame)
    return torch.from_numpy(fitted).permute(2, 0, 1)[None] / 255

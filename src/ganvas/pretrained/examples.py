"""Two images that come with ganvas, as examples and tests of style transfer and its network."""

import torch
from torch import Tensor

from ganvas import imaging
from ganvas.runtime.assets import ASSETS

EXAMPLES = {"moose": ASSETS / "moose.jpg", "night_cafe": ASSETS / "van_gogh_night_cafe.jpg"}


def example(name: str, size: int) -> Tensor:
    """An example image (1, 3, H, W) in [0, 1] whose longer side is `size`."""
    image = imaging.read_upright(EXAMPLES[name])
    scale = size / max(image.size)
    frame = imaging.Frame(round(image.height * scale), round(image.width * scale))
    fitted = imaging.fit(image, frame)
    return torch.from_numpy(fitted).permute(2, 0, 1)[None] / 255

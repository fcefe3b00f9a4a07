"""Make what comes with ganvas from its originals. Run by hand:

    python tools/make_assets.py ../shared src/ganvas/assets

The first folder holds `data` and `weights` (see assets/PROVENANCE.md). Emoji are reduced to 128 x
128 pixels with premultiplied alpha, so that no dark rims appear. Times in the archive are fixed:
the same originals give the same bytes. VGG-19 gets each layer's mean activation over the
photographs and paintings, by which style transfer rescales it.
"""

import argparse
import json
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from ganvas.imaging import Frame, decode, decoding

SIDE = 128
QUALITY = 85  # of the colours; transparency is kept exactly
LONGER_SIDE = 384  # of the images over which activations are averaged
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold


def smaller(original: bytes) -> bytes:
    """A WebP image reduced to SIDE x SIDE pixels."""
    image = Image.fromarray(decode(original, Frame(SIDE, SIDE, channels=4)))
    stream = BytesIO()
    image.save(stream, "WEBP", quality=QUALITY, alpha_quality=100)
    return stream.getvalue()


def make_emoji(source: Path, target: Path) -> None:
    """Reduce every image of an archive; the results are stored, for WebP is packed already."""
    with zipfile.ZipFile(source) as originals, zipfile.ZipFile(target, "w") as results:
        names = sorted(originals.namelist())
        with ThreadPoolExecutor() as pool:
            for name, data in zip(
                names, pool.map(smaller, map(originals.read, names)), strict=True
            ):
                results.writestr(zipfile.ZipInfo(name, EPOCH), data)


def make_vgg19(weights: Path, images: list[Path], target: Path) -> None:
    """The weights as they are, with each layer's mean activation over these images."""
    with safe_open(weights, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        metadata = dict(file.metadata())
    seen = [mean_activations(tensors, image) for image in images]
    means = {name: float(f"{sum(s[name] for s in seen) / len(seen):.4g}") for name in seen[0]}
    save_file(tensors, target, metadata | {"means": json.dumps(means)})


@torch.inference_mode()
def mean_activations(tensors: dict[str, Tensor], image: Path) -> dict[str, float]:
    """Mean of every layer after its rectification, by the layer's name."""
    height, width = decoding(image).shape[:2]
    scale = LONGER_SIDE / max(height, width)
    pixels = decoding(image, Frame(round(scale * height), round(scale * width)))
    blue_first = torch.from_numpy(pixels).permute(2, 0, 1)[None].flip(1).float()
    x = blue_first - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    found: dict[str, float] = {}
    for name in sorted(key.removesuffix(".bias") for key in tensors if key.endswith(".bias")):
        first = name == "conv1_1"
        if name.endswith("_1") and not first:
            x = F.max_pool2d(x, 2)
        weight = tensors[f"{name}.palette"][tensors[f"{name}.index"].long()]
        x = F.conv2d(x, weight, tensors[f"{name}.bias"], padding=0 if first else 1).relu()
        found[name] = float(x.mean())
    return found


def main() -> None:
    """Make all assets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("originals", type=Path, help="folder with data and weights")
    parser.add_argument("assets", type=Path, help="folder to write to")
    options = parser.parse_args()
    data, weights = options.originals / "data", options.originals / "weights"
    for name in ("digits.npz", "photos/moose.jpg", "paintings/van_gogh_night_cafe.jpg"):
        shutil.copyfile(data / name, options.assets / Path(name).name)
    make_emoji(data / "emoji.zip", options.assets / "emoji.zip")
    images = sorted([*data.glob("photos/*.jpg"), *data.glob("paintings/*.jpg")])
    make_vgg19(weights / "vgg19_palette.safetensors", images, options.assets / "vgg19.safetensors")


if __name__ == "__main__":
    main()

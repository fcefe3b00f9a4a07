"""One measure for every claim about style transfer.

style         Wasserstein distances of relu1_1 to relu5_1 of VGG-19, each as a part of the
              photograph's, averaged: 1 for the photograph itself, 0 for the painting
content       mean cosine of relu4_2 with the photograph's, place by place: 1 for the photograph
checkerboard  energy of what changes sign from pixel to pixel, as a part of the image's variance
              and of the same in the painting: 1 is as much as the painting has
seams         gradient across the lines between blocks over the gradient beside them: 1 is none
border        gradient within four pixels of the edge over the gradient elsewhere

`python benchmarks/style_score.py PHOTOGRAPH PAINTING RESULT...` scores images of any program.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ganvas.pretrained.vgg19 import VGG19
from ganvas.style.images import StyleImage, open_image
from ganvas.style.margins import trim
from ganvas.style.scene import resize, sides_of
from ganvas.style.tiles import blocks

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"
EDGE = 4

Gaussian = tuple[NDArray[np.float64], NDArray[np.float64]]  # mean, covariance


@dataclass(frozen=True)
class Score:
    """What a result is worth; see above."""

    style: float
    content: float
    checkerboard: float
    seams: float
    border: float


class StyleScorer:
    """Scores results of one photograph and one painting at one size, in fp32 and whole."""

    def __init__(self, photograph: Tensor, painting: StyleImage) -> None:
        """From a photograph (1, 3, H, W) in [0, 1], and a painting of any size."""
        inner = trim(painting)
        size = min(inner.longer_side, max(photograph.shape[2:]))
        self.network = VGG19.load()
        self.painting = resize(inner.colours, sides_of(inner.colours, size))
        self.sides = photograph.shape[2], photograph.shape[3]
        self.wanted = _gaussians(self._seen(self.painting))
        before = self._seen(photograph)
        self.photograph = before[CONTENT]
        self.start = self._apart(before)

    def score(self, result: Tensor) -> Score:
        """Scores of an image (1, 3, H, W) in [0, 1], enlarged to the photograph's size."""
        result = resize(result, self.sides)
        seen = self._seen(result)
        apart = self._apart(seen)
        return Score(
            style=fmean(apart[layer] / self.start[layer] for layer in STYLE),
            content=float(F.cosine_similarity(seen[CONTENT], self.photograph, dim=1).mean()),
            checkerboard=alternation(result) / alternation(self.painting),
            seams=seams(result),
            border=border(result),
        )

    def _seen(self, image: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            return self.network(image, (*STYLE, CONTENT))

    def _apart(self, seen: dict[str, Tensor]) -> dict[str, float]:
        found = _gaussians(seen)
        return {layer: wasserstein(found[layer], self.wanted[layer]) for layer in STYLE}


def wasserstein(one: Gaussian, other: Gaussian) -> float:
    """2-Wasserstein distance of Gaussians in fp64, by two symmetric square roots.

    Independent of what ganvas minimises, which is fp32 and along principal axes alone.
    """
    (mean, covariance), (wanted_mean, wanted) = one, other
    values, vectors = np.linalg.eigh(wanted)
    half = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(half @ covariance @ half).clip(0)).sum()
    squared = ((mean - wanted_mean) ** 2).sum() + np.trace(covariance + wanted) - 2 * cross
    return float(np.sqrt(max(0.0, squared)))


def _gaussians(seen: dict[str, Tensor]) -> dict[str, Gaussian]:
    flat = {layer: seen[layer].flatten(2)[0].double().numpy() for layer in STYLE}
    return {layer: (f.mean(1), np.cov(f, bias=True)) for layer, f in flat.items()}


def alternation(image: Tensor) -> float:
    """Energy of what changes sign from pixel to pixel, as a part of the variance of brightness."""
    grey = image.mean(1, keepdim=True)
    kernel = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])[None, None] / 4
    return float(F.conv2d(grey, kernel).square().mean() / grey.var())


def seams(image: Tensor) -> float:
    """Gradient across the lines between blocks over the gradient four pixels beside them."""
    inner = [block.inner for block in blocks(image.shape[2], image.shape[3])]
    ratios = []
    for axis, p in enumerate((image.transpose(2, 3), image)):
        lines = sorted({spans[axis][0] for spans in inner} - {0})
        if lines:
            beside = _gradient(p, [line + d for line in lines for d in (-4, 4)])
            ratios.append(float(_gradient(p, lines).mean() / beside.mean()))
    return fmean(ratios) if ratios else 1.0


def border(image: Tensor) -> float:
    """Gradient along both axes within four pixels of the edge, over the gradient elsewhere."""
    ratios = []
    for p in (image, image.transpose(2, 3)):
        gradient = (p[..., 1:] - p[..., :-1]).abs()
        outer = torch.cat([gradient[..., :EDGE], gradient[..., -EDGE:]], -1)
        ratios.append(float(outer.mean() / gradient[..., EDGE:-EDGE].mean()))
    return fmean(ratios)


def _gradient(image: Tensor, lines: Sequence[int]) -> Tensor:
    """Difference of the columns on both sides of these lines."""
    at = torch.tensor(lines)
    return (image[..., at] - image[..., at - 1]).abs()


def main() -> None:
    """Score the images that the command line names."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    photograph, painting, *results = (open_image(Path(name)) for name in sys.argv[1:])
    for name, result in zip(sys.argv[3:], results, strict=True):
        sides = result.colours.shape[2], result.colours.shape[3]
        scorer = StyleScorer(resize(photograph.colours, sides), painting)
        facts = asdict(scorer.score(result.colours))
        print(Path(name).name, "  ".join(f"{key} {value:.3f}" for key, value in facts.items()))


if __name__ == "__main__":
    main()

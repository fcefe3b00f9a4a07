"""A discriminator that looks through a network trained on ImageNet.

Projected GANs Converge Faster (Sauer, Chitta, Müller and Geiger, 2021): images pass through a
frozen network; fixed random convolutions mix its activations across channels and from coarse to
fine; each resolution has a small discriminator of its own, a head. Only the heads are trained. They
know shapes and textures from the first step on, so the generator learns them from a fraction of the
images.

Differs from the paper: EfficientNet-Lite0, at the images' own size instead of 224 pixels; every
channel is standardised over real images before it is mixed; heads have no normalisation, so that no
image's logits depend on the others of its batch (measured: benchmarks/NOTES.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.imaging.alpha import COLOURS
from ganvas.models.layers import from_normal, leaky, smaller
from ganvas.models.matching import Activations, Matching, Summary, summary
from ganvas.pretrained.lite0 import NAME, Lite0

STRIDES = {"block2": 4, "block4": 8, "block10": 16, "block15": 32}  # pixels, by block
WIDTH = 64  # channels of mixed features, and of heads
COARSEST = 4  # the side down to which a head halves its features
LEAST = 1e-3  # added to the deviation of a channel: some are almost constant
# How the names of tensors begin that are measured.
MEASURED = ("means.", "scales.", "matching.", "smaller.")
MEASURED_AT_ONCE = 64  # images, when statistics are measured

Features = list[Tensor]  # (N, C, H / stride, W / stride), fine to coarse


@dataclass(frozen=True)
class Seen:
    """What the frozen network sees of some images."""

    activations: Activations  # standardised
    mixed: Features  # for the heads: C = WIDTH
    matching: Matching | None  # for images of their size


class PlaceLogits(nn.Module):
    """A head: features (N, WIDTH, H, W) to logits (N, places).

    With labels (N, classes) the inner product of the features of each place and the learnt
    embedding of the class is added, as in Miyato and Koyama (2018).
    """

    def __init__(self, side: int, classes: int) -> None:
        super().__init__()
        self.halvings = nn.ModuleList()
        while side > COARSEST:
            self.halvings.append(nn.Conv2d(WIDTH, WIDTH, 4, 2, 1))
            side //= 2
        kernel = 3 if side > 2 else 1
        self.last = nn.Conv2d(WIDTH, WIDTH, kernel, padding=kernel // 2)
        self.score = nn.Conv2d(WIDTH, 1, 1)
        self.projection = nn.Conv2d(WIDTH, classes, 1) if classes else None

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        for layer in (*self.halvings, self.last):
            x = leaky(layer(x))
        scores: Tensor = self.score(x)
        if self.projection is not None:
            products = self.projection(x) * labels.to(x.dtype)[:, :, None, None]
            scores = scores + products.sum(1, keepdim=True)
        return scores.float().flatten(1)


class Measures(nn.Module):
    """What the frozen network finds in real images of one size, on average: never trained."""

    def __init__(self, channels: Mapping[str, int], latent: int) -> None:
        """For layers with so many channels; with `latent`, also for matching."""
        super().__init__()
        self.means = _fixed(torch.zeros(1, count, 1, 1) for count in channels.values())
        self.scales = _fixed(torch.ones(1, count, 1, 1) for count in channels.values())
        self.matching = Matching(channels, latent) if latent else None

    @torch.no_grad()
    def take(self, found: Iterable[Features]) -> None:
        """Take mean and deviation of every channel from features of real images."""
        for level, parts in enumerate(zip(*found, strict=True)):
            values = torch.cat([part.float().transpose(0, 1).flatten(1) for part in parts], 1)
            deviation, mean = torch.std_mean(values, 1)
            self.means[level].copy_(mean[:, None, None])
            self.scales[level].copy_(1 / (deviation + LEAST)[:, None, None])

    def standardised(self, found: Features) -> Activations:
        """Features (N, C, H, W) of images, each channel with mean 0 and deviation 1."""
        return {
            name: (x - mean.to(x.dtype)) * scale.to(x.dtype)
            for name, x, mean, scale in zip(STRIDES, found, self.means, self.scales, strict=True)
        }


class ProjectedDiscriminator(Measures):
    """Heads on the mixed features of a frozen network.

    The network itself is in no checkpoint: it comes with ganvas. What is random or measured, the
    mixing and the statistics of features, is in parameters that are not trained.
    """

    def __init__(
        self,
        sides: tuple[int, int],
        classes: int = 0,
        latent: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        halvings: int = 0,
    ) -> None:
        """For images of this height and width; features are computed in `dtype` on `device`.

        Images that are halved up to `halvings` times have measures of their own; others are
        enlarged to these sides. With `latent`, the size of a generator's latents, it also matches
        generated images to real ones.

        Raises FileNotFoundError when the weights of the network are missing.
        """
        network = Lite0(dtype=dtype, device=device)
        channels = {name: network.channels(name) for name in STRIDES}
        super().__init__(channels, latent)
        self.network = network
        counts = channels.values()
        self.across = _fixed(from_normal(WIDTH, count, 1, 1, over=sqrt(count)) for count in counts)
        self.down = _fixed(
            from_normal(WIDTH, WIDTH, 3, 3, over=3 * sqrt(WIDTH)) for _ in range(len(counts) - 1)
        )
        self.smaller = nn.ModuleList(Measures(channels, latent) for _ in range(halvings))
        self.sizes = [(sides[0] >> times, sides[1] >> times) for times in range(halvings + 1)]
        self.heads = nn.ModuleList(
            PlaceLogits(-(-min(sides) // stride), classes) for stride in STRIDES.values()
        )

    @torch.no_grad()
    def standardise(self, images: Tensor) -> None:
        """Measure mean and deviation of every channel over real images (N, C, H, W)."""
        for measures in self._measures:
            batches = torch.split(images, MEASURED_AT_ONCE)
            measures.take(self._features(batch, 0) for batch in batches)
            images = smaller(images)

    @torch.no_grad()
    def measure(self, batches: Iterable[Tensor], axes: bool = True) -> Tensor | None:
        """Measure what matching needs, over batches of real images (N, C, H, W).

        Returns their codes (N, count), or None without matching. Without `axes` each number of a
        code goes on to mean what it meant.
        """
        if self.matching is None:
            return None
        found: list[list[Summary]] = [[] for _ in self._measures]
        for images in batches:
            shown = images
            for of_size, measures in zip(found, self._measures, strict=True):
                of_size.append(summary(measures.standardised(self._features(shown, 0))))
                shown = smaller(shown)
        codes = self.matching.measure(found[0], axes)
        for of_size, measures in zip(found[1:], self._measures[1:], strict=True):
            assert measures.matching is not None, "all have one, or none"
            measures.matching.follow(of_size, self.matching, found[0])
        return codes

    def measured(self) -> dict[str, Tensor]:
        """Copies of the tensors that were measured over real images, by name."""
        state = self.state_dict()
        return {name: x.clone() for name, x in state.items() if name.startswith(MEASURED)}

    def look(self, images: Tensor, first: int = 0) -> Seen:
        """What it sees of images (N, C, H, W) in [-1, 1], with gradients for the images.

        `first` is the number of the first one in its batch, see `as_colours`.
        """
        measures = self._measures[self.sizes.index(self._shown(images.shape[2:]))]
        found = measures.standardised(self._features(images, first))
        mixed = [
            F.conv2d(x, kernel.to(x.dtype))
            for x, kernel in zip(found.values(), self.across, strict=True)
        ]
        for level in reversed(range(len(mixed) - 1)):
            coarser = F.interpolate(mixed[level + 1], size=mixed[level].shape[2:], mode="bilinear")
            both = (mixed[level] + coarser) / sqrt(2)
            mixed[level] = F.conv2d(both, self.down[level].to(both.dtype), padding=1)
        return Seen(found, mixed, measures.matching)

    @property
    def pretrained(self) -> dict[str, str]:
        """The name of the frozen network, and the SHA-256 of its weights."""
        return {NAME: self.network.checksum}

    def forward(self, mixed: Features, labels: Tensor) -> list[Tensor]:
        """Logits of each head, (N, places), of the mixed features of images."""
        return [head(x, labels) for head, x in zip(self.heads, mixed, strict=True)]

    @property
    def _measures(self) -> list[Measures]:
        """Those of each size, from full size down."""
        return [self, *cast(Iterable[Measures], self.smaller)]

    def _shown(self, sides: Sequence[int]) -> tuple[int, int]:
        """The size at which images of this height and width are shown to the network."""
        height, width = sides
        return (height, width) if (height, width) in self.sizes else self.sizes[0]

    def _features(self, images: Tensor, first: int) -> Features:
        shown = as_colours(images, first)
        if shown.shape[2:] != (sides := self._shown(images.shape[2:])):
            shown = F.interpolate(shown, size=sides, mode="bilinear")
        found = self.network(shown, STRIDES)
        return [found[name] for name in STRIDES]


def as_colours(images: Tensor, first: int = 0) -> Tensor:
    """RGB images (N, 3, H, W) of grey, RGB or transparent ones.

    Grey is repeated. Transparent images, which are premultiplied, are laid on white and on black in
    turn, by their number in the batch: on one colour alone, a generator could paint that colour
    instead of leaving it transparent.
    """
    if images.shape[1] == 1:
        return images.expand(-1, COLOURS, -1, -1)
    if images.shape[1] == COLOURS:
        return images
    colours, alpha = images[:, :COLOURS], images[:, COLOURS:]
    numbers = torch.arange(first, first + len(images), device=images.device)
    white = numbers[:, None, None, None] % 2 == 0
    # In [-1, 1], what shows through of white adds 1 - alpha, and of black nothing.
    return torch.where(white, colours + (1 - alpha), colours)


def _fixed(tensors: Iterable[Tensor]) -> nn.ParameterList:
    """Tensors that belong to a checkpoint and are not trained."""
    return nn.ParameterList(nn.Parameter(tensor, requires_grad=False) for tensor in tensors)

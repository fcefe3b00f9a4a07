"""Generated images that match real ones, as a frozen network sees both.

A generated image is given the code of a real image (models/codes.py), and is to be like it in what
the network finds, on average over the image, at every resolution: what it shows, not where. Feature
matching (Salimans et al., 2016) compares batches; pairs also keep every kind of image alive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn

from ganvas.models.codes import Codes

Activations = Mapping[str, Tensor]  # (N, C, H, W) by the name of the layer

MOST = 64  # numbers of a code
CODED = ("block10", "block15")  # layers of which codes are made: they know what there is


@dataclass(frozen=True)
class Summary:
    """What is kept of the activations of some real images, to measure over many."""

    averages: Tensor  # (N, F), of which codes are made
    squares: Tensor  # (layers, N): mean squares of the averages of each layer


def summary(activations: Activations) -> Summary:
    """The summary of activations (N, C, H, W)."""
    means = _averages(activations)
    squares = torch.stack([mean.square().mean(1) for mean in means.values()])
    return Summary(_coded(means), squares)


class Matching(nn.Module):
    """Codes of real images, and distances from them; measured over real images, never trained."""

    def __init__(self, channels: Mapping[str, int], latent: int) -> None:
        """For layers with so many channels, and a generator with so many latent numbers.

        Codes take at most half of them.
        """
        super().__init__()
        self.codes = Codes(sum(channels[name] for name in CODED), min(MOST, max(1, latent // 2)))
        self.sizes = nn.Parameter(torch.ones(len(channels)), requires_grad=False)

    @torch.no_grad()
    def measure(self, found: Sequence[Summary], axes: bool = True) -> Tensor:
        """Measure over real images, batch by batch; their codes (N, count).

        Without `axes` those that there are stay, and what each number of a code means.
        """
        averages = self._take(found)
        (self.codes.measure if axes else self.codes.normalise)(averages)
        codes: Tensor = self.codes(averages)
        return codes

    @torch.no_grad()
    def follow(
        self, found: Sequence[Summary], other: "Matching", theirs: Sequence[Summary]
    ) -> None:
        """Measure over the same real images as `other` at another size, of which it found `theirs`:
        each number of a code is to mean the same."""
        components = other.codes.components(torch.cat([one.averages for one in theirs]))
        self.codes.follow(self._take(found), components)

    def _take(self, found: Sequence[Summary]) -> Tensor:
        """Take the sizes of averages; returns what codes are made of, (N, F)."""
        self.sizes.copy_(torch.cat([one.squares for one in found], 1).mean(1))
        return torch.cat([one.averages for one in found])

    def encode(self, real: Activations) -> Tensor:
        """Codes (N, count) of real images."""
        found: Tensor = self.codes(_coded(_averages(real)))
        return found

    def distance(self, real: Activations, fake: Activations) -> Tensor:
        """The mean distance of generated images from real ones, pair by pair.

        Squared differences of average activations, relative to their usual size, summed over
        layers: 0 for the same images, and about 8 for any two.
        """
        pairs = zip(_averages(real).values(), _averages(fake).values(), strict=True)
        differences = torch.stack([(one - other).square().mean() for one, other in pairs])
        return (differences / self.sizes).sum()


def _averages(activations: Activations) -> dict[str, Tensor]:
    return {name: x.float().mean((2, 3)) for name, x in activations.items()}


def _coded(averages: Mapping[str, Tensor]) -> Tensor:
    """The averages (N, F) that make a code; every layer counts alike."""
    return torch.cat([averages[name] / sqrt(averages[name].shape[1]) for name in CODED], 1)

"""Codes of real images that a generator knows, and latents near them.

A generator that learns with matching (matching.py) is trained near codes of real images only. They
fill a small part of their space of up to 64 dimensions, although each number alone is normally
distributed: samples of N(0, I) lie far from all of them. So latents of new images are drawn from a
kernel density estimate (Parzen, 1962) over the codes of real ones. Instance-Conditioned GAN
(Casanova et al., 2021) keeps features of real images, too.
"""

from math import sqrt

import torch
from torch import Tensor, nn

from ganvas.runtime.rng import Stream

# Shares of noise in a code, as standard deviations: in that of the real image to match, and in that
# of a new image. With more for new ones recall is higher, at the same KID (benchmarks/NOTES.md).
MATCHED, NEW = 0.3, 0.5


class Anchors(nn.Module):
    """Codes (N, count) of real images, and the class (N,) of each; classes are in order."""

    codes: Tensor
    classes: Tensor

    def __init__(self, codes: Tensor, classes: Tensor) -> None:
        super().__init__()
        order = torch.argsort(classes, stable=True)
        self.register_buffer("codes", codes[order])
        self.register_buffer("classes", classes[order])

    def choose(self, labels: Tensor, stream: Stream) -> Tensor:
        """Codes (N, count) of real images with these labels (N, classes), chosen at random.

        For a class of which none is known, those of any real image.
        """
        total = len(self.codes)
        if labels.shape[1]:
            wanted = labels.argmax(1).to(self.classes.device)
            start = torch.searchsorted(self.classes, wanted)
            end = torch.searchsorted(self.classes, wanted, right=True)
            known = end > start
            first, after = start.where(known, 0), end.where(known, total)
        else:
            first, after = torch.tensor(0), torch.tensor(total)
        chosen = first + stream.uniform(len(labels)).to(self.codes.device) * (after - first)
        return self.codes[chosen.long().clamp(max=total - 1)]


def classes_of(labels: Tensor) -> Tensor:
    """The class (N,) of labels (N, classes); 0 where there are no classes."""
    return labels.argmax(1) if labels.shape[1] else labels.new_zeros(len(labels), dtype=torch.long)


def varied(codes: Tensor, noise: Tensor, share: float) -> Tensor:
    """Codes with a share of noise: if each number of both is N(0, 1), so is each of these."""
    return sqrt(1 - share**2) * codes + share * noise

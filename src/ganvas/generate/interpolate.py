"""A walk through latent space: images that turn into one another."""

import torch
from torch import Tensor


def walk(stations: Tensor, frames: int, size: int) -> Tensor:
    """Latents (frames, D) from station to station (K, D) and back to the first, without an end.

    The first `size` numbers of a latent are from N(0, I); a label after them is faded over.

    Between two stations along a great circle (White, 2016): on the straight line between them lie
    latents shorter than any that a generator has been trained on.
    """
    count = len(stations)
    places = torch.arange(frames, dtype=torch.float64) * count / frames
    legs = places.floor().long()
    share = (places - legs)[:, None]
    before, after = stations[legs % count], stations[(legs + 1) % count]
    numbers = spherical(before[:, :size], after[:, :size], share)
    labels = before[:, size:].lerp(after[:, size:], share.to(stations))
    return torch.cat([numbers, labels], 1)


def spherical(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Latents (N, D) on the arc from one to the other, at a share (N, 1) of the way in [0, 1].

    Their lengths go evenly from one's to the other's.
    """
    a, b = one.double(), other.double()
    lengths = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    a, b = a / lengths[0], b / lengths[1]
    angle = torch.acos((a * b).sum(1, keepdim=True).clamp(-1, 1))
    arc = torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b
    sine = torch.sin(angle)
    direction = torch.where(sine > 1e-6, arc / sine, a.lerp(b, share))
    found: Tensor = direction * lengths[0].lerp(lengths[1], share)
    return found.to(one.dtype)

"""Interpolation in latent space."""

import torch
from torch import Tensor


def walk(stations: Tensor, frames: int, size: int) -> Tensor:
    """A closed walk of latents (frames, D) through the stations (K, D), for a seamless loop.

    The first `size` numbers of a latent, from N(0, I), are interpolated along a great circle
    (White, 2016): latents on a straight line have smaller norms than any that a generator was
    trained on. A label after them is interpolated linearly.
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
    """Spherical interpolation of latents (N, D), at a fraction `share` (N, 1) in [0, 1].

    Norms are interpolated linearly.
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

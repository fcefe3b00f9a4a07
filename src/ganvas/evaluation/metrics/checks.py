"""Checks of two sets of features before a metric compares them."""

import torch
from torch import Tensor


def comparable(real: Tensor, fake: Tensor, least: int) -> tuple[Tensor, Tensor]:
    """Check that two sets can be compared, and return both in float64 on the CPU.

    `real` is (N, D) and `fake` is (M, D), with N and M at least `least`.
    Raises ValueError when a shape is wrong, a set is too small or a value is not finite.
    """
    for name, features in (("real", real), ("fake", fake)):
        _check_set(name, features, least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real features have {real.shape[1]} values each and fake ones {fake.shape[1]}: "
            "compute both with the same feature network."
        )
    return real.detach().cpu().double(), fake.detach().cpu().double()


def _check_set(name: str, features: Tensor, least: int) -> None:
    if features.ndim != 2:
        raise ValueError(
            f"{name} features must have shape (N, D), not {tuple(features.shape)}: "
            "give one row per image."
        )
    if len(features) < least:
        raise ValueError(
            f"there are {len(features)} {name} images and this metric needs at least {least}: "
            "give more images."
        )
    if not torch.isfinite(features).all():
        raise ValueError(f"{name} features hold a NaN or an infinity: look at those images.")

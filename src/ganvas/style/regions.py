"""Which part of the photograph is painted like which part of which style."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.settings import SettingsError
from ganvas.style.pictures import opened_mask
from ganvas.style.scene import Part, Style, resized_mask

MaskPair = tuple[Path, Path | None]
LEAST = 0.002  # part of a picture: smaller regions have no style to speak of


def parts_of(
    content: Tensor, alpha: Tensor | None, styles: list[Style], masks: Sequence[MaskPair]
) -> tuple[Part, ...]:
    """The parts of a photograph (1, 3, H, W) and the styles of each; raises SettingsError.

    With one style every pair of masks divides it; with several, the first pair belongs to the first
    style, and so on. What is transparent belongs to no part.
    """
    sides = content.shape[2], content.shape[3]
    seen = torch.ones(sides) if alpha is None else resized_mask(alpha, sides)
    if not masks:
        return (Part(tuple(styles), None if alpha is None else seen),)
    if len(styles) > 1 and len(masks) > len(styles):
        raise SettingsError(f"{len(masks)} --mask for {len(styles)} styles; give one for each.")
    parts, rest, style_rests = [], seen.clone(), [_whole(style) for style in styles]
    for number, (inside, like) in enumerate(masks):
        which = number if len(styles) > 1 else 0
        here = resized_mask(opened_mask(inside), sides).clamp(0, 1) * seen
        style = styles[which]
        there = _whole(style)
        if like is not None:
            chosen = resized_mask(opened_mask(like), _sides(style)).clamp(0, 1)
            there = there * chosen
            style_rests[which] = style_rests[which] * (1 - chosen)
        _check(here, inside)
        _check(there, like)
        parts.append(Part((replace(style, mask=there),), here))
        rest = rest * (1 - here)
    if float(rest.mean()) > LEAST:
        others = [
            replace(style, mask=left)
            for style, left in zip(styles, style_rests, strict=True)
            if float(left.mean()) > LEAST
        ]
        parts.append(Part(tuple(others or styles), rest))
    return tuple(parts)


def _whole(style: Style) -> Tensor:
    return torch.ones(_sides(style)) if style.mask is None else style.mask


def _sides(style: Style) -> tuple[int, int]:
    return style.picture.shape[2], style.picture.shape[3]


def _check(mask: Tensor, path: Path | None) -> None:
    if float(mask.mean()) <= LEAST:
        raise SettingsError(f"--mask {path} is black nearly everywhere: white is what it selects.")

"""Masks and parts: which part of the photograph gets which part of which style."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.runtime.validation import ArgumentError, SettingsError, quote
from ganvas.style.images import LEAST, ImageError, opened_mask
from ganvas.style.scene import Part, Style, resized_mask

MaskPair = tuple[Path, Path | None]


@dataclass(frozen=True)
class OpenMask:
    """A mask, as weights (H, W) from 0 to 1, and the file that it came from."""

    path: Path
    weights: Tensor

    def at(self, sides: tuple[int, int]) -> Tensor:
        """The weights at another size."""
        return resized_mask(self.weights, sides).clamp(0, 1)


OpenPair = tuple[OpenMask, OpenMask | None]


def checked_pairs(masks: object) -> tuple[MaskPair, ...]:
    """Validate pairs of files given through the Python API; raises ArgumentError."""
    pairs = list(masks) if isinstance(masks, list | tuple) else [masks]
    found = []
    for pair in pairs:
        match pair:
            case (str() | Path() as inside, str() | Path() | None as like):
                found.append((Path(inside), None if like is None else Path(like)))
            case _:
                raise ArgumentError(
                    f"masks={quote(repr(masks))}: give a list of pairs of files, such as "
                    '[("sky.png", "clouds.png")], or None for the second.'
                )
    return tuple(found)


def opened_pairs(masks: Sequence[MaskPair], styles: int) -> list[OpenPair]:
    """Open the masks for so many styles.

    Raises SettingsError for too many masks and for masks that select nothing,
    UnreadableImageError and ImageError.
    """
    if styles > 1 and len(masks) > styles:
        raise SettingsError(f"{len(masks)} --mask for {styles} styles; give one for each.")
    return [(_open(inside), None if like is None else _open(like)) for inside, like in masks]


def parts_of(
    content: Tensor, alpha: Tensor | None, styles: list[Style], masks: Sequence[OpenPair]
) -> tuple[Part, ...]:
    """The parts of a photograph (1, 3, H, W) and the styles of each; raises ImageError.

    With one style, all pairs of masks refer to it; with several, the first pair refers to the first
    style, and so on. Transparent pixels belong to no part.
    """
    sides = content.shape[2], content.shape[3]
    seen = torch.ones(sides) if alpha is None else resized_mask(alpha, sides)
    if not masks:
        return (Part(tuple(styles), None if alpha is None else seen),)
    parts, rest, style_rests = [], seen.clone(), [_whole(style) for style in styles]
    for number, (inside, like) in enumerate(masks):
        which = number if len(styles) > 1 else 0
        here = inside.at(sides) * seen
        style = styles[which]
        there = _whole(style)
        if like is not None:
            chosen = like.at(_sides(style))
            there = there * chosen
            style_rests[which] = style_rests[which] * (1 - chosen)
            _check_seen(there, like.path, f"style {which + 1}")
        _check_seen(here, inside.path, "the photograph")
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


def _open(path: Path) -> OpenMask:
    weights = opened_mask(path)
    if float(weights.mean()) <= LEAST:
        raise SettingsError(f"--mask {path} is black nearly everywhere; white pixels select.")
    return OpenMask(path, weights)


def _check_seen(mask: Tensor, path: Path, of: str) -> None:
    """Raise ImageError if a mask selects only transparent pixels."""
    if float(mask.mean()) <= LEAST:
        raise ImageError(
            f"--mask {path} selects nothing of {of} that can be seen; make its white part larger."
        )


def _whole(style: Style) -> Tensor:
    return torch.ones(_sides(style)) if style.mask is None else style.mask


def _sides(style: Style) -> tuple[int, int]:
    return style.image.shape[2], style.image.shape[3]

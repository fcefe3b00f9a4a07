"""Which part of the photograph is stylized like which part of which style."""

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
    """A mask and the file that it came from: weights (H, W) from 0 to 1."""

    path: Path
    weights: Tensor

    def at(self, sides: tuple[int, int]) -> Tensor:
        """The weights at another size."""
        return resized_mask(self.weights, sides).clamp(0, 1)


OpenPair = tuple[OpenMask, OpenMask | None]


def checked_pairs(masks: object) -> tuple[MaskPair, ...]:
    """Pairs of files as they came through the Python API; raises ArgumentError."""
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
    """Masks for so many styles, open.

    Raises SettingsError for too many and for such as select nothing, UnreadableImageError and
    ImageError.
    """
    if styles > 1 and len(masks) > styles:
        raise SettingsError(f"{len(masks)} --mask for {styles} styles; give one for each.")
    return [(_open(inside), None if like is None else _open(like)) for inside, like in masks]


def parts_of(
    content: Tensor, alpha: Tensor | None, styles: list[Style], masks: Sequence[OpenPair]
) -> tuple[Part, ...]:
    """The parts of a photograph (1, 3, H, W) and the styles of each; raises ImageError.

    With one style every pair of masks divides it; with several, the first pair belongs to the first
    style, and so on. What is transparent belongs to no part.
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
        raise SettingsError(f"--mask {path} is black nearly everywhere: white is what it selects.")
    return OpenMask(path, weights)


def _check_seen(mask: Tensor, path: Path, of: str) -> None:
    """Of an image that is transparent in places, a mask may select nothing that is seen."""
    if float(mask.mean()) <= LEAST:
        raise ImageError(
            f"--mask {path} selects nothing of {of} that can be seen; make its white part larger."
        )


def _whole(style: Style) -> Tensor:
    return torch.ones(_sides(style)) if style.mask is None else style.mask


def _sides(style: Style) -> tuple[int, int]:
    return style.image.shape[2], style.image.shape[3]

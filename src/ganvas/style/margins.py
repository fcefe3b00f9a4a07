"""Trim the rim of a scanned painting: a white or black rim would count as part of the style."""

from dataclasses import replace

from torch import Tensor

from ganvas.style.images import LEAST, SMALLEST, StyleImage

FLAT = 0.02  # standard deviation of brightness along a blank line of pixels
STEP = 0.15  # difference of brightness between rim and painting
NEAR = 0.03  # share of the side in which a ragged rim is searched for
DEEPEST = 0.2  # largest share of the side that may be rim
SOFT = 1  # pixels beside a rim that are blurred into it


def trim(scan: StyleImage) -> StyleImage:
    """A scan without its rim; unchanged if it has none, or if too little would be left."""
    brightness = scan.colours.mean((0, 1))
    rows, columns = brightness, brightness.T
    height, width = brightness.shape
    top, bottom = _rim(rows), _rim(rows.flip(0))
    left, right = _rim(columns), _rim(columns.flip(0))
    inner = slice(top, height - bottom), slice(left, width - right)
    if min(brightness[inner].shape) < SMALLEST:
        return scan
    alpha = None if scan.alpha is None else scan.alpha[inner]
    if alpha is not None and float(alpha.mean()) <= LEAST:
        return scan  # everything visible lies in the rim
    return replace(scan, colours=scan.colours[(..., *inner)], alpha=alpha)


def _rim(lines: Tensor) -> int:
    """How many of the first lines of (L, P) belong to the rim."""
    deepest = int(DEEPEST * len(lines))
    spread = lines[: deepest + 1].std(1)
    flat = 0
    while flat < deepest and float(spread[flat]) < FLAT:
        flat += 1
    if flat == deepest:
        flat = 0  # a wide plain background is part of the image
    near = max(2, round(NEAR * len(lines)))
    inside = lines[flat + near : flat + 2 * near].mean()
    apart = (lines[flat : flat + near].mean(1) - inside).abs() > STEP
    ragged = int(apart.nonzero()[-1]) + 1 if bool(apart[:1]) else 0
    rim = flat + ragged
    return rim + SOFT if rim else 0

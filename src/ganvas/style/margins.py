"""Edges of a scan that are not the painting: a white or black rim would be stylized too."""

from dataclasses import replace

from torch import Tensor

from ganvas.style.images import LEAST, SMALLEST, StyleImage

FLAT = 0.02  # standard deviation of brightness along a line of pixels that shows nothing
STEP = 0.15  # difference of brightness between rim and painting
NEAR = 0.03  # part of the side in which a ragged rim is looked for
DEEPEST = 0.2  # part of the side that may be rim
SOFT = 1  # pixels beside a rim that are blurred with it


def trim(scan: StyleImage) -> StyleImage:
    """A scan without its rim; the same where there is none, or where too little would be left."""
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
        return scan  # all that can be seen lies in the rim
    return replace(scan, colours=scan.colours[(..., *inner)], alpha=alpha)


def _rim(lines: Tensor) -> int:
    """How many lines (L, P) at the beginning belong to the rim."""
    deepest = int(DEEPEST * len(lines))
    spread = lines[: deepest + 1].std(1)
    flat = 0
    while flat < deepest and float(spread[flat]) < FLAT:
        flat += 1
    if flat == deepest:
        flat = 0  # a wide even ground is part of the image
    near = max(2, round(NEAR * len(lines)))
    inside = lines[flat + near : flat + 2 * near].mean()
    apart = (lines[flat : flat + near].mean(1) - inside).abs() > STEP
    ragged = int(apart.nonzero()[-1]) + 1 if bool(apart[:1]) else 0
    rim = flat + ragged
    return rim + SOFT if rim else 0

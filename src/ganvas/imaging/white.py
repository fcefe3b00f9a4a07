"""Find the value of white in images of more than 8 bits."""

from ganvas.imaging.errors import UnreadableImageError

FAINT = 16  # if all values lie below 1/16 of the range, they belong to a smaller range

HARMLESS = 0.5 / 255


def white(
    kind: str, bits: int, low: float, high: float, stated: int | None = None, faint: bool = False
) -> float:
    """The value of white in an image whose smallest value is `low` and largest `high`.

    `kind` is numpy's: u, i or f. `stated` is the largest value that the file states: scanners with
    12 bits write them into 16. Raises UnreadableImageError if no value can be white, or if the
    image would be nearly black: its values then have another range than the file says, and which
    one is unknown. `faint` allows nearly black images, such as black drawings with alpha.
    """
    if kind == "f":
        return _white_of_floats(low, high)
    if low < 0:
        raise _refusal(low, high, f"0…{2 ** (min(bits, 16) - (bits < 32)) - 1}")
    full = 2 ** (bits - (kind == "i")) - 1
    if bits >= 32 and high <= 65535:
        full = 65535  # 16 bits, widened
    elif stated and high <= stated < full and (stated + 1).bit_count() == 1 and stated >= 255:
        full = stated
    if not faint and 0 < high < full / FAINT:
        raise UnreadableImageError(
            f"has values up to {high:g} only, where {full} is white: it would be nearly black; "
            "scale them up, or save it with 8 bits"
        )
    return float(full)


def _white_of_floats(low: float, high: float) -> float:
    for top in (1.0, 255.0):
        # Filters overshoot a little; less than half a step of 8 bits is harmless.
        room = top * HARMLESS
        if -room <= low <= high <= top + room and (top == 1 or high >= FAINT):
            return top
    raise _refusal(low, high, "0…1 or 0…255")


def _refusal(low: float, high: float, wanted: str) -> UnreadableImageError:
    return UnreadableImageError(f"has grey values from {low:g} to {high:g} instead of {wanted}")

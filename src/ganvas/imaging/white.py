"""Which number is white in images of more than 8 bits."""

from ganvas.imaging.errors import UnreadableImageError

FAINT = 16  # numbers below this share of the whole range are those of another, smaller range

HARMLESS = 0.5 / 255


def white(
    kind: str, bits: int, low: float, high: float, told: int | None = None, faint: bool = False
) -> float:
    """The number that is white where the smallest is `low` and the largest `high`.

    `kind` is that of numpy: u, i or f. `told` is the largest that the file says there is: scanners
    with 12 bits write them into 16. Raises UnreadableImageError where nothing can be white, or
    where everything would come out nearly black: such numbers are of another range than the file
    says, and nobody can know of which. With `faint` they may be: black drawings with alpha are.
    """
    if kind == "f":
        return _white_of_floats(low, high)
    if low < 0:
        raise _refusal(low, high, f"0…{2 ** (min(bits, 16) - (bits < 32)) - 1}")
    full = 2 ** (bits - (kind == "i")) - 1
    if bits >= 32 and high <= 65535:
        full = 65535  # 16 bits, widened
    elif told and high <= told < full and (told + 1).bit_count() == 1 and told >= 255:
        full = told
    if not faint and 0 < high < full / FAINT:
        raise UnreadableImageError(
            f"has values up to {high:g} only, where {full} is white: it would be nearly black; "
            "scale them up, or save it with 8 bits"
        )
    return float(full)


def _white_of_floats(low: float, high: float) -> float:
    for top in (1.0, 255.0):
        # Filters overshoot a little; what would not change a pixel by half a step is harmless.
        room = top * HARMLESS
        if -room <= low <= high <= top + room and (top == 1 or high >= FAINT):
            return top
    raise _refusal(low, high, "0…1 or 0…255")


def _refusal(low: float, high: float, wanted: str) -> UnreadableImageError:
    return UnreadableImageError(f"has grey values from {low:g} to {high:g} instead of {wanted}")

"""Parse lists and ranges of numbers, such as 7, 1,2,3, 1-40 or 1-4,9."""

import typer

MOST = 100_000


def numbers(written: str) -> list[int]:
    """The whole numbers of "1-4,9", in that order; raises typer.BadParameter."""
    found: list[int] = []
    for part in written.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            start, end = int(first), int(last if dash else first)
        except ValueError:
            raise typer.BadParameter(f"{written!r} is not like 7, 1,2,3 or 1-40.") from None
        if end < start:
            raise typer.BadParameter(f"{part.strip()!r} goes backwards.")
        if len(found) + end - start >= MOST:
            raise typer.BadParameter(f"{written!r} has more than {MOST:,} seeds.")
        found += range(start, end + 1)
    return found

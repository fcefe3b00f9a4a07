"""Digests of what ganvas itself made carry a mark, so that it is known without another look."""

_MARK = "generated-"


def mark(digest: str, generated: bool) -> str:
    """The digest, with a mark where it is that of a generated image."""
    return f"{_MARK}{digest}" if generated else digest


def unmark(digest: str) -> tuple[str, bool]:
    """The digest of the content alone, and whether it was marked."""
    return digest.removeprefix(_MARK), digest.startswith(_MARK)

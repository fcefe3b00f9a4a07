"""Mark the digests of images that ganvas generated, so that the files need not be read again."""

_MARK = "generated-"


def mark(digest: str, generated: bool) -> str:
    """The digest, with a mark if the image was generated."""
    return f"{_MARK}{digest}" if generated else digest


def unmark(digest: str) -> tuple[str, bool]:
    """The digest of the content alone, and whether it was marked."""
    return digest.removeprefix(_MARK), digest.startswith(_MARK)

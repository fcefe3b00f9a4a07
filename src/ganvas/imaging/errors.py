"""Why a file cannot be used as an image."""

from ganvas.errors import GanvasError


class UnreadableImageError(GanvasError, ValueError):
    """A file that cannot be used as an image; the message is the reason: "is truncated"."""


class ScarceMemoryError(UnreadableImageError):
    """A sound file for which there is too little memory at this moment: it may be read later."""

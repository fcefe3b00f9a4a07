"""Exceptions for files that cannot be used as images."""

from ganvas.errors import GanvasError


class UnreadableImageError(GanvasError, ValueError):
    """A file that cannot be used as an image; the message is the reason: "is truncated"."""


class ScarceMemoryError(UnreadableImageError):
    """A valid file for which too little memory is free at present; it may be readable later."""

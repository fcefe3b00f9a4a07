"""A run that cannot be begun or resumed."""

from ganvas.errors import GanvasError


class RunError(GanvasError, ValueError):
    """A run that cannot start as asked; the message says what to do instead."""

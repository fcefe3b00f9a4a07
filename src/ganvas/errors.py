"""Errors whose message is written for the user: one sentence saying what, where and what to do."""


class GanvasError(Exception):
    """The base of every error raised on purpose; the command line prints its message."""

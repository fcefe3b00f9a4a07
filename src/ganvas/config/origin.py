"""Where the value of a setting comes from."""

from enum import StrEnum


class Origin(StrEnum):
    """Where a value comes from."""

    USER = "user"
    RECIPE = "recipe"  # of the model
    IMAGES = "images"  # their size, channels or number
    DEVICE = "device"
    PLAN = "plan"  # what the budget buys on this machine
    SEARCH = "search"  # in runs until November 2026: the winning trial of their search
    MONITOR = "monitor"  # a treatment by the doctor
    RESUME = "resume"  # what the run was begun with
    START = "from"  # the model that it is fine-tuned from
    DEFAULT = "default"

    @property
    def label(self) -> str:
        """Its name in a comment of run.yaml."""
        return "you" if self is Origin.USER else str(self)

"""Read the losses from the logs of a Keras training loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ganvas.errors import GanvasError


class LogsError(GanvasError, KeyError):
    """A training loop that does not report its losses."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would quote it


@dataclass(frozen=True)
class Losses:
    """The names of both networks' losses in `logs`."""

    discriminator: str = "d_loss"
    generator: str = "g_loss"

    def of(self, logs: Mapping[str, Any] | None) -> dict[str, float]:
        """Both losses under ganvas's names; empty if one is not finite. Raises LogsError."""
        names = {"loss_d": self.discriminator, "loss_g": self.generator}
        there = dict(logs or {})
        if missing := [name for name in names.values() if name not in there]:
            raise LogsError(
                f"the loop reports no {missing[0]!r}, only {sorted(there)}; give "
                "on_train_batch_end logs with both losses, or name them with losses=Losses(...)."
            )
        found = {ours: float(there[theirs]) for ours, theirs in names.items()}
        return found if all(map(isfinite, found.values())) else {}


USUAL = Losses()

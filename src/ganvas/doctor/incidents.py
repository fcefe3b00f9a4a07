"""Incidents of a run: what was detected, what was done, and whether it helped."""

from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from ganvas.events import Diagnosis
from ganvas.runtime.forms import rebuild


@dataclass(frozen=True)
class Incident:
    """One diagnosis, and what followed from it."""

    diagnosis: Diagnosis
    treatment: str | None = None
    applied: Annotated[int, Field(ge=0)] = 0
    """How many treatments of the issue's list have been used up, this one included."""
    helped: bool | None = None
    """Whether the treatment helped; None while that is unknown."""


@dataclass
class Incidents:
    """All incidents of a run, oldest first."""

    all: list[Incident] = field(default_factory=list)

    def add(self, incident: Incident) -> None:
        """Append an incident."""
        self.all.append(incident)

    def resolve(self, helped: bool) -> None:
        """Record whether the current treatment helped."""
        number = self._treated[-1]
        self.all[number] = replace(self.all[number], helped=helped)

    @property
    def under_treatment(self) -> Incident | None:
        """The last treated incident, while it is unknown whether the treatment helped."""
        if not self._treated or self.all[self._treated[-1]].helped is not None:
            return None
        return self.all[self._treated[-1]]

    @property
    def _treated(self) -> list[int]:
        return [n for n, incident in enumerate(self.all) if incident.treatment is not None]

    def applied(self, issue: str) -> int:
        """How many treatments of an issue's list have been used up."""
        return max((one.applied for one in self.all if one.diagnosis.issue == issue), default=0)

    def last(self, issue: str) -> Incident | None:
        """The last incident of this issue."""
        return next((one for one in reversed(self.all) if one.diagnosis.issue == issue), None)

    def as_plain(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [asdict(incident) for incident in self.all]

    @classmethod
    def of_plain(cls, plain: object) -> "Incidents":
        """Rebuild from what `as_plain` returned; raises FormError for anything else."""
        return cls(rebuild(_INCIDENTS, plain))


_INCIDENTS = TypeAdapter(list[Incident])

"""What has happened to a run: what was seen, what was done, whether it helped."""

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
    """How far up its list of treatments that was."""
    helped: bool | None = None
    """None while that is not known."""


@dataclass
class Incidents:
    """All of a run, oldest first."""

    all: list[Incident] = field(default_factory=list)

    def add(self, incident: Incident) -> None:
        """One more."""
        self.all.append(incident)

    def resolve(self, helped: bool) -> None:
        """Say of what is under treatment whether it helped."""
        number = self._treated[-1]
        self.all[number] = replace(self.all[number], helped=helped)

    @property
    def under_treatment(self) -> Incident | None:
        """The last one that was treated, while it is not known whether that helped."""
        if not self._treated or self.all[self._treated[-1]].helped is not None:
            return None
        return self.all[self._treated[-1]]

    @property
    def _treated(self) -> list[int]:
        return [n for n, incident in enumerate(self.all) if incident.treatment is not None]

    def applied(self, issue: str) -> int:
        """How far up its list of treatments an issue has been treated."""
        return max((v.applied for v in self.all if v.diagnosis.issue == issue), default=0)

    def last(self, issue: str) -> Incident | None:
        """The last incident because of it."""
        return next((v for v in reversed(self.all) if v.diagnosis.issue == issue), None)

    def as_plain(self) -> list[dict[str, Any]]:
        """As JSON holds it."""
        return [asdict(incident) for incident in self.all]

    @classmethod
    def of_plain(cls, plain: object) -> "Incidents":
        """What `as_plain` gave; raises FormError for anything else."""
        return cls(rebuild(_INCIDENTS, plain))


_INCIDENTS = TypeAdapter(list[Incident])

"""What has happened to a patient: what was seen, what was done, whether it helped."""

from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from ganvas.events import Diagnosis
from ganvas.runtime.forms import rebuilt


@dataclass(frozen=True)
class Visit:
    """One diagnosis, and what followed from it."""

    diagnosis: Diagnosis
    treatment: str | None = None
    rungs: Annotated[int, Field(ge=0)] = 0
    """How far up its ladder that was."""
    helped: bool | None = None
    """None while that is not known."""


@dataclass
class Visits:
    """All of a run, oldest first."""

    all: list[Visit] = field(default_factory=list)

    def add(self, visit: Visit) -> None:
        """One more."""
        self.all.append(visit)

    def judge(self, helped: bool) -> None:
        """Say of what is under treatment whether it helped."""
        number = self._treated[-1]
        self.all[number] = replace(self.all[number], helped=helped)

    @property
    def under_treatment(self) -> Visit | None:
        """The last one that was treated, while it is not known whether that helped."""
        if not self._treated or self.all[self._treated[-1]].helped is not None:
            return None
        return self.all[self._treated[-1]]

    @property
    def _treated(self) -> list[int]:
        return [n for n, visit in enumerate(self.all) if visit.treatment is not None]

    def rungs(self, illness: str) -> int:
        """How far up its ladder an illness has been treated."""
        return max((v.rungs for v in self.all if v.diagnosis.illness == illness), default=0)

    def last(self, illness: str) -> Visit | None:
        """The last visit because of it."""
        return next((v for v in reversed(self.all) if v.diagnosis.illness == illness), None)

    def as_plain(self) -> list[dict[str, Any]]:
        """As JSON holds it."""
        return [asdict(visit) for visit in self.all]

    @classmethod
    def of_plain(cls, plain: object) -> "Visits":
        """What `as_plain` gave; raises FormError for anything else."""
        return cls(rebuilt(_VISITS, plain))


_VISITS = TypeAdapter(list[Visit])

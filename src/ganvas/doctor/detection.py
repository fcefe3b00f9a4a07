"""What is wrong with a run, by its chart, and what of it has not been said yet."""

from collections.abc import Mapping

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.incidents import Visits
from ganvas.doctor.issue import Illness
from ganvas.doctor.signals import WINDOW, Chart
from ganvas.events import Diagnosis

AGAIN = 128  # windows after which an illness that nobody treats is spoken of again


def seen(illnesses: Mapping[str, Illness], chart: Chart, visits: Visits) -> dict[str, Evidence]:
    """What is seen now, in the order of the table, but for lasting illnesses known already."""
    return {
        name: evidence
        for name, illness in illnesses.items()
        if not (illness.lasting and visits.last(name)) and (evidence := illness.detect(chart))
    }


def first_unsaid(
    seen: Mapping[str, Evidence], visits: Visits, step: int, resumed_at: int = -1
) -> str | None:
    """The first that was not spoken of lately, or since the run was resumed; or that was treated,
    which could have changed it."""
    return next((name for name in seen if not _said(visits, name, step, resumed_at)), None)


def _said(visits: Visits, name: str, step: int, resumed_at: int) -> bool:
    last = visits.last(name)
    if last is None or last.treatment is not None or last.diagnosis.step <= resumed_at:
        return False
    return step - last.diagnosis.step < AGAIN * WINDOW


def diagnosis(step: int, name: str, evidence: Evidence, illness: Illness) -> Diagnosis:
    """As it is told."""
    return Diagnosis(step, name, evidence.sentence, dict(evidence.figures), illness.by_hand)

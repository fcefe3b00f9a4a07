"""What is wrong with a run, by its signals window, and what of it has not been said yet."""

from collections.abc import Mapping

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.incidents import Incidents
from ganvas.doctor.issue import Issue
from ganvas.doctor.signals import WINDOW, SignalsWindow
from ganvas.events import Diagnosis

AGAIN = 128  # windows after which an issue that nobody treats is spoken of again


def detect_issues(
    issues: Mapping[str, Issue], signals: SignalsWindow, incidents: Incidents
) -> dict[str, Evidence]:
    """What is seen now, in the order of the table, but for lasting issues known already."""
    return {
        name: evidence
        for name, issue in issues.items()
        if not (issue.lasting and incidents.last(name)) and (evidence := issue.detect(signals))
    }


def first_new(
    detect_issues: Mapping[str, Evidence], incidents: Incidents, step: int, resumed_at: int = -1
) -> str | None:
    """The first that was not spoken of lately, or since the run was resumed; or that was treated,
    which could have changed it."""
    return next(
        (name for name in detect_issues if not _is_reported(incidents, name, step, resumed_at)),
        None,
    )


def _is_reported(incidents: Incidents, name: str, step: int, resumed_at: int) -> bool:
    last = incidents.last(name)
    if last is None or last.treatment is not None or last.diagnosis.step <= resumed_at:
        return False
    return step - last.diagnosis.step < AGAIN * WINDOW


def diagnosis(step: int, name: str, evidence: Evidence, issue: Issue) -> Diagnosis:
    """As it is told."""
    return Diagnosis(step, name, evidence.sentence, dict(evidence.figures), issue.by_hand)

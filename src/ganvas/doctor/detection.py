"""Run all detectors on a signals window, and choose the issue to report."""

from collections.abc import Mapping

from ganvas.doctor.evidence import Evidence
from ganvas.doctor.incidents import Incidents
from ganvas.doctor.issue import Issue
from ganvas.doctor.signals import WINDOW, SignalsWindow
from ganvas.events import Diagnosis

AGAIN = 128  # windows after which an untreated issue is reported again


def detect_issues(
    issues: Mapping[str, Issue], signals: SignalsWindow, incidents: Incidents
) -> dict[str, Evidence]:
    """Issues detected now, in the order of the table, without lasting issues already reported."""
    return {
        name: evidence
        for name, issue in issues.items()
        if not (issue.lasting and incidents.last(name)) and (evidence := issue.detect(signals))
    }


def first_new(
    detected: Mapping[str, Evidence], incidents: Incidents, step: int, resumed_at: int = -1
) -> str | None:
    """The first detected issue that is due to be reported; None if there is none.

    An issue is due if it was not reported recently, if the run was resumed since, or if it was
    treated, because the treatment may have changed it.
    """
    return next(
        (name for name in detected if not _is_reported(incidents, name, step, resumed_at)),
        None,
    )


def _is_reported(incidents: Incidents, name: str, step: int, resumed_at: int) -> bool:
    last = incidents.last(name)
    if last is None or last.treatment is not None or last.diagnosis.step <= resumed_at:
        return False
    return step - last.diagnosis.step < AGAIN * WINDOW


def diagnosis(step: int, name: str, evidence: Evidence, issue: Issue) -> Diagnosis:
    """The diagnosis event of an issue."""
    return Diagnosis(step, name, evidence.sentence, dict(evidence.figures), issue.by_hand)

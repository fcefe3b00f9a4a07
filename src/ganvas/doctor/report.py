"""The history of a run in plain words: what was seen, what was done, whether it helped."""

from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict  # Python 3.11's cannot be read by pydantic

from ganvas.checkpoints.metadata import CheckpointError, RunMetadata, state_of
from ganvas.doctor import ISSUES
from ganvas.doctor.incidents import Incident, Incidents
from ganvas.doctor.signals import SignalsWindow
from ganvas.runtime.forms import Count, FormError, validate

HELPED = {
    True: "It has not been seen again since.",
    False: "It was seen again.",
    None: "Whether that helps is not known yet.",
}


COMPARED = ("spread", "coverage", "missing")  # what a look says together


@dataclass(frozen=True)
class Recollection:
    """What a checkpoint holds of the doctor."""

    signals: SignalsWindow
    incidents: Incidents
    treated_at: int

    @classmethod
    def of(cls, record: object) -> "Recollection":
        """From the record of a checkpoint; raises CheckpointError where it is damaged."""
        try:
            content = validate(_RECORD, record)
            return cls(
                SignalsWindow.of_plain(content["signals"]),
                Incidents.of_plain(content["incidents"]),
                content["treated_at"],
            )
        except FormError as fault:
            raise CheckpointError(
                f"what the checkpoint says of the doctor is damaged: {fault}; go back to an older "
                "one, by moving this one out of the folder."
            ) from None


@with_config(ConfigDict(extra="ignore"))
class _Record(TypedDict):
    signals: dict[str, Any]
    incidents: list[Any]
    treated_at: Count


_RECORD = TypeAdapter(_Record)


@dataclass(frozen=True)
class History:
    """What a checkpoint says of its run."""

    step: int
    images: int
    dropped: int
    signals: SignalsWindow
    incidents: Incidents

    @classmethod
    def of(cls, metadata: RunMetadata) -> "History | None":
        """From the metadata of a checkpoint; None of a run that no doctor watched.

        Raises CheckpointError where its record is damaged.
        """
        record = metadata.records.get("doctor")
        if record is None:
            return None
        known, state = Recollection.of(record), state_of(metadata, "the checkpoint")
        return cls(state.step, state.images, state.dropped, known.signals, known.incidents)


def describe_incident(incident: Incident) -> list[str]:
    """One incident, a sentence or two a line."""
    found = incident.diagnosis
    lines = [f"Step {found.step:,}: {summary(incident)}.", found.sentence]
    if incident.treatment is None:
        return lines
    lasting = found.issue in ISSUES and ISSUES[found.issue].lasting
    return [*lines, f"Done: {incident.treatment}", *([] if lasting else [HELPED[incident.helped]])]


def summary(incident: Incident) -> str:
    """What its issue is."""
    known = ISSUES.get(incident.diagnosis.issue)
    name = incident.diagnosis.issue.replace("-", " ")
    return f"{name}, {known.summary}" if known else name


def condition(history: History) -> list[str]:
    """How the run was when it was last looked at."""
    probes = [probe for probe in history.signals.probes if probe.values.keys() >= {*COMPARED}]
    if not probes:
        return []
    found, step = probes[-1].values, probes[-1].step
    lines = [
        f"At step {step:,}, seen as thumbnails: samples differ {found['spread']:.0%} as much as "
        f"real images do, {found['coverage']:.0%} of real images have a sample near, and kinds "
        f"that make up {found['missing']:.0%} of them are not generated."
    ]
    if "duplicates" in found:  # looks of older versions have none
        lines.append(
            f"{found['duplicates']:.0%} of the samples nearly repeat another (of real images 1%)."
        )
    if "gap" in found:
        lines.append(
            f"The discriminator scores what it has learnt from {found['gap']:+.2f} spreads above "
            "images that were held out (0: it knows nothing by heart)."
        )
    return lines


def next_steps(history: History) -> list[str]:
    """What to try by hand: for what was not treated, or came back."""
    open_ones = {
        incident.diagnosis.issue: incident.diagnosis.advice
        for incident in history.incidents.all
        if incident.helped is not True
    }
    return [
        f"{name.replace('-', ' ').capitalize()}: {advice}" for name, advice in open_ones.items()
    ]

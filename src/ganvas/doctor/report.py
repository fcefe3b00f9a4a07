"""The history of a run in plain words: what was detected, what was done, whether it helped."""

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
    True: "It has not been detected since.",
    False: "It was detected again.",
    None: "It is not known yet whether that helps.",
}


COMPARED = ("spread", "coverage", "missing")  # a probe has all of them or none


@dataclass(frozen=True)
class Recollection:
    """The doctor's record in a checkpoint."""

    signals: SignalsWindow
    incidents: Incidents
    treated_at: int

    @classmethod
    def of(cls, record: object) -> "Recollection":
        """Read the record of a checkpoint; raises CheckpointError where it is damaged."""
        try:
            content = validate(_RECORD, record)
            return cls(
                SignalsWindow.of_plain(content["signals"]),
                Incidents.of_plain(content["incidents"]),
                content["treated_at"],
            )
        except FormError as fault:
            raise CheckpointError(
                f"the doctor's record in the checkpoint is damaged: {fault}; move this checkpoint "
                "out of the folder to go back to an older one."
            ) from None


@with_config(ConfigDict(extra="ignore"))
class _Record(TypedDict):
    signals: dict[str, Any]
    incidents: list[Any]
    treated_at: Count


_RECORD = TypeAdapter(_Record)


@dataclass(frozen=True)
class History:
    """The history of a run, from one of its checkpoints."""

    step: int
    images: int
    dropped: int
    signals: SignalsWindow
    incidents: Incidents

    @classmethod
    def of(cls, metadata: RunMetadata) -> "History | None":
        """Read the metadata of a checkpoint; None for a run without the doctor.

        Raises CheckpointError where its record is damaged.
        """
        record = metadata.records.get("doctor")
        if record is None:
            return None
        known, state = Recollection.of(record), state_of(metadata, "the checkpoint")
        return cls(state.step, state.images, state.dropped, known.signals, known.incidents)


def describe_incident(incident: Incident) -> list[str]:
    """One incident as lines of one or two sentences."""
    found = incident.diagnosis
    lines = [f"Step {found.step:,}: {summary(incident)}.", found.sentence]
    if incident.treatment is None:
        return lines
    lasting = found.issue in ISSUES and ISSUES[found.issue].lasting
    return [*lines, f"Done: {incident.treatment}", *([] if lasting else [HELPED[incident.helped]])]


def summary(incident: Incident) -> str:
    """The name of an incident's issue, and what it means."""
    known = ISSUES.get(incident.diagnosis.issue)
    name = incident.diagnosis.issue.replace("-", " ")
    return f"{name}, {known.summary}" if known else name


def condition(history: History) -> list[str]:
    """The state of the run at its last probe, in sentences."""
    probes = [probe for probe in history.signals.probes if probe.values.keys() >= {*COMPARED}]
    if not probes:
        return []
    found, step = probes[-1].values, probes[-1].step
    lines = [
        f"At step {step:,}, measured on thumbnails: samples differ {found['spread']:.0%} as much "
        f"as real images do, {found['coverage']:.0%} of real images have a sample near them, and "
        f"modes that make up {found['missing']:.0%} of them are not generated."
    ]
    if "duplicates" in found:  # probes of older versions have none
        lines.append(
            f"{found['duplicates']:.0%} of the samples nearly repeat another (real images: 1%)."
        )
    if "gap" in found:
        lines.append(
            f"The discriminator scores training images {found['gap']:+.2f} standard deviations "
            "above held-out ones (0: no overfitting)."
        )
    return lines


def next_steps(history: History) -> list[str]:
    """What to try by hand for issues that were not treated, or came back."""
    open_ones = {
        incident.diagnosis.issue: incident.diagnosis.advice
        for incident in history.incidents.all
        if incident.helped is not True
    }
    return [
        f"{name.replace('-', ' ').capitalize()}: {advice}" for name, advice in open_ones.items()
    ]

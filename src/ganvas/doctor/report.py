"""The history of a patient in plain words: what was seen, what was done, whether it helped."""

from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict  # Python 3.11's cannot be read by pydantic

from ganvas.checkpoints.metadata import CheckpointError, RunMetadata, state_of
from ganvas.doctor import ILLNESSES
from ganvas.doctor.incidents import Visit, Visits
from ganvas.doctor.signals import Chart
from ganvas.runtime.forms import Count, FormError, shaped

HELPED = {
    True: "It has not been seen again since.",
    False: "It was seen again.",
    None: "Whether that helps is not known yet.",
}


COMPARED = ("spread", "coverage", "missing")  # what a look says together


@dataclass(frozen=True)
class Recollection:
    """What a checkpoint holds of the doctor."""

    chart: Chart
    visits: Visits
    treated_at: int

    @classmethod
    def of(cls, record: object) -> "Recollection":
        """From the record of a checkpoint; raises CheckpointError where it is damaged."""
        try:
            content = shaped(_RECORD, record)
            return cls(
                Chart.of_plain(content["chart"]),
                Visits.of_plain(content["visits"]),
                content["treated_at"],
            )
        except FormError as fault:
            raise CheckpointError(
                f"what the checkpoint says of the doctor is damaged: {fault}; go back to an older "
                "one, by moving this one out of the folder."
            ) from None


@with_config(ConfigDict(extra="ignore"))
class _Record(TypedDict):
    chart: dict[str, Any]
    visits: list[Any]
    treated_at: Count


_RECORD = TypeAdapter(_Record)


@dataclass(frozen=True)
class History:
    """What a checkpoint says of its run."""

    step: int
    images: int
    dropped: int
    chart: Chart
    visits: Visits

    @classmethod
    def of(cls, metadata: RunMetadata) -> "History | None":
        """From the metadata of a checkpoint; None of a run that no doctor watched.

        Raises CheckpointError where its record is damaged.
        """
        record = metadata.records.get("doctor")
        if record is None:
            return None
        known, state = Recollection.of(record), state_of(metadata, "the checkpoint")
        return cls(state.step, state.images, state.dropped, known.chart, known.visits)


def told(visit: Visit) -> list[str]:
    """One visit, a sentence or two a line."""
    found = visit.diagnosis
    lines = [f"Step {found.step:,}: {summary(visit)}.", found.sentence]
    if visit.treatment is None:
        return lines
    lasting = found.illness in ILLNESSES and ILLNESSES[found.illness].lasting
    return [*lines, f"Done: {visit.treatment}", *([] if lasting else [HELPED[visit.helped]])]


def summary(visit: Visit) -> str:
    """What its illness is."""
    known = ILLNESSES.get(visit.diagnosis.illness)
    name = visit.diagnosis.illness.replace("-", " ")
    return f"{name}, {known.summary}" if known else name


def condition(history: History) -> list[str]:
    """How the run was when it was last looked at."""
    exams = [exam for exam in history.chart.exams if exam.values.keys() >= {*COMPARED}]
    if not exams:
        return []
    found, step = exams[-1].values, exams[-1].step
    lines = [
        f"At step {step:,}, seen as thumbnails: samples differ {found['spread']:.0%} as much as "
        f"real images do, {found['coverage']:.0%} of real images have a sample near, and kinds "
        f"that make up {found['missing']:.0%} of them are not painted."
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
        visit.diagnosis.illness: visit.diagnosis.advice
        for visit in history.visits.all
        if visit.helped is not True
    }
    return [
        f"{name.replace('-', ' ').capitalize()}: {advice}" for name, advice in open_ones.items()
    ]

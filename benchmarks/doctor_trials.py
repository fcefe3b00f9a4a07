"""How often is the doctor right? Runs broken on purpose, and healthy ones, many seeds.

`python benchmarks/doctor_trials.py`; two at a time, each on one thread. Interrupted, it goes on
where it was; `--fresh` runs again. `--only NAME ...` runs some, `--all` what takes longer than two
hours too; the table shows all results. With `--coloured` all of this is of the runs on coloured
images, which also learn through a pretrained network, and have a table of their own.
"""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import torch
from broken_runs import BROKEN_RUNS, BrokenRun, build_of_case
from images import as_tensor
from record import ROOT, commit, record
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]  # has no types
from score import Scorer
from stored import BENCHMARKS, Table
from torch import Tensor
from toy import Points

from ganvas.evaluation.features import DigitsClassifier, VGG19Averages
from ganvas.evaluation.metrics import frechet_distance
from ganvas.events import Diagnosis, FollowUp, GivenUp, Treatment
from ganvas.models.sampling import sample_batches
from ganvas.runs.build import Build, monitors
from ganvas.training import DivergedError, Goal, TrainingState, train
from ganvas.training.state import fixed_latents

FOLDER = ROOT / "benchmarks/results/doctor_trials"
AVERAGING = 0.05
POINTS, DIGITS, EMOJI = 2000, 2000, 1000  # samples that are scored
SAMPLE_STREAM = 9
FIRST_SEED = 200  # thresholds were set on smaller ones
NEAR = 1.5  # times the healthy score
HEADS = [
    "run", "runs", "seen", "after steps (median, most)", "score untreated", "treated",
    f"within {NEAR:g}x of healthy", "treatments",
]  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One run, one seed, with the doctor treating or off."""

    case: str
    seed: int
    doctor: str
    score: float  # lower is better
    seconds: float
    commit: str
    diagnoses: list[tuple[int, str, str]] = field(default_factory=list)
    treatments: list[tuple[int, str, str]] = field(default_factory=list)
    cured: list[tuple[int, str, bool]] = field(default_factory=list)
    given_up: bool = False
    diverged: bool = False


def main() -> None:
    """Run whatever has no result yet, print the table and record it."""
    given = _options()
    group = {name: case for name, case in BROKEN_RUNS.items() if case.coloured == given.coloured}
    if others := set(given.only or ()) - set(group):
        raise SystemExit(f"{', '.join(sorted(others))}: with or without --coloured, not both.")
    usual = [name for name, case in group.items() if given.all or not case.further]
    jobs = [  # seed by seed: what is interrupted says something of every run
        (name, seed, doctor)
        for seed in range(FIRST_SEED, FIRST_SEED + given.seeds)
        for name in given.only or usual
        for doctor in ("treat", "off")
        if seed < FIRST_SEED + BROKEN_RUNS[name].seeds
        and (given.fresh or not _path(name, seed, doctor).is_file())
    ]
    now = commit()
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        running = [pool.submit(trial, *job, now) for job in jobs]
        for number, done in enumerate(as_completed(running), start=1):
            if done.exception() is not None:  # and not after all others
                pool.shutdown(cancel_futures=True)
            one = done.result()
            _keep(one)
            seen = ", ".join(f"{issue} at {step}" for step, issue, _ in one.diagnoses)
            print(
                f"{number}/{len(jobs)} {one.case}, seed {one.seed}, {one.doctor}: "
                f"{one.score:.4g}, {one.seconds:.0f} s; {seen or 'nothing seen'}",
                flush=True,
            )
    found = {key: trials for key, trials in kept().items() if key[0] in group}
    record(
        given.results,
        "doctor_trials",
        [Table(HEADS, _rows(found))],
        variant="coloured" if given.coloured else "",
        title="Runs on coloured images" if given.coloured else "",
        notes=_summary(found),
        commits={one.commit for trials in found.values() for one in trials},
    )


def trial(name: str, seed: int, doctor: str, now: str) -> Trial:
    """One run from its start to its end, and the score of what it generates then."""
    torch.set_num_threads(1)
    case, began = BROKEN_RUNS[name], monotonic()
    built = build_of_case(case, seed, doctor)
    state = built.initial_state()
    attended = monitors(built, state, {})
    images = built.config.training.images
    assert images is not None, "a run says how long"
    found: dict[str, Any] = {"diagnoses": [], "treatments": [], "cured": []}
    events = train(case.harm(built.trainer), state, built.loader, Goal(images), AVERAGING, attended)
    try:
        for event in events:
            match event:
                case Diagnosis():
                    found["diagnoses"].append((event.step, event.issue, event.sentence))
                case Treatment():
                    found["treatments"].append((event.step, event.issue, event.sentence))
                case FollowUp():
                    found["cured"].append((event.step, event.issue, event.helped))
                case GivenUp():
                    found["given_up"] = True
                    break
    except DivergedError:
        found["diverged"] = True
    score = scored(case, built, state)
    return Trial(name, seed, doctor, score, monotonic() - began, now, **found)


def scored(case: BrokenRun, built: Build, state: TrainingState) -> float:
    """How far what is generated is from what there is: points by their Wasserstein distance in
    radii of the ring, images by a Fréchet distance of features; infinite where nothing is finite.
    """
    if isinstance(built.dataset, Points):
        real = torch.from_numpy(built.dataset.batch(range(POINTS))).flatten(1) / 127.5 - 1
        return wasserstein(real, _sampled(state, POINTS).flatten(1)) / float(real.norm(dim=1).max())
    real = as_tensor(case.healthy())
    grey = real.shape[1] == 1
    scorer = Scorer(DigitsClassifier.load() if grey else VGG19Averages(), real, 0)
    fake = _sampled(state, DIGITS if grey else EMOJI)
    if not torch.isfinite(fake).all():
        return float("inf")
    return frechet_distance(scorer.reals, scorer.network.features(fake))


def wasserstein(real: Tensor, fake: Tensor) -> float:
    """The 1-Wasserstein distance of as many points (N, 2) of each, by the best pairing."""
    if not torch.isfinite(fake).all():
        return float("inf")
    costs = torch.cdist(real.double(), fake.double()).numpy()
    return float(costs[linear_sum_assignment(costs)].mean())


def _sampled(state: TrainingState, count: int) -> Tensor:
    drawn = fixed_latents(state, SAMPLE_STREAM, count)
    return sample_batches(state.average, drawn)


Trials = Mapping[tuple[str, str], list[Trial]]  # by run and doctor


def _rows(found: Trials) -> list[list[str]]:
    rows = []
    for name, case in BROKEN_RUNS.items():
        treated, untreated = found.get((name, "treat"), []), found.get((name, "off"), [])
        if not treated or not untreated:
            continue
        seen = [step for one in treated if (step := _seen(one, case)) is not None]
        near = [one.score <= NEAR * _healthy(found, name) for one in treated]
        rows.append(
            [
                name,
                str(len(treated)),
                f"{len(seen)} of {len(treated)}",
                f"{median(seen):,.0f}, {max(seen):,}" if seen else "",
                _middle(untreated),
                _middle(treated),
                f"{sum(near)} of {len(near)}" if case.treatable else "cannot be treated",
                "; ".join(_most_common(one.treatments for one in treated)),
            ]
        )
    return rows


def _seen(one: Trial, case: BrokenRun) -> int | None:
    """Steps until the right issue was named, or any of a healthy run."""
    named = [s for s, issue, _ in one.diagnoses if not case.issues or issue in case.issues]
    return named[0] - case.from_step if named else None


def _healthy(found: Trials, name: str) -> float:
    """The median score, without a doctor, of the same runs if they are healthy, or of
    healthy ones of the same model on the same images."""
    case = BROKEN_RUNS[name]
    if case.issues:
        name = next(
            healthy
            for healthy, other in BROKEN_RUNS.items()
            if not other.issues and (other.healthy, other.model) == (case.healthy, case.model)
        )
    return median(one.score for one in found[name, "off"])


def _summary(found: Trials) -> str:
    issues, well, cured, treatable = [0, 0], [0, 0], 0, 0
    for (name, doctor), trials in found.items():
        case = BROKEN_RUNS[name]
        if doctor != "treat":
            continue
        seen = sum(_seen(one, case) is not None for one in trials)
        counted = issues if case.issues else well
        counted[0] += seen
        counted[1] += len(trials)
        if case.issues and case.treatable:
            near = NEAR * _healthy(found, name)
            cured += sum(one.score <= near for one in trials)
            treatable += len(trials)
    return (
        f"Detected: {issues[0]} of {issues[1]} broken runs ({_share(*issues)}); alarms in "
        f"{well[0]} of {well[1]} healthy runs ({_share(*well)}); within {NEAR:g} times the healthy "
        f"score: {cured} of "
        f"{treatable} treatable runs ({_share(cured, treatable)}). Scores, lower is better: "
        f"points, 1-Wasserstein distance of {POINTS:,} in radii; digits, Fréchet distance of "
        f"{DIGITS:,} through the digits classifier; emoji, of {EMOJI:,} through "
        "VGG-19. Medians, and least and most."
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _middle(trials: list[Trial]) -> str:
    scores = [one.score for one in trials]
    return f"**{median(scores):.3g}** ({min(scores):.3g} to {max(scores):.3g})"


def _most_common(treatments: Iterable[list[tuple[int, str, str]]]) -> list[str]:
    counts: dict[str, int] = {}
    for of_run in treatments:
        for _, issue, _ in of_run:
            counts[issue] = counts.get(issue, 0) + 1
    return [f"{count} of {issue}" for issue, count in sorted(counts.items())]


def kept() -> Trials:
    """All results that there are."""
    found: dict[tuple[str, str], list[Trial]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        one = Trial(**json.loads(path.read_text()))
        found.setdefault((one.case, one.doctor), []).append(one)
    return found


def _keep(one: Trial) -> None:
    path = _path(one.case, one.seed, one.doctor)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(one), indent=1) + "\n")


def _path(name: str, seed: int, doctor: str) -> Path:
    word = re.sub(r"\W+", "_", name)
    return FOLDER / f"{word}_{seed}_{doctor}.json"


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*BROKEN_RUNS])
    parser.add_argument("--coloured", action="store_true", help="the runs on coloured images")
    parser.add_argument("--all", action="store_true", help="further healthy ones too: an hour more")
    parser.add_argument("--seeds", type=int, default=100, help="at most so many of each")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="run again what has a result")
    parser.add_argument("--results", type=Path, default=BENCHMARKS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""The study of a sweep, in Optuna: a journal file that any number of workers share.

Optuna: A Next-generation Hyperparameter Optimization Framework (Akiba et al., 2019). The sampler is
TPE (Bergstra et al., 2011), the pruner successive halving as asynchronous workers have it (Li et
al., 2020, ASHA).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np

from ganvas.checkpoints.run_dir import RunDir
from ganvas.runtime.locking import is_locked
from ganvas.runtime.names import printable
from ganvas.sweep.definition import FILE, REDUCTION, UNITS, Definition
from ganvas.sweep.space import Range, SweepError, Value

JOURNAL, CLAIMS, TRIALS, NAME = "study.journal", "claims", "trials", "ganvas"
SOON = timedelta(minutes=1)
UNTIL = "until"  # the attribute of a study that says when its best is done
RUN = "run"  # the attribute of a trial that names its run


def optuna() -> Any:
    """Optuna, which comes with the extra `sweep`; raises SweepError where it is not installed."""
    try:
        import optuna as found
    except ImportError:
        raise SweepError(
            "sweeps need Optuna, which is not installed: pip install 'ganvas[sweep]'."
        ) from None
    found.logging.set_verbosity(found.logging.WARNING)
    return found


class Study:
    """The trials of a sweep, whoever runs them."""

    def __init__(self, folder: Path, definition: Definition) -> None:
        """Open or begin the study; raises SweepError for a journal of another study."""
        library = optuna()
        self.folder, self.definition, self._library = folder, definition, library
        with _journal_errors(folder / JOURNAL):
            backend = library.storages.journal.JournalFileBackend(str(folder / JOURNAL))
            storage = library.storages.JournalStorage(backend)
            names = library.get_all_study_names(storage)
            if names and names != [NAME]:
                raise SweepError(
                    f"{printable(str(folder / JOURNAL))} is the journal of another study "
                    f"({printable(names[0])}); choose another --out."
                )
            self._study = library.create_study(
                storage=storage,
                study_name=NAME,
                load_if_exists=True,
                direction="minimize",
                sampler=_sampler(library, definition),
                pruner=library.pruners.SuccessiveHalvingPruner(
                    min_resource=UNITS[0], reduction_factor=REDUCTION
                ),
            )

    @property
    def until(self) -> float | None:
        """Seconds of training after which the best is done; None before it has been chosen."""
        found = self._study.user_attrs.get(UNTIL)
        return None if found is None else float(found)

    def goes_on_until(self, seconds: float) -> None:
        """Keep after how many seconds of training the best is done."""
        self._study.set_user_attr(UNTIL, seconds)

    def number(self, trial: Any) -> int:
        """Which of the trials it is, from 1; one that was lost and begun again keeps its own."""
        own = self.run_of(trial).path.name
        names = {self.run_of(one).path.name for one in self._study.get_trials(deepcopy=False)}
        return sorted({*names, own}).index(own) + 1

    @property
    def trials(self) -> list[Any]:
        """All trials but those that were lost and begun again."""
        states = self._library.trial.TrialState
        return [one for one in self._study.get_trials(deepcopy=False) if one.state != states.FAIL]

    def first(self, planned: dict[str, Value]) -> None:
        """Let the run as planned be the first trial, unless there are trials already."""
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(planned)

    def take_up(self) -> None:
        """Let trials whose worker has ended be gone on with."""
        states = self._library.trial.TrialState
        for one in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            name = one.user_attrs.get(RUN)
            if name is None or not self._is_lost(name, one.datetime_start):
                continue
            self._study.tell(one.number, state=states.FAIL)
            self._study.enqueue_trial(one.params, user_attrs={RUN: name})

    def _is_lost(self, name: str, begun: datetime | None) -> bool:
        """Whether nobody holds the claim on a trial, which its worker takes soon after it asks."""
        if not self.claim(name).exists():
            return begun is not None and datetime.now() - begun > SOON
        return is_locked(self.claim(name)) is False

    def ask(self) -> Any | None:
        """The next trial; None where all have begun."""
        states = self._library.trial.TrialState
        waiting = any(one.state == states.WAITING for one in self.trials)
        begun = [one for one in self.trials if one.state != states.WAITING]
        if len(begun) >= self.definition.trials and not waiting:
            return None
        trial = self._study.ask()
        if RUN not in trial.user_attrs:
            trial.set_user_attr(RUN, f"{trial.number:03d}")
        return trial

    def suggested(self, trial: Any) -> dict[str, Value]:
        """The values of every range for a trial."""
        return {one.setting: one.suggested(trial) for one in self.definition.ranges}

    def finish(self, trial: Any, score: float | None) -> None:
        """A trial is over: with a score after all its time, or pruned before."""
        states = self._library.trial.TrialState
        if score is None:
            self._study.tell(trial, state=states.PRUNED)
        else:
            self._study.tell(trial, score)

    def running_elsewhere(self) -> int:
        """How many trials other workers are running."""
        states = self._library.trial.TrialState
        return sum(one.state == states.RUNNING for one in self.trials)

    def remove(self) -> None:
        """Remove the sweep, unless another worker is at work on it."""
        claims = self.folder / CLAIMS
        if claims.is_dir() and any(is_locked(claim) for claim in claims.iterdir()):
            return
        for name in (FILE, JOURNAL):
            (self.folder / name).unlink(missing_ok=True)
        for name in (CLAIMS, TRIALS):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        with suppress(OSError):  # it holds what is not the sweep's
            self.folder.rmdir()

    def claim(self, name: str) -> Path:
        """The folder that a worker locks while it runs this trial."""
        return self.folder / CLAIMS / name

    def run(self, name: str) -> RunDir:
        """The run of a trial."""
        return RunDir(self.folder / TRIALS / name)

    def run_of(self, trial: Any) -> RunDir:
        """The run of a trial."""
        return self.run(str(trial.user_attrs.get(RUN, f"{trial.number:03d}")))

    def ranking(self) -> list[Any]:
        """Every trial that has a score, the best first: those that went furthest, by their KID."""
        scored = [one for one in self.trials if one.intermediate_values]

        def place(one: Any) -> tuple[int, float]:
            last = max(one.intermediate_values)
            return (-last, one.intermediate_values[last])

        return sorted(scored, key=place)

    def importances(self) -> dict[str, float]:
        """The share of each setting in what sets good trials apart (PED-ANOVA: Watanabe et al.,
        2023); empty of too few trials."""
        done = [one for one in self.trials if one.intermediate_values]
        if len(done) < 4 or len(self.definition.ranges) < 2:
            return {}
        # Of pruned trials too: by the score that each had when the first were pruned.
        library, first = self._library, UNITS[0]
        compared = library.create_study(direction="minimize")
        for one in done:
            if first in one.intermediate_values:
                compared.add_trial(
                    library.trial.create_trial(
                        params=one.params,
                        distributions=one.distributions,
                        value=one.intermediate_values[first],
                    )
                )
        names = [one.setting for one in self.definition.ranges]
        evaluator = library.importance.PedAnovaImportanceEvaluator(target_quantile=0.34)
        try:
            found = library.importance.get_param_importances(
                compared, evaluator=evaluator, params=names
            )
        except ValueError:  # all alike
            return {}
        return {name: float(value) for name, value in found.items()}


def _sampler(library: Any, definition: Definition) -> Any:
    """TPE that draws the same for the same number of a trial, whichever worker asks, and when.

    A generator of each worker's own would draw the first trials again after it was stopped, and
    others in every sweep.
    """
    seed = int(definition.given.get("seed", 0))
    startup = max(3, definition.trials // 4)

    class ByNumber(library.samplers.BaseSampler):  # type: ignore[misc]  # of a library named late
        def before_trial(self, study: Any, trial: Any) -> None:
            drawn = np.random.SeedSequence([seed, trial.number]).generate_state(1)[0]
            self.tpe = library.samplers.TPESampler(
                seed=int(drawn), multivariate=True, constant_liar=True, n_startup_trials=startup
            )
            self.tpe.before_trial(study, trial)

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            return self.tpe.infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, space: Any) -> Any:
            return self.tpe.sample_relative(study, trial, space)

        def sample_independent(self, study: Any, trial: Any, name: str, among: Any) -> Any:
            return self.tpe.sample_independent(study, trial, name, among)

    return ByNumber()


@contextmanager
def _journal_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except SweepError:
        raise
    except (ValueError, KeyError, TypeError) as fault:
        raise SweepError(
            f"{printable(str(path))} is no journal of a sweep; choose another --out."
        ) from fault


def in_range(ranges: tuple[Range, ...], planned: dict[str, Any]) -> dict[str, Value]:
    """Those planned values that lie in their ranges, as Optuna takes them."""
    found: dict[str, Value] = {}
    for one in ranges:
        value = planned.get(one.setting)
        if one.holds(value):
            found[one.setting] = str(value) if one.kind == "choice" else cast(Value, value)
    return found

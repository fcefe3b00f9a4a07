"""A run that is about to begin or to go on: everything is decided, and nothing is written yet."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.checkpoints.checkpoint import Checkpoint
from ganvas.checkpoints.metadata import RunMetadata
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Origin
from ganvas.config import yaml as run_yaml
from ganvas.data import report
from ganvas.events import Configured, Event
from ganvas.imaging.grid import grid
from ganvas.imaging.write import generated_mark, write_png
from ganvas.runs.plan import Plan
from ganvas.runs.session import Session
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.training import TrainingState
from ganvas.training.callbacks.evaluation import Scorer
from ganvas.training.callbacks.log import forget_after
from ganvas.training.callbacks.samples import COLUMNS, ROWS

SHOWN = ROWS * COLUMNS  # real images on their sheet, as many as samples on theirs


@dataclass(frozen=True)
class Opening:
    """A plan, the state that it begins with, and whatever else its session is made of."""

    folder: RunDir
    plan: Plan
    state: TrainingState
    scorer: Scorer | None  # of a run that is evaluated while it trains
    checkpoint: Checkpoint | None = None  # that it goes on from

    def configured(self) -> Configured:
        """Every setting with its origin; live ones as the doctor has left them."""
        return configured(self.plan, self.state)

    def session(self) -> Generator[Event, None, Session]:
        """Describe the run in its directory, and be ready to train; raises PlaceError."""
        plan, state = self.plan, self.state
        if self.checkpoint is not None:
            forget_after(self.folder.metrics_log, state.step)
        describe(self.folder, plan)
        yield configured(plan, state)
        metadata = RunMetadata() if self.checkpoint is None else self.checkpoint.metadata
        return Session.of(self.folder, plan, state, self.scorer, metadata)


def describe(folder: RunDir, plan: Plan) -> None:
    """Write down which run this is."""
    make_folder(folder.path)
    dataset = plan.build.dataset
    write_text(folder.report, json.dumps(report(dataset).as_json(), indent=1))
    if not folder.real.exists():
        shown = np.linspace(0, dataset.usable - 1, min(SHOWN, dataset.usable)).round()
        sheet = grid(dataset.batch(shown.astype(np.int64)), COLUMNS)
        write_png(folder.real, sheet, generated_mark("sheet"))  # no image to learn from
    run_yaml.write(folder.settings, plan.config)  # last: with it the directory is a run's


def configured(plan: Plan, state: TrainingState) -> Configured:
    """Every setting with its origin; live ones as the doctor has left them."""
    config = plan.config
    found: dict[str, tuple[Any, str]] = {"model": (config.model, str(config.model_origin))}
    for section, values in config.as_nested().items():
        if isinstance(values, dict):
            for name, value in values.items():
                found[f"{section}.{name}"] = (value, str(config.origin(section, name)))
    for name, value in state.live.items():
        if float(found[f"game.{name}"][0]) != value:
            found[f"game.{name}"] = (value, str(Origin.MONITOR))
    return Configured(found)

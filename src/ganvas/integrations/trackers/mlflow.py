"""MLflow, which Azure ML takes in, too: where MLFLOW_TRACKING_URI says, or as MLflow does without.

MLFLOW_RUN_ID, which a service that starts jobs sets, names the run to report to; otherwise a new
one is made, in the experiment of MLFLOW_EXPERIMENT_NAME or in "ganvas".
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from ganvas.checkpoints.run_dir import RunDir
from ganvas.integrations.trackers.tracker import Settings

EXPERIMENT = "ganvas"
AT_ONCE, LONGEST = 100, 500  # parameters that one request may hold, and characters of each
FINDING = 5000  # characters of a tag


class Mlflow:
    """A run in MLflow."""

    def __init__(self, client: MlflowClient, name: str) -> None:
        self.client, self.id = client, name

    def settings(self, settings: Settings) -> None:
        """As parameters."""
        found = [Param(name, str(value)[:LONGEST]) for name, value in settings.items()]
        for first in range(0, len(found), AT_ONCE):
            self.client.log_batch(self.id, params=found[first : first + AT_ONCE])

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """As metrics."""
        now = int(1000 * time.time())
        found = [Metric(name, value, now, step) for name, value in values.items()]
        self.client.log_batch(self.id, metrics=found)

    def samples(self, step: int, sheet: Path) -> None:
        """As an artifact, in the folder samples."""
        self.client.log_artifact(self.id, str(sheet), "samples")

    def finding(self, step: int, sentence: str) -> None:
        """As a tag with the step in its name."""
        self.client.set_tag(self.id, f"finding.{step:08}", sentence[:FINDING])

    def close(self, finished: bool) -> None:
        """Finished, or stopped."""
        self.client.set_terminated(self.id, "FINISHED" if finished else "KILLED")


def opened(run: RunDir, known: str | None, step: int) -> Mlflow:
    """The run that MLflow knows already, that a service has made for it, or a new one."""
    client = MlflowClient()
    for name in (known, os.environ.get("MLFLOW_RUN_ID")):
        if name is not None and _is_there(client, name):
            client.update_run(name, "RUNNING")
            return Mlflow(client, name)
    title = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    experiment = client.get_experiment_by_name(title)
    number = experiment.experiment_id if experiment else client.create_experiment(title)
    made = client.create_run(number, run_name=run.path.absolute().name)
    return Mlflow(client, made.info.run_id)


def _is_there(client: MlflowClient, name: str) -> bool:
    try:
        client.get_run(name)
    except MlflowException:  # another server than the one that made it
        return False
    return True

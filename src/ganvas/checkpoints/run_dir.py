"""The directory of a run.

RUN/run.yaml        complete settings: it begins the same run again
RUN/images.json     which images are used, which were refused and why
RUN/search/         trials, and what each reached, where there was a search
RUN/checkpoints/    the last few and the best
RUN/samples/        images of the same latents, again and again
RUN/metrics.jsonl   the metrics log; losses.png and progress.gif are drawn from log and samples
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunDir:
    """Where everything of a run lies."""

    path: Path

    @property
    def settings(self) -> Path:
        """run.yaml."""
        return self.path / "run.yaml"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def search(self) -> Path:
        """The directory of a search before the run."""
        return self.path / "search"

    @property
    def samples(self) -> Path:
        """The folder of sample grids."""
        return self.path / "samples"

    @property
    def metrics_log(self) -> Path:
        """metrics.jsonl."""
        return self.path / "metrics.jsonl"

    @property
    def report(self) -> Path:
        """images.json."""
        return self.path / "images.json"

    @property
    def old_report(self) -> Path:
        """What images.json was called until November 2026."""
        return self.path / "pictures.json"

    @property
    def curves(self) -> Path:
        """losses.png."""
        return self.path / "losses.png"

    @property
    def progress(self) -> Path:
        """progress.gif."""
        return self.path / "progress.gif"

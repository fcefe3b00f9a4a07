"""The directory of a run.

RUN/run.yaml        complete settings, which reproduce the run
RUN/images.json     which images are used, which were refused and why
RUN/checkpoints/    the last few checkpoints and the best
RUN/samples/        sample grids of fixed latents
RUN/real.png        some of the images that it learns from, as the networks see them
RUN/metrics.jsonl   the metrics log; losses.png and progress.gif are made from log and samples
RUN/status.json     how far the run is, written about once a second while it trains
RUN/commands/       commands from other processes, each with the run's answer
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunDir:
    """The paths of a run's files."""

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
    def samples(self) -> Path:
        """The folder of sample grids."""
        return self.path / "samples"

    @property
    def real(self) -> Path:
        """real.png."""
        return self.path / "real.png"

    @property
    def nearest(self) -> Path:
        """nearest.png, which `ganvas evaluate` writes: samples above the real images nearest."""
        return self.path / "nearest.png"

    @property
    def metrics_log(self) -> Path:
        """metrics.jsonl."""
        return self.path / "metrics.jsonl"

    @property
    def status(self) -> Path:
        """status.json."""
        return self.path / "status.json"

    @property
    def commands(self) -> Path:
        """The folder of commands from other processes."""
        return self.path / "commands"

    @property
    def report(self) -> Path:
        """images.json."""
        return self.path / "images.json"

    @property
    def old_report(self) -> Path:
        """The name of images.json until November 2026."""
        return self.path / "pictures.json"

    @property
    def curves(self) -> Path:
        """losses.png."""
        return self.path / "losses.png"

    @property
    def progress(self) -> Path:
        """progress.gif."""
        return self.path / "progress.gif"

"""TensorBoard: event files in RUN/tensorboard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter, summary

from ganvas.checkpoints.run_dir import RunDir
from ganvas.integrations.trackers.tracker import Settings

# TensorBoard folds scalars by what stands before the slash.
HEADINGS = {
    **dict.fromkeys(("loss", "loss_d", "loss_g", "reconstruction", "divergence"), "losses"),
    **dict.fromkeys(("d_real", "d_fake", "logit_gap"), "discriminator"),
    **dict.fromkeys(("score", "kernel", "precision", "recall", "coverage"), "scores"),
}
KID = "scores/kernel"


class TensorBoard:
    """A run in TensorBoard."""

    def __init__(self, folder: Path, step: int) -> None:
        self.id = folder.name
        # What a run that died had told after the step from which it goes on is hidden.
        self.writer = SummaryWriter(str(folder), purge_step=step + 1 if step >= 0 else None)

    def settings(self, settings: Settings) -> None:
        """Under the tab of hyperparameters, with KID as what they are to improve."""
        files: Any = self.writer.file_writer
        described: Any = summary.hparams
        for part in described(dict(settings), {KID: 0.0}):
            files.add_summary(part)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Under the headings losses, discriminator, scores and training."""
        for name, value in values.items():
            self.writer.add_scalar(f"{HEADINGS.get(name, 'training')}/{name}", value, step)

    def samples(self, step: int, sheet: Path) -> None:
        """As an image, with a slider through time."""
        with Image.open(sheet) as image:
            pixels = np.asarray(image.convert("RGB"))
        self.writer.add_image("samples", pixels, step, dataformats="HWC")

    def finding(self, step: int, sentence: str) -> None:
        """As a text."""
        self.writer.add_text("findings", sentence, step)

    def close(self, finished: bool) -> None:
        """Write the rest."""
        self.writer.close()


def opened(run: RunDir, known: str | None, step: int) -> TensorBoard:
    """The run's event files, from this step on."""
    return TensorBoard(run.path / "tensorboard", step if known else -1)

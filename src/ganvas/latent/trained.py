"""Where a trained model is found: a run, a checkpoint, a file, or what comes with ganvas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas import checkpoint
from ganvas.checkpoint import Checkpoint, CheckpointError, Tensors
from ganvas.data import ASSETS
from ganvas.latent import portable

SHIPPED = {"digits": "digits_generator", "emoji": "emoji_generator"}


@dataclass(frozen=True)
class Trained:
    """A trained model on the disk."""

    name: str  # as people call it
    facts: Mapping[str, Any]
    average: Tensors  # the averaged generator
    checkpoint: Checkpoint | None = None  # all the rest, where there is more
    passed_over: list[str] = field(default_factory=list)  # a sentence for each damaged checkpoint


def trained(where: str | Path) -> Trained:
    """The model of a run or checkpoint (folders), of a file, or of a name that comes with ganvas.

    Raises CheckpointError when there is none.
    """
    path = Path(where)
    if str(where) in SHIPPED:
        path = ASSETS / f"{SHIPPED[str(where)]}{portable.ENDING}"
    if path.is_file() or path.suffix == portable.ENDING:
        tensors, facts = portable.read(path)
        return Trained(str(where), facts, tensors)
    if not path.is_dir():
        names = " or ".join(SHIPPED)
        raise CheckpointError(
            f"{where} is neither the folder of a run, nor a file, nor {names}, which come with "
            "ganvas."
        )
    found, passed_over = _in_folder(path)
    return Trained(str(where), found.facts, found.tensors("average"), found, passed_over)


def _in_folder(run: Path) -> tuple[Checkpoint, list[str]]:
    """The newest good checkpoint of a run, and a sentence for each damaged one passed over."""
    if (run / "manifest.json").exists():
        return checkpoint.verify(checkpoint.read(run)), []
    return checkpoint.newest(run / "checkpoints")

"""How good a trained model is, and against what: pictures in, a report out."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas import config
from ganvas.data import BUILTIN, DataSettings, prepare
from ganvas.events import Evaluated, Event
from ganvas.latent.painter import painter
from ganvas.latent.trained import Trained, trained
from ganvas.metrics import (
    Report,
    Scores,
    duplicates,
    nearest_real,
    pairwise_diversity,
    scores,
)
from ganvas.metrics.report import NEIGHBOURHOOD
from ganvas.run_folder import RunFolder
from ganvas.sheets import grid
from ganvas.training.evaluating import FEWEST, EvaluationError
from ganvas.training.reference import as_shown, drawn, real_features, seen
from ganvas.training.sampling import to_bytes
from ganvas.vision import feature_network

COUNT = 5000  # samples
SEED = 1_000_000  # of the first: away from the seeds that people look at
COMPARED = 512  # pictures whose pixels are compared
SHOWN = 10  # pairs on the strip


def evaluate(
    run: str | Path,
    against: str | Path | None = None,
    *,
    count: int = COUNT,
    features: str = "lite0",
    seed: int = SEED,
) -> Generator[Event, None, Evaluated]:
    """Score what a trained model paints against the pictures that it learnt from, or `against`.

    `run` is the folder of a run or a checkpoint, a generator's file, or a name that comes with
    ganvas; `features` is one of `ganvas.vision.FEATURES`, or a TorchScript or ONNX file. The
    pictures of `count` seeds from `seed` on are scored. A generator of events, the last of which is
    Evaluated, which it also returns. What the network sees in real pictures is kept in the cache.

    Raises CheckpointError, EvaluationError, FeaturesError, UnknownNameError, and whatever preparing
    the pictures raises, each with one sentence that says what to do.
    """
    if count < FEWEST:
        raise EvaluationError(f"{count} samples say nothing; give a --count of {FEWEST} or more.")
    found = trained(run)
    network = feature_network(features)
    pictures = yield from prepare(*_pictures_of(found, against))
    if pictures.usable < FEWEST:
        raise EvaluationError(
            f"{pictures.source} has {pictures.usable} usable pictures, too few to compare with; "
            f"give {FEWEST} or more with --against."
        )
    paints, numbers = painter(found), drawn(len(pictures))
    real = yield from real_features(network, pictures)

    def painted(first: int, last: int) -> Tensor:
        return paints.paint(list(range(seed + first, seed + last)))

    fake = yield from seen(network, count, "generated", painted)

    def shown(chosen: NDArray[np.int64]) -> Tensor:
        return as_shown(pictures, numbers[chosen])

    copies = nearest_real(real, fake)
    few = np.arange(min(COMPARED, count, len(numbers)))
    report = Report(
        network=network.name,
        samples=count,
        reals=len(numbers),
        seed=seed,
        source=pictures.source,
        scores=scores(real, fake),
        ceiling=_between_halves(real),
        duplicates=duplicates(real[:NEIGHBOURHOOD], fake[:NEIGHBOURHOOD]),
        copied=copies.share,
        diversity=pairwise_diversity(shown(few), painted(0, len(few))),
    )
    likest = copies.suspicious[:SHOWN]
    samples = paints.paint((seed + likest).tolist())
    pairs = torch.cat([samples, shown(copies.real[likest].numpy())])
    evaluated = Evaluated(report, grid(to_bytes(pairs), len(likest)))
    yield evaluated
    return evaluated


def _pictures_of(found: Trained, against: str | Path | None) -> tuple[str, DataSettings]:
    """What to prepare: the source and the form of the pictures that the model paints."""
    channels, height, width = found.facts["shape"]
    form = {"size": f"{height}x{width}", "channels": str(channels)}
    if against is not None:
        return str(against), config.data_settings({"data": form})
    stored = _run_file(found)
    if stored is not None:
        content = config.read(stored)
        return content["source"], config.data_settings({"data": {**content["data"], **form}})
    if found.name in BUILTIN:
        return found.name, config.data_settings({"data": form})
    raise EvaluationError(
        f"{found.name} does not say which pictures it learnt from; give them with --against."
    )


def _run_file(found: Trained) -> Path | None:
    """run.yaml of the run that a checkpoint lies in."""
    if found.checkpoint is None:
        return None
    path = RunFolder(found.checkpoint.folder.parents[1]).settings
    return path if path.exists() else None


def _between_halves(real: Tensor) -> Scores:
    """What real pictures reach: the best that a sample of half as many can hope for."""
    one, other = real.chunk(2)
    return scores(one, other)

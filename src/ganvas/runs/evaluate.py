"""How good a trained model is, and against what: images in, a report out."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request, data_settings
from ganvas.config import yaml as run_yaml
from ganvas.config.evaluation import FEWEST
from ganvas.config.request import section
from ganvas.data import (
    DataSettings,
    ImageDataset,
    NoImagesError,
    key_of,
    locate,
    passed_by,
    prepare,
)
from ganvas.evaluation import impartial
from ganvas.evaluation.features import DEFAULT, feature_network
from ganvas.evaluation.metrics import (
    EvaluationReport,
    Scores,
    duplicates,
    nearest_real,
    pairwise_diversity,
    scores,
)
from ganvas.evaluation.metrics.report import NEIGHBOURHOOD
from ganvas.evaluation.reference import as_shown, extract_features, real_features, reference_indices
from ganvas.events import Evaluated, Event, Notice
from ganvas.generate.arguments import whole_number
from ganvas.generate.pipeline import pipeline
from ganvas.generate.trained import Trained, find_trained
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.registry import UnknownNameError
from ganvas.runtime.device import DeviceName, choose_device
from ganvas.runtime.memory import available
from ganvas.runtime.system import system_errors
from ganvas.runtime.validation import ArgumentError, Place, SettingsError, arguments
from ganvas.training.callbacks.evaluation import EvaluationError

COUNT = 5000  # samples
SEED = 1_000_000  # of the first: away from the seeds that people look at
COMPARED = 512  # images whose pixels are compared
SHOWN = 10  # pairs on the strip
LARGEST = 2**63 - 1  # seed
FLOATS = 3 * 4  # bytes for each feature of a sample: parts, all of them, and what metrics copy


@arguments
def evaluate(
    run: Place,
    against: Place | None = None,
    *,
    count: Any = COUNT,
    features: Place = DEFAULT,
    seed: Any = SEED,
    device: DeviceName = "auto",
) -> Generator[Event, None, Evaluated]:
    """Score the samples of a trained model against its training images, or `against`.

    `run` is the folder of a run or a checkpoint, a generator's file, or a name that comes with
    ganvas; `features` is one of `ganvas.evaluation.features.FEATURES`, or a TorchScript or ONNX
    file, and computes on `device`. The images of `count` seeds from `seed` on are scored.

    A generator of events, the last of which is Evaluated, which it also returns. A Notice says if
    the images are not the training images of the model, another if it has learnt through the
    network that scores it. Features of real images are cached.

    Raises ArgumentError, CheckpointError, EvaluationError, FeaturesError, UnknownNameError,
    PlaceError, UnavailableDeviceError, and whatever preparing the images raises, each with one
    sentence that says what to do.
    """
    samples, first = whole_number("count", count, 1), whole_number("seed", seed, 0)
    if first + samples > LARGEST:
        raise ArgumentError(f"seed must be below {LARGEST} with all that follow it, not {first}.")
    if samples < FEWEST:
        raise EvaluationError(f"{samples} samples say nothing; give a --count of {FEWEST} or more.")
    return _events(run, against, samples, str(features), first, choose_device(device))


def _events(
    run: str | Path,
    against: str | Path | None,
    count: int,
    features: str,
    seed: int,
    device: torch.device,
) -> Generator[Event, None, Evaluated]:
    with system_errors():
        found = find_trained(run)
        network = feature_network(features, device)
        dataset = yield from _images(found, against)
        if dataset.usable < FEWEST:
            raise EvaluationError(
                f"{dataset.source} has {dataset.usable} usable images, too few to compare "
                f"with; give {FEWEST} or more with --against."
            )
        others = _others(found, dataset, against is not None)
        if others is not None:
            yield Notice(others)
        warning = impartial.warning(network, found.metadata.pretrained)
        if warning is not None:
            yield Notice(warning)
        trained, numbers = pipeline(found, device), reference_indices(len(dataset))
        real = yield from real_features(network, dataset)
        _check_memory(count, real.shape[1])

        def generated_images(first: int, last: int) -> Tensor:
            return trained.generate(list(range(seed + first, seed + last)))

        fake = yield from extract_features(network, count, "generated", generated_images)

        def show(chosen: NDArray[np.int64]) -> Tensor:
            return as_shown(dataset, numbers[chosen])

        copies = nearest_real(real, fake)
        few = np.arange(min(COMPARED, count, len(numbers)))
        report = EvaluationReport(
            network=network.name,
            samples=count,
            reals=len(numbers),
            seed=seed,
            source=dataset.source,
            scores=scores(real, fake),
            ceiling=_between_halves(real),
            duplicates=duplicates(real[:NEIGHBOURHOOD], fake[:NEIGHBOURHOOD]),
            copied=copies.share,
            diversity=pairwise_diversity(show(few), generated_images(0, len(few))),
        )
        likest = copies.suspicious[:SHOWN]
        samples = trained.generate((seed + likest).tolist())
        pairs = torch.cat([samples, show(copies.real[likest].numpy())])
        evaluated = Evaluated(report, grid(to_bytes(pairs), len(likest)), others, warning)
        yield evaluated
        return evaluated


def _images(found: Trained, against: str | Path | None) -> Generator[Event, None, ImageDataset]:
    """The images to compare with, in the form that the model generates."""
    channels, height, width = found.model.shape
    form = {"size": f"{height}x{width}", "channels": str(channels)}
    source, data = _learnt_from(found)
    if against is not None:
        place = locate(against, "against")
        if said := passed_by(against):
            yield Notice(said)
        return (yield from prepare(place, (yield from _suitable(found, place, data | form))))
    if source is None:
        raise EvaluationError(
            f"{found.name} does not say which images it learnt from; give them with --against."
        )
    try:
        return (yield from prepare(source, _settings(data | form)))
    except (UnknownNameError, NoImagesError) as fault:
        if found.shipped:
            raise
        raise EvaluationError(
            f"the images that {found.name} learnt from are not in {source} any more; say with "
            "--against where they are now, or with which others to compare."
        ) from fault


def _learnt_from(found: Trained) -> tuple[str | None, dict[str, Any]]:
    """Source and settings of the images of a model, as far as it says them."""
    if found.shipped:
        return found.shipped, {}
    content = _run_settings(found)
    if content is None:
        return None, {}
    source = content.get("source")
    if not isinstance(source, str) or not source:
        raise SettingsError(f"{found.name} does not say which images its run learnt from.")
    return source, section(content, "data")


def _run_settings(found: Trained) -> dict[str, Any] | None:
    """What run.yaml beside a checkpoint says, else what the checkpoint remembers of it."""
    if found.checkpoint is None:
        return None
    config = found.metadata.config
    remembered = config if "source" in config else None  # old ones hold parts of it
    path = RunDir(found.checkpoint.folder.absolute().parents[1]).settings
    if not path.exists():
        return remembered
    try:
        return run_yaml.read_whole(path)
    except SettingsError:
        if remembered is None:
            raise
        return dict(remembered)


def _suitable(
    found: Trained, place: str, data: dict[str, Any]
) -> Generator[Event, None, DataSettings]:
    """All settings of the run, where its own images lie there now; else those of the form."""
    settings = _settings(data)
    try:
        if (yield from key_of(place, settings)) == (
            found.metadata.dataset and found.metadata.dataset.key
        ):
            return settings
    except NoImagesError:  # none has such a name
        pass
    return replace(settings, only=None, labels="none", mirror=False)


def _settings(data: dict[str, Any]) -> DataSettings:
    return data_settings(Request.of({"data": data}))


def _others(found: Trained, dataset: ImageDataset, named: bool) -> str | None:
    """That the images are not those that the model learnt from, if they are not."""
    then = found.metadata.dataset
    if then is None or (then.key == dataset.key and then.usable in (None, dataset.usable)):
        return None
    if named:
        return (
            f"The images in {dataset.source} are not those that the model learnt from: the "
            "scores say how near it comes to these."
        )
    usable = then.usable
    before = "" if usable is None or usable == dataset.usable else f", {usable:,} then"
    return (
        f"The images in {dataset.source} have changed since the model learnt from them "
        f"({dataset.usable:,} are usable now{before}): it is compared with those that are there "
        "now."
    )


def _check_memory(count: int, size: int) -> None:
    """Raises EvaluationError where the features of so many samples have no room."""
    if count * size * FLOATS > available():
        room = available() // (size * FLOATS)
        raise EvaluationError(
            f"{count:,} samples do not fit into memory; give a --count of {room:,} or less."
        )


def _between_halves(real: Tensor) -> Scores:
    """What real images reach: the best that a sample of half as many can hope for."""
    one, other = real.chunk(2)
    return scores(one, other)

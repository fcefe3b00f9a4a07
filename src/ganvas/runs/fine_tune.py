"""A run that starts from a trained model: what it takes over, and when it cannot."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, replace
from typing import Any

from torch import nn

from ganvas.checkpoints.checkpoint import Tensors
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.config import Origin, Request
from ganvas.errors import GanvasError
from ganvas.generate.trained import (
    GENERATOR,
    PROJECTED,
    SHIPPED,
    Trained,
    find_trained,
    is_trained,
)
from ganvas.models import AdversarialModel, Generator, Shape, spec_of
from ganvas.models.description import misfit
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.runs.build import Build
from ganvas.runtime.names import absolute
from ganvas.runtime.validation import build_settings
from ganvas.training import TrainingState

CODES = f"{PROJECTED}matching.codes.axes"
BUILTIN = "builtin:"  # before the name of what comes with ganvas, where a folder is called so too


def locate(name: str) -> str:
    """What a person named to start from, so that it means the same from any folder: a bare name of
    what comes with ganvas, or an absolute path.

    A run or a file that is there comes before a shipped model of the same name.
    """
    bare, place = name.removeprefix(BUILTIN), absolute(name)
    ours = bare == name and is_trained(place)
    return bare if bare in SHIPPED and not ours else str(place)


def open_start(stored: str) -> Trained:
    """The trained model of a name that `locate` gave; raises CheckpointError."""
    return find_trained(f"{BUILTIN}{stored}" if stored in SHIPPED else stored)


class UnsuitableStartError(GanvasError, ValueError):
    """A trained model that cannot go on with what was asked; the message says what to change."""


def take_over(request: Request, start: Trained) -> Request:
    """What was asked, completed by model, network and size of the start.

    Raises UnsuitableStartError where they disagree, UnknownNameError for a model of another ganvas.
    """
    model = start.model
    _agree(
        start,
        "model",
        {"model": model.name if request.model is None else request.model},
        {"model": model.name},
    )
    _agree(start, "network", request.values.get("network", {}), model.network)
    network = asdict(build_settings(spec_of(model.name).settings, "network", model.network))
    stored = {"network": network, "data": {"size": "{}x{}".format(*model.shape[1:])}}
    return replace(request, model=model.name, stored=stored, stored_origin=Origin.START)


def _agree(start: Trained, what: str, asked: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key, value in asked.items():
        if key in known and str(known[key]) != str(value):
            option = f"--{key.replace('_', '-')}"
            raise UnsuitableStartError(
                f"--from {start.name}: its {what} has {option} {known[key]}, not {value}; leave "
                f"{option} out, or train without --from."
            )


def check(start: Trained, shape: Shape, classes: int) -> None:
    """Raises UnsuitableStartError where the images are not of its size, channels or classes."""
    channels, height, width = start.model.shape
    if shape[1:] != (height, width):
        raise UnsuitableStartError(
            f"--from {start.name}: it generates {height}x{width}, not {shape[1]}x{shape[2]}; leave "
            "--size out, or train without --from."
        )
    if shape[0] != channels:
        raise UnsuitableStartError(
            f"--from {start.name}: it generates {_in_words(channels)}, and your images have "
            f"{_in_words(shape[0])}; add --channels {channels}, or train without --from."
        )
    learnt = len(start.model.classes)
    if learnt != classes:
        raise UnsuitableStartError(
            f"--from {start.name}: it has learnt {learnt or 'no'} classes, and your images have "
            f"{classes or 'none'}; train without --from, or see --labels."
        )


def load(start: Trained, built: Build, state: TrainingState) -> str:
    """Give a run that has not begun the weights of the start; says in a sentence which.

    What each number of a code means stays, where it is known: the run's own images are coded along
    the same axes, and spread along each of them as the start's were.

    Raises CheckpointError when they do not fit.
    """
    model, whole = state.model, start.checkpoint
    projected = model.projected if isinstance(model, AdversarialModel) else None
    theirs = _anchored(model.generator, start.weights(), GENERATOR)
    known = {name: x for name, x in theirs.items() if not name.startswith(PROJECTED)}
    same = projected is not None and start.metadata.pretrained == projected.pretrained
    kept = _kept(projected, theirs) if projected is not None and same else {}
    own = {
        name: x
        for name, x in model.state_dict().items()
        if name.startswith(PROJECTED) or (whole is None and not name.startswith(GENERATOR))
    }
    _take_over(start, model, own | known | kept)
    _take_over(start, state.average, _anchored(state.average, start.average))
    if projected is not None and CODES in kept:
        anchors = built.anchors(projected, axes=False)
        model.generator.anchors, state.average.anchors = anchors, deepcopy(anchors)
    if whole is None:
        return f"It starts from the generator {start.name}; the discriminator begins anew."
    anew = projected is not None and not kept
    also = "; the discriminator on a pretrained network begins anew" if anew else ""
    return f"It starts from {start.name}, step {whole.state.step:,}{also}."


def _anchored(generator: Generator, weights: Tensors, prefix: str = "") -> Tensors:
    """These weights, but with the run's own anchors if it has any: codes of its own images."""
    if generator.anchors is None:
        generator.make_room(weights, prefix)
        return weights
    anchors = f"{prefix}anchors."
    others = {name: tensor for name, tensor in weights.items() if not name.startswith(anchors)}
    own = generator.anchors.state_dict(prefix=anchors)
    return others | dict(own)


def _kept(projected: ProjectedDiscriminator, theirs: Tensors) -> Tensors:
    """What it takes over from that of the start. What was measured over images belongs together:
    all of that, or nothing if a part is missing, as where only the new one matches."""
    found = {k: theirs[k] for name in projected.state_dict() if (k := PROJECTED + name) in theirs}
    measured = {PROJECTED + name for name in projected.measured()}
    if measured <= found.keys():
        return found
    return {name: tensor for name, tensor in found.items() if name not in measured}


def _take_over(start: Trained, network: nn.Module, weights: Tensors) -> None:
    if (fault := misfit(network.state_dict(), weights)) is not None:
        raise CheckpointError(f"{start.name} does not fit its own description: {fault}.")
    network.load_state_dict(weights)


def _in_words(channels: int) -> str:
    return {1: "1 channel (grey)", 3: "3 channels (colour)", 4: "4 channels (with alpha)"}[channels]

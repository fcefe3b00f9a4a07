"""A generator from its description and its weights, neither of which is trusted.

Networks are first built on torch's meta device, which needs no memory. A description of a thousand
million units is then refused before anything is allocated, and weights of wrong shapes are named.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.models import MODELS, Generator, ModelSettings, Shape, build

UPDATE = "it was made by a newer ganvas: update ganvas"


class DescriptionError(ValueError):
    """A description or weights that fit no generator; the message does not name the file."""


@dataclass(frozen=True)
class Description:
    """What is needed to build a network."""

    model: str
    settings: ModelSettings
    shape: Shape
    classes: int


def describe(
    model: str, network: Mapping[str, Any], shape: Sequence[int], classes: int
) -> Description:
    """Check a model's name and settings, and describe it.

    Raises DescriptionError for unknown models and invalid settings.
    """
    if model not in MODELS:
        raise DescriptionError(f"there is no model called {model[:40]!r} here; {UPDATE}")
    form: TypeAdapter[ModelSettings] = TypeAdapter(MODELS[model].settings)
    try:
        settings = form.validate_python(dict(network))
    except ValidationError as fault:
        error = fault.errors(include_url=False)[0]
        name = str(error["loc"][0])[:40] if error["loc"] else "network"
        if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            raise DescriptionError(f"{model} has no setting {name!r} here; {UPDATE}") from None
        message = error["msg"][:1].lower() + error["msg"][1:]
        raise DescriptionError(f"invalid {name}: {message}") from None
    channels, height, width = shape
    return Description(model, settings, (channels, height, width), classes)


def outline(description: Description) -> Generator:
    """The generator on the meta device: shapes and dtypes only; raises DescriptionError."""
    try:
        with torch.device("meta"):
            return build(
                description.model, description.settings, description.shape, description.classes
            ).generator
    except GanvasError as fault:
        raise DescriptionError(str(fault).removesuffix(".")) from None
    except (RuntimeError, OverflowError, MemoryError):  # more numbers than torch can count
        raise DescriptionError("it describes networks that are too large to be built") from None


def fitting(description: Description, weights: Mapping[str, Tensor]) -> Generator:
    """The outlined generator, if these weights fit it; raises DescriptionError."""
    bare = outline(description)
    bare.make_room(weights)
    if (fault := misfit(bare.state_dict(), weights)) is not None:
        raise DescriptionError(fault)
    return bare


def generator(description: Description, weights: Mapping[str, Tensor]) -> Generator:
    """The generator with these weights, ready to generate; raises DescriptionError."""
    made = fitting(description, weights)
    own = {n: weights[n].to(like.dtype, copy=True) for n, like in made.state_dict().items()}
    made.load_state_dict(own, assign=True)
    return made.requires_grad_(False).eval()


def misfit(
    expected: Mapping[str, Tensor], found: Mapping[str, Tensor], finite: bool = True
) -> str | None:
    """Why these tensors cannot take the place of the expected ones; None where they can."""
    if missing := [name for name in expected if name not in found]:
        return f"{missing[0]} is missing"
    if foreign := [name for name in found if name not in expected]:
        return f"there is no {foreign[0][:60]!r} in such a network; {UPDATE}"
    for name, like in expected.items():
        tensor = found[name]
        if tensor.shape != like.shape:
            return f"{name} is {_sides(tensor)} and not {_sides(like)}"
        if not same_kind(tensor, like):
            return f"{name} holds {_kind(tensor)} and not {_kind(like)}"
    if finite and (broken := not_finite(found)):
        return f"{broken} has numbers that are not finite"
    return None


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor with a NaN or an infinity, if any has one."""
    floats = {name: t for name, t in tensors.items() if t.is_floating_point() and t.numel()}
    # If the sum is finite, so is every number, except in rare cases: one pass, and no copy.
    for name, tensor in floats.items():
        if not math.isfinite(float(tensor.float().sum())) and not torch.isfinite(tensor).all():
            return name
    return None


FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


def same_kind(tensor: Tensor, like: Tensor) -> bool:
    """Whether a tensor's dtype can be converted to that of `like`."""
    if like.is_floating_point():
        return tensor.dtype in FLOATS
    return tensor.dtype == like.dtype


def _sides(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")

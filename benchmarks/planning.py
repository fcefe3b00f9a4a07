"""A run as ganvas plans it when nothing but model and time is said, on images of any kind."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch

from ganvas.config import Request, resolve
from ganvas.events import result_of
from ganvas.models import DEFAULT
from ganvas.runs.build import Build
from ganvas.runs.plan import Plan, choose_threads, make_plan
from ganvas.runtime.precision import choose_precision
from ganvas.runtime.threads import using

CPU = torch.device("cpu")


def build_of(content: dict[str, Any], pictures: Any, bf16: bool) -> Build:
    """What run.yaml would say with this content, built on these images."""
    request = Request.of({"source": pictures.source, **content})
    return Build(resolve(request, pictures.shape, pictures.usable, bf16), pictures, CPU)


@contextmanager
def as_planned(
    pictures: Any,
    budget: float,
    model: str = DEFAULT,
    doctor: str = "treat",
    game: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[Plan]:
    """The plan for so many seconds, and as many threads as were planned while the block runs.

    `game` is what is said of the game beside the model.
    """
    content = {
        "model": model,
        "game": dict(game),
        "doctor": {"doctor": doctor},
        "training": {"budget": budget},
    }
    built = build_of(content, pictures, choose_precision("auto", CPU).bf16)
    threads = choose_threads(built)
    with using(threads):
        yield result_of(make_plan(built, threads, 0.0))

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


def build_of(content: dict[str, Any], dataset: Any, bf16: bool) -> Build:
    """What run.yaml would say with this content, built on these images."""
    request = Request.of({"source": dataset.source, **content})
    return Build(resolve(request, dataset.shape, dataset.usable, bf16), dataset, CPU)


@contextmanager
def as_planned(
    dataset: Any,
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
    built = build_of(content, dataset, choose_precision("auto", CPU).bf16)
    threads = choose_threads(built)
    with using(threads):
        yield result_of(make_plan(built, threads, 0.0))

"""A run as ganvas plans it when nothing but model and time is said, on pictures of any kind."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch

from ganvas import config
from ganvas.events import result_of
from ganvas.runs.build import Setup, planned, with_threads
from ganvas.runtime.threads import using
from ganvas.training import choose_precision

CPU = torch.device("cpu")


@contextmanager
def as_planned(
    pictures: Any,
    budget: float,
    model: str = config.DEFAULT_MODEL,
    doctor: str = "treat",
    game: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[Setup]:
    """The setup for so many seconds, and as many threads as were planned while the block runs.

    `game` is what is said of the game beside the model.
    """
    settings = config.settled(
        {
            "source": pictures.source,
            "model": model,
            "game": dict(game),
            "doctor": {"doctor": doctor},
            "training": {"budget": budget},
        }
    )
    settings = replace(settings, game=settings.game.settled(pictures.shape, pictures.usable))
    setup = with_threads(Setup(settings, pictures, CPU, choose_precision("auto", CPU)), {})
    with using(setup.threads):
        yield result_of(planned(setup, {}, 0.0))

"""Random streams derived from plain numbers, identical for a batch and its micro-batches.

No state is stored: a stream is seeded by its purpose, an idea of EDM (Karras et al., 2022). A
resumed run therefore draws exactly the numbers of an uninterrupted one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Stream:
    """Random numbers for some rows of a batch.

    A micro-batch draws for the whole batch and keeps its own rows, so that each image gets the same
    numbers however the batch is divided. Without `rows` a stream draws only the requested count.
    """

    generator: torch.Generator
    total: int = 0
    rows: slice | None = None

    @property
    def device(self) -> torch.device:
        """Where the numbers are drawn."""
        return self.generator.device

    def normal(self, count: int, *shape: int) -> Tensor:
        """Numbers from N(0, 1), (count, *shape)."""
        drawn = torch.randn(
            self.total if self.rows else count,
            *shape,
            generator=self.generator,
            device=self.device,
        )
        return self._own(drawn, count)

    def uniform(self, count: int, *shape: int) -> Tensor:
        """Numbers from [0, 1), (count, *shape)."""
        drawn = torch.rand(
            self.total if self.rows else count,
            *shape,
            generator=self.generator,
            device=self.device,
        )
        return self._own(drawn, count)

    def integers(self, low: int, high: int, count: int) -> Tensor:
        """Whole numbers from low to high - 1, (count,)."""
        shape = (self.total if self.rows else count,)
        drawn = torch.randint(low, high, shape, generator=self.generator, device=self.device)
        return self._own(drawn, count)

    def share(self, count: int) -> float:
        """The share of the whole batch that this number of rows is."""
        return count / self.total if self.rows else 1.0

    def _own(self, drawn: Tensor, count: int) -> Tensor:
        own = drawn if self.rows is None else drawn[self.rows]
        assert len(own) == count, "a stream is for the rows that it was made for"
        return own


def seeded_generator(device: torch.device, *numbers: int) -> torch.Generator:
    """A random generator seeded by these numbers; similar numbers give unrelated streams."""
    mixed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    return torch.Generator(device).manual_seed(mixed)

"""How an autoencoder learns."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as settings

from ganvas.runtime.validation import STRICT


@settings(frozen=True, config=STRICT)
class VariationalSettings:
    """How an autoencoder learns."""

    lr: Annotated[float, Field(gt=0, description="Learning rate of the autoencoder.")] = 1e-3
    beta: Annotated[
        float, Field(ge=0, description="Weight of the KL divergence of the latents.")
    ] = 1.0
    decay_from: Annotated[
        float,
        Field(ge=0, le=1, description="Fraction of the run after which learning rates decay to 0."),
    ] = 0.5

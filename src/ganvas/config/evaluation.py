"""Whether a run is scored while it goes on, and how."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveFloat
from pydantic.dataclasses import dataclass as settings

from ganvas.config.training import LONGEST, seconds
from ganvas.runtime.validation import STRICT

FEWEST = 40  # images of each kind
MOST_SAMPLES = 1_000_000


@settings(frozen=True, config=STRICT)
class EvaluationSettings:
    """Whether a run is scored while it goes on, and how."""

    evaluate_every: Annotated[
        Annotated[PositiveFloat, Field(le=LONGEST)] | None,
        BeforeValidator(seconds),
        Field(
            description="time from one score to the next, such as 5m: distances, realism and "
            "variety go into metrics.jsonl, and the best checkpoint is kept; unset: no scores"
        ),
    ] = None
    features: Annotated[
        str, Field(description="the network that scores, as in ganvas evaluate")
    ] = "lite0"
    evaluate_count: Annotated[
        int, Field(ge=FEWEST, le=MOST_SAMPLES, description="images that are generated for a score")
    ] = 1000

"""Whether a run is scored while it goes on, and how."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveFloat
from pydantic.dataclasses import dataclass as settings

from ganvas.config.training import LONGEST, seconds
from ganvas.evaluation.features import DEFAULT
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
            description="Time between evaluations, such as 5m; the best checkpoint is kept.",
            json_schema_extra={"default": "never"},
        ),
    ] = None
    features: Annotated[
        str,
        Field(description="Feature network for evaluation.", json_schema_extra={"metavar": "NAME"}),
    ] = DEFAULT
    evaluate_count: Annotated[
        int,
        Field(
            ge=FEWEST, le=MOST_SAMPLES, description="Number of images generated for an evaluation."
        ),
    ] = 1000

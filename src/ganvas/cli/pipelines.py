"""The RUN argument of commands, and the pipeline of a trained model."""

from typing import Annotated

import typer

from ganvas.cli.streams import say
from ganvas.generate.pipeline import Pipeline, pipeline
from ganvas.generate.trained import find_trained

Run = Annotated[
    str,
    typer.Argument(
        help="A run directory or one of its checkpoints, a generator's file, or digits or emoji, "
        "which come with ganvas."
    ),
]


def pipeline_of(run: str) -> Pipeline:
    """The pipeline of a trained model; prints a notice if a damaged checkpoint was passed over."""
    found = find_trained(run)
    for sentence in found.passed_over:
        say(f"ganvas: {sentence}", error=True)
    return pipeline(found)

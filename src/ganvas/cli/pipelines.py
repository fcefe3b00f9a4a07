"""The RUN argument of commands, and the pipeline of a trained model."""

from typing import Annotated

import typer

from ganvas.cli.complete import Names
from ganvas.cli.streams import say
from ganvas.generate.pipeline import Pipeline, pipeline
from ganvas.generate.trained import SHIPPED, Trained, find_trained

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Run directory, checkpoint, exported file, or a built-in generator: digits, emoji.",
        autocompletion=Names(list(SHIPPED), files=True).starting,
    ),
]


def found_by(run: str) -> Trained:
    """A trained model; prints a notice if a damaged checkpoint was passed over."""
    found = find_trained(run)
    for sentence in found.passed_over:
        say(f"ganvas: {sentence}", error=True)
    return found


def pipeline_of(run: str) -> Pipeline:
    """The pipeline of a trained model; prints a notice if a damaged checkpoint was passed over."""
    return pipeline(found_by(run))

"""The trained model that a command was given."""

from typing import Annotated

import typer

from ganvas.cli.streams import say
from ganvas.generate.pipeline import Pipeline, pipeline
from ganvas.generate.trained import find_trained

Run = Annotated[
    str,
    typer.Argument(
        help="The folder of a run or of one of its checkpoints, a generator's file, or digits or "
        "emoji, which come with ganvas."
    ),
]


def pipeline_of(run: str) -> Pipeline:
    """Who generates; says so when a damaged checkpoint was passed over."""
    found = find_trained(run)
    for sentence in found.passed_over:
        say(f"ganvas: {sentence}", error=True)
    return pipeline(found)

"""ganvas walk: a film of interpolations between images."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas.cli.pipelines import Run, pipeline_of
from ganvas.cli.seeds import numbers
from ganvas.cli.streams import say
from ganvas.generate.interpolate import walk as stroll
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.video import check_film, write_film


def walk(
    run: Run,
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="SEEDS", help="Seeds to pass through, such as 1-8.")
    ] = "1-6",
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="CLASS", help="Class to generate, for conditional models."),
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", metavar="N", min=2, help="Number of frames.")
    ] = 120,
    rate: Annotated[
        int, typer.Option("--rate", metavar="N", min=1, max=60, help="Frames per second.")
    ] = 24,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Film to write, .gif or .mp4.")
    ] = Path("walk.gif"),
) -> None:
    """Film a walk from seed to seed and back to the first, so that the film can loop."""
    stations = numbers(seeds)
    check_film(out)
    pipeline = pipeline_of(run)
    path = stroll(pipeline.latents(stations, label), frames, pipeline.generator.latent)
    images = pipeline.from_latents(path)
    write_film(out, to_bytes(images), rate)
    say(f"{frames} frames through {len(stations)} images: {out}")

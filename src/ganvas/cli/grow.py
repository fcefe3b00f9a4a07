"""ganvas grow: a film of images through the resolutions at which they are generated."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ganvas.cli.pipelines import Run, pipeline_of
from ganvas.cli.seeds import numbers
from ganvas.cli.streams import say
from ganvas.generate.growth import growing
from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.imaging.video import check_film, write_film


def grow(
    run: Run,
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="SEEDS", help="Seeds of the images, such as 1-40.")
    ] = "1-24",
    columns: Annotated[
        int, typer.Option("--columns", metavar="N", min=1, help="Number of images per row.")
    ] = 6,
    hold: Annotated[
        int, typer.Option("--hold", metavar="N", min=1, help="Number of frames at each resolution.")
    ] = 18,
    fade: Annotated[
        int,
        typer.Option(
            "--fade", metavar="N", min=1, help="Number of frames between two resolutions."
        ),
    ] = 12,
    rate: Annotated[
        int, typer.Option("--rate", metavar="N", min=1, max=60, help="Frames per second.")
    ] = 24,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Film to write, .gif or .mp4.")
    ] = Path("grow.gif"),
) -> None:
    """Film images at every resolution, for progressive, msg and stylegan.

    progressive shows its output at each of its stages, msg its pyramid, stylegan the sum of its
    images up to each resolution.
    """
    wanted = numbers(seeds)
    check_film(out)
    pyramid = pipeline_of(run).growth(wanted)
    frames = [grid(to_bytes(frame), columns) for frame in growing(pyramid, hold, fade)]
    write_film(out, np.stack(frames), rate)
    sizes = ", ".join(f"{image.shape[2]}x{image.shape[3]}" for image in pyramid)
    say(f"{len(wanted)} images at {sizes}: {out}")

"""ganvas art: paintings in, signed prints out."""

from pathlib import Path
from typing import Annotated

import typer

from ganvas.art.prints import RUN, ArtError, Commission, check, prints
from ganvas.cli.show import show_events
from ganvas.cli.streams import say
from ganvas.config.training import seconds
from ganvas.runtime.names import expand, printable


def art(
    paintings: Annotated[
        Path, typer.Option("--paintings", metavar="DIR", help="Folder of paintings.")
    ],
    photos: Annotated[
        Path | None,
        typer.Argument(metavar="PHOTOS", help="Photographs to repaint too: a folder, or one."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Model that generates images; without it and without photographs, one is trained.",
        ),
    ] = None,
    signature: Annotated[
        Path | None,
        typer.Option("--signature", metavar="PNG", help="Signature for every print."),
    ] = None,
    count: Annotated[
        int,
        typer.Option("--count", metavar="N", min=1, max=1000, help="Number of generated images."),
    ] = Commission.count,
    time: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Training time, without --from.")
    ] = "10m",
    size: Annotated[
        int,
        typer.Option("--size", metavar="PIXELS", min=64, help="Longer side when repainted."),
    ] = Commission.size,
    enlarged: Annotated[
        int, typer.Option("--print", metavar="PIXELS", help="Longer side of a print.")
    ] = Commission.enlarged,
    strength: Annotated[
        float,
        typer.Option("--strength", metavar="X", min=0, max=1, help="Strength of the style."),
    ] = Commission.strength,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of all steps.")] = Path(
        "art"
    ),
) -> None:
    """Generate images, choose the best, repaint them like paintings, enlarge and sign them.

    Every step leaves its files in a folder of --out; the same command goes on where it was stopped.
    """
    try:
        training = float(str(seconds(time)))
    except ValueError as fault:
        raise ArtError(f"--for: {fault}.") from None
    wish = Commission(
        expand(paintings),
        expand(out),
        None if photos is None else expand(photos),
        start,
        None if signature is None else expand(signature),
        count,
        training,
        size,
        enlarged,
        strength,
    )
    check(wish)
    made = show_events(prints(wish), out / RUN, part=True)
    say(f"Prints: {printable(str(made[0].parent))}")

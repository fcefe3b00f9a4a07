"""ganvas data: which images of a source are usable, and how the network sees them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.cli.complete import Names
from ganvas.cli.options import collect, with_settings
from ganvas.cli.show import count_classes, show_events
from ganvas.cli.streams import say
from ganvas.config import Request, data_settings, nest
from ganvas.data import DataReport, clear_cache, contact_sheet, locate, passed_by, prepare, report
from ganvas.data.sources.builtin import SOURCES
from ganvas.imaging.write import check_place, generated_mark, write_png
from ganvas.runtime.validation import SettingsError


@with_settings("data", first=("size", "channels", "labels", "only"))
def data(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folder (with its subfolders), .zip, digits or emoji.",
            autocompletion=Names(list(SOURCES), files=True).starting,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet", metavar="PNG", help="Write a contact sheet of the prepared images."
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear-cache", help="Delete all prepared images; originals stay.")
    ] = False,
    **settings: Any,
) -> None:
    """Say which images of a source are usable, and why others are not."""
    if clear:
        number, size = clear_cache()
        say(f"{number} prepared sets deleted, {size / 1e6:,.0f} MB.")
    if source is None:
        if not clear:
            raise SettingsError("say which source to look at, or --clear-cache.")
        return
    chosen = data_settings(Request.of(nest(collect(settings))))
    if sheet is not None:
        check_place(sheet)
    steps = prepare(locate(source), chosen)
    if said := passed_by(source):
        say(said, error=True)
    dataset = show_events(steps, quiet=not sys.stderr.isatty() or as_json)
    made = report(dataset)
    say(*(_in_json(made) if as_json else _in_words(made)))
    if sheet is not None:
        write_png(sheet, contact_sheet(dataset), generated_mark("sheet"))
        say(f"Contact sheet: {sheet}", error=as_json)


def _in_json(made: DataReport) -> list[str]:
    return json.dumps(made.as_json(), indent=1).split("\n")


def _in_words(made: DataReport) -> list[str]:
    kind = {1: "grey", 3: "colour", 4: "transparent"}[made.channels]
    lines = [
        f"{made.usable:,} usable images in {made.source}, as {made.height}x{made.width} {kind}; "
        f"{len(made.refused):,} files refused{':' if made.refused else '.'}"
    ]
    if made.classes:
        lines.append(f"  {len(made.classes)} classes: {count_classes(made.classes)}")
    return lines + [f"  {refusal.name}: {refusal.reason}" for refusal in made.refused]

"""ganvas style: a photograph in the style of paintings."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.cli.help import FIRST, Entry
from ganvas.cli.options import collect, help_of, with_options
from ganvas.cli.show import show
from ganvas.config.options import default_in_words
from ganvas.runtime.names import expand, printable
from ganvas.runtime.validation import SettingsError, build_settings, options_of, quote
from ganvas.style.facts import settings_in
from ganvas.style.files import stylize_file, stylize_folder
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work, check, outputs

MORE = "Files and masks"
GROUPS = {
    "Optimisation": ("from", "optimiser", "iterations", "seed"),
    "Losses": ("content-layer", "style-layers", "style-loss", "tv"),
    "Hardware": ("precision", "device"),
}


def _describe(arguments: list[str]) -> dict[str, Entry]:
    headings = {name: heading for heading, names in GROUPS.items() for name in names}
    return {
        f"--{option.name}": Entry(
            headings.get(option.name, FIRST), help_of(option, default_in_words(option))
        )
        for option in options_of("style", StyleSettings)
    }


@with_options(list(options_of("style", StyleSettings)), describe=_describe)
def style(
    content: Annotated[
        Path | None,
        typer.Argument(metavar="CONTENT", help="Photograph, or a folder of photographs."),
    ] = None,
    styles: Annotated[
        list[Path] | None, typer.Argument(metavar="STYLE", help="One or more style images.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="Image to write, or folder if CONTENT is one. [default: styled.png, or styled/]",
        ),
    ] = None,
    masks: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="MASK[=STYLE_MASK]",
            help="Mask of the region to repaint, and of the style; repeatable.",
            rich_help_panel=MORE,
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like",
            metavar="PNG",
            help="PNG from ganvas style, whose settings are reused.",
            rich_help_panel=MORE,
        ),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every",
            metavar="N",
            min=1,
            help="Number of iterations between images to keep, also as a GIF.",
            rich_help_panel=MORE,
        ),
    ] = None,
    bits: Annotated[
        int,
        typer.Option(
            "--bits",
            metavar="N",
            help="Bits per channel: 8, or 16 for .png and .tif.",
            min=8,
            max=16,
            rich_help_panel=MORE,
        ),
    ] = 8,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="FILE",
            help="Other weights of VGG-19: safetensors, or torchvision's state dict.",
            rich_help_panel=MORE,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace existing files."),
    ] = False,
    **settings: Any,
) -> None:
    """Repaint a photograph in the style of paintings."""
    known = settings_in(like) if like else None
    if content is None and known:
        content = _there(known.content, like)
    if not styles and known:
        styles = [_there(name, like) for name in known.styles]
    if content is None or not styles:
        raise SettingsError(
            "name a photograph and at least one painting: ganvas style photo.jpg painting.jpg."
        )
    pairs = [_pair(mask) for mask in masks or ()]
    if not masks and known:
        pairs = [(_there(a, like), None if b is None else _there(b, like)) for a, b in known.masks]
    if features is None and known and known.features:
        features = _there(known.features, like)
    repeated = asdict(known.settings) if known else {}
    chosen = build_settings(StyleSettings, "style", {**repeated, **collect(settings)})
    many = content.is_dir()
    place = Path("styled" if many else "styled.png") if out is None else expand(out)
    work = Work(
        content, tuple(styles), place, chosen, tuple(pairs), features, bits, every, True, overwrite
    )
    if many:
        show(stylize_folder(content, work), place)
        return
    for path in (content, *styles):
        if not os.path.lexists(expand(path)):
            raise SettingsError(f"{printable(str(path))} cannot be opened: there is no such file.")
    check(work)
    there = next((path for path in outputs(work) if os.path.lexists(path)), None)
    if there and not overwrite:
        raise SettingsError(f"{there} is there already; add --overwrite, or choose another --out.")
    show(stylize_file(work), place)


def _there(name: str, like: Path | None) -> Path:
    """A file that an image names: from the current folder, or beside the image."""
    assert like is not None, "only an image names files"
    path, beside = Path(name), like.parent / name
    return beside if os.path.lexists(beside) and not os.path.lexists(path) else path


def _pair(mask: str) -> tuple[Path, Path | None]:
    inside, equals, other = mask.partition("=")
    if not inside or (equals and not other):
        raise SettingsError(f"--mask takes CONTENT_MASK=STYLE_MASK, not {quote(repr(mask))}.")
    return Path(inside), Path(other) if other else None

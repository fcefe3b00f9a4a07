"""ganvas style: a photograph in the style of paintings."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.cli.options import collect, with_options
from ganvas.cli.show import show
from ganvas.runtime.names import expand
from ganvas.runtime.validation import SettingsError, build_settings, options_of, quote
from ganvas.style.facts import settings_in
from ganvas.style.files import stylize_file, stylize_folder
from ganvas.style.settings import StyleSettings
from ganvas.style.work import Work, check, outputs


@with_options(list(options_of("style", StyleSettings)))
def style(
    content: Annotated[
        Path | None, typer.Argument(help="The photograph, or a folder of photographs.")
    ] = None,
    styles: Annotated[list[Path] | None, typer.Argument(help="One or more style images.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The image to write, or the folder for a folder. [default: styled.png, or styled]",
        ),
    ] = None,
    masks: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            help="CONTENT_MASK=STYLE_MASK: give the white part of one the style of the white part "
            "of the other; repeat for more regions. CONTENT_MASK alone takes the whole style.",
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option("--like", help="A PNG by ganvas style, whose settings are repeated."),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option("--every", min=1, help="Keep an image every so many iterations, and a GIF."),
    ] = None,
    bits: Annotated[
        int, typer.Option("--bits", help="8, or 16 for .png and .tif.", min=8, max=16)
    ] = 8,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            help="Other weights of VGG-19: a safetensors file, or torchvision's state dict.",
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
        raise SettingsError("say what to repaint and in which style: ganvas style CONTENT STYLE.")
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

"""ganvas style: a photograph in the style of paintings."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.cli.options import given, with_options
from ganvas.cli.show import show
from ganvas.settings import SettingsError, built, options_of
from ganvas.style.files import Work, paint_file, paint_folder, settings_in, written
from ganvas.style.settings import StyleSettings


@with_options(list(options_of("style", StyleSettings)))
def style(
    content: Annotated[
        Path | None, typer.Argument(help="The photograph, or a folder of photographs.")
    ] = None,
    styles: Annotated[
        list[Path] | None, typer.Argument(help="One or more pictures to paint like.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="The picture to write, or a folder for a folder.")
    ] = Path("styled.png"),
    masks: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            help="CONTENT_MASK=STYLE_MASK: paint the white part of one like the white part of the "
            "other; again for more regions. CONTENT_MASK alone takes the whole style.",
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option("--like", help="A PNG by ganvas style, whose settings are repeated."),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", min=1, help="Keep the picture of every so many iterations, and a GIF."
        ),
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
        typer.Option("--overwrite", help="Replace what is there already."),
    ] = False,
    **settings: Any,
) -> None:
    """Repaint a photograph in the style of paintings."""
    known = settings_in(like) if like else {}
    if content is None and "content" in known:
        content = _there(Path(known["content"]), like)
    if not styles and "styles" in known:
        styles = [_there(Path(name), like) for name in known["styles"]]
    if content is None or not styles:
        raise SettingsError("say what to repaint and in which style: ganvas style CONTENT STYLE.")
    pairs = [_pair(mask) for mask in masks or ()]
    if not masks and like:
        pairs = [(_there(Path(a), like), b and _there(Path(b), like)) for a, b in known["masks"]]
    if features is None and known.get("features"):
        features = _there(Path(known["features"]), like)
    chosen = built(StyleSettings, "style", {**known.get("settings", {}), **given(settings)})
    work = Work(content, tuple(styles), out, chosen, tuple(pairs), features, bits, every)
    if content.is_dir():
        show(paint_folder(content, work), out)
        return
    there = next((path for path in written(work) if path.exists()), None)
    if there and not overwrite:
        raise SettingsError(f"{there} is there already; add --overwrite, or choose another --out.")
    show(paint_file(work), out)


def _there(path: Path, like: Path | None) -> Path:
    """A file that a picture names: from here, or beside the picture."""
    assert like is not None, "only a picture names files"
    beside = like.parent / path
    if path.exists() or not beside.exists():
        return path
    return beside


def _pair(mask: str) -> tuple[Path, Path | None]:
    inside, equals, other = mask.partition("=")
    if not inside or (equals and not other):
        raise SettingsError(f"--mask takes CONTENT_MASK=STYLE_MASK, not {mask!r}.")
    return Path(inside), Path(other) if other else None

"""The history of a run as one self-contained HTML page."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path

from ganvas.doctor.report import History, condition, describe_incident, next_steps, summary
from ganvas.runtime.names import printable

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100%; image-rendering: pixelated } img.curves { image-rendering: auto }
section { border-left: 4px solid #d55e00; padding-left: 1rem; margin: 2rem 0 }
section.helped { border-color: #009e73 } section.open { border-color: #999 }
figure { display: inline-block; width: 48%; margin: 0 1% 0 0 } figcaption { color: #555 }
"""
KIND = {True: "helped", False: "again", None: "open"}


def page(
    title: str,
    history: History,
    curves: Path | None,
    strips: Mapping[int, Mapping[str, Path]],
) -> str:
    """Render the page as HTML.

    `strips` maps the step of an incident to image files of samples, by caption.
    """
    title = printable(title)
    parts = [f"<h1>{escape(title)}</h1>", _paragraphs(condition(history))]
    if curves is not None:
        parts.append(f'<img class="curves" alt="losses" src="{_inline(curves)}">')
    if not history.incidents.all:
        parts.append(_paragraphs([f"No issue was detected in {history.step:,} steps."]))
    for incident in history.incidents.all:
        first, *lines = describe_incident(incident)
        shown = "".join(
            f'<figure><img alt="samples" src="{_inline(path)}"><figcaption>{escape(what)}'
            "</figcaption></figure>"
            for what, path in strips.get(incident.diagnosis.step, {}).items()
        )
        heading = escape(printable(summary(incident)))
        parts.append(
            f'<section class="{KIND[incident.helped]}"><h2>{heading}</h2>'
            f"{_paragraphs([first.partition(':')[0], *lines])}{shown}</section>"
        )
    if advice := next_steps(history):
        parts.append(f"<h2>What to try by hand</h2>{_paragraphs(advice)}")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _paragraphs(sentences: list[str]) -> str:
    return "".join(f"<p>{escape(printable(sentence))}</p>" for sentence in sentences)


def _inline(path: Path) -> str:
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"

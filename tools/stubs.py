"""Write src/ganvas/__init__.pyi: the public functions with every option spelled out.

Options are fields of settings dataclasses, so that each is named and explained once. An editor
reads this stub, and completes their names, types and help. `python tools/stubs.py`; a test sees to
it that it is up to date."""

import inspect
import textwrap
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator

import ganvas
from ganvas.config.options import default_for, default_in_words, options, options_for
from ganvas.data import DataSettings
from ganvas.evaluation.features import DEFAULT as FEATURES
from ganvas.models import DEFAULT, MODELS
from ganvas.runtime.validation import Option, options_of
from ganvas.style.settings import StyleSettings

STUB = Path(ganvas.__file__).with_suffix(".pyi")
WIDTH = 100
# Where a person may give more than the field holds in the end.
ALSO = {"size": "int | str", "start": "str | Path", "features": "str | Path"}
HEAD = '''"""{doc}"""

# Written by tools/stubs.py from the settings; do not edit.

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.events import Evaluated, Event
from ganvas.generate.pipeline import Pipeline

__version__: str
__all__ = ["__version__", "evaluate", "images", "load", "stylize", "train"]
'''


def stub() -> str:
    """The text of the stub."""
    training = list(options().values())
    models = ", ".join(f'"{name}"' for name in MODELS)
    parts = [
        HEAD.format(doc=(ganvas.__doc__ or "").strip() + "\n"),
        _function(
            "train",
            [
                "source: str | Path | None = None",
                'out: str | Path = "run"',
                "*",
                "resume: bool = False",
                "requeue: bool = False",
                "dry_run: bool = False",
                "given: dict[str, Any] | None = None",
                f"model: Literal[{models}] | None = None",
                *_parameters(training),
            ],
            "Iterator[Event]",
            ganvas.train,
            [
                f"model: {'; '.join(f'{n}: {spec.summary}' for n, spec in MODELS.items())} "
                f"[default: {DEFAULT}]",
                *map(_help, training),
            ],
        ),
        _function("load", ["run: str | Path"], "Pipeline", ganvas.load, []),
        _function(
            "evaluate",
            [
                "run: str | Path",
                "against: str | Path | None = None",
                "*",
                "count: int = 5000",
                f'features: str | Path = "{FEATURES}"',
                "seed: int = 1_000_000",
                'device: Literal["auto", "cpu", "cuda", "mps"] = "auto"',
            ],
            "Generator[Event, None, Evaluated]",
            ganvas.evaluate,
            [],
        ),
        _with_options(
            "stylize",
            [
                "content: str | Path | Image.Image | Tensor",
                "styles: str | Path | Image.Image | Tensor | "
                "Sequence[str | Path | Image.Image | Tensor]",
                "masks: Sequence[tuple[str | Path, str | Path | None]] = ()",
                "features: str | Path | None = None",
                "*",
            ],
            "Generator[Event, None, None]",
            StyleSettings,
        ),
        _with_options("images", ["source: str | Path", "*"], "NDArray[np.float32]", DataSettings),
    ]
    return "\n".join(parts)


def _with_options(name: str, own: list[str], returns: str, settings: type) -> str:
    found = list(options_of("", settings))
    helps = [_help(option) for option in found]
    return _function(name, [*own, *_parameters(found)], returns, getattr(ganvas, name), helps)


def _parameters(found: Iterable[Option]) -> list[str]:
    return [
        f"{option.key}: {ALSO.get(option.key) or _type(option.type)} | None = None"
        for option in found
    ]


def _type(annotation: Any) -> str:
    """As an editor should show it: what a person may give, words such as 10m included."""
    extras: list[Any] = []
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        extras += more
    words = " | str" if any(isinstance(extra, BeforeValidator) for extra in extras) else ""
    if get_origin(annotation) in (Union, UnionType):
        parts = [_type(part) for part in get_args(annotation) if part is not NoneType]
        return " | ".join(dict.fromkeys([*parts, *words.split(" | ")[1:]]))
    if get_origin(annotation) is Literal:
        return (
            f"Literal[{', '.join(repr(v).replace(chr(39), chr(34)) for v in get_args(annotation))}]"
        )
    return f"{annotation.__name__}{words}"


def _help(option: Option) -> str:
    default = _default(option)
    shown = "" if default is None else f" [default: {default}]"
    only = "" if option.users in ((), tuple(MODELS)) else f" ({', '.join(option.users)})"
    return f"{option.key}: {option.info.description}{shown}{only}"


def _default(option: Option) -> str | None:
    """The default that all models with this option share; "by model" if they differ."""
    specs = [MODELS[name] for name in option.users]
    found = {default_for(options_for(spec)[option.name], spec) for spec in specs}
    found = found or {default_in_words(option)}
    return found.pop() if len(found) == 1 else "by model"


def _function(
    name: str, parameters: list[str], returns: str, function: Any, helps: list[str]
) -> str:
    described = inspect.cleandoc(function.__doc__ or "")
    if helps:
        wrapped = (
            textwrap.fill(text, WIDTH - 8, subsequent_indent="    ", break_on_hyphens=False)
            for text in helps
        )
        described += "\n\nOptions:\n" + textwrap.indent("\n".join(wrapped), "    ")
    body = textwrap.indent(f'"""{described}\n"""', "    ").replace("    \n", "\n")
    lines = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"def {name}(\n{lines}) -> {returns}:\n{body}\n    ...\n"


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")

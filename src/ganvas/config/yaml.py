"""run.yaml: a run described in one file, which begins the same run again.

Each value is followed by a comment that says where it comes from.
"""

from pathlib import Path
from typing import Any

import yaml

from ganvas.config.config import Config
from ganvas.config.origin import Origin
from ganvas.config.request import GONE, Nested, section
from ganvas.runtime.atomic import write_text
from ganvas.runtime.names import printable
from ganvas.runtime.system import read_regular, reason
from ganvas.runtime.validation import SettingsError

HEADER = "# A run of ganvas. It starts again with: ganvas train --config THIS_FILE --out FOLDER"
START, END = "---", "..."  # YAML's marks of a document: what has but the first was cut off
LAST = "keep_best"  # the last setting of training in every version
PLAYERS = {"loss", "lr_g", "lr_d", "beta1", "beta2", "weight_decay"}  # in a game of every version
ALWAYS = ("source", "model", "data", "network", "game", "training")  # in every run.yaml


def write(path: Path, config: Config) -> None:
    """Write run.yaml, all of it or nothing: read back, it gives the same run.

    It stands between YAML's own marks of a document's start and end. Raises PlaceError.
    """
    lines = [HEADER, START]
    for name, content in config.as_nested().items():
        if not isinstance(content, dict):
            lines.append(_line(name, content))
            continue
        lines.append(f"{name}:")
        for key, value in content.items():
            origin = config.origin(name, key)
            said = "" if origin is Origin.DEFAULT or value is None else f"  # {origin.label}"
            lines.append(f"  {_line(key, value)}{said}")
    write_text(path, "\n".join([*lines, END, ""]))


def _line(name: str, value: Any) -> str:
    return yaml.safe_dump({name: value}, width=float("inf")).removesuffix("\n")


def read(path: Path) -> Nested:
    """What a run.yaml says, as far as it goes; raises SettingsError when it cannot be read."""
    try:
        text = read_regular(path).decode("utf-8")
        content = yaml.safe_load(text)
    except OSError as fault:
        raise SettingsError(f"{path} cannot be read as settings: {reason(fault)}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read as settings: it is no text.") from None
    # PyYAML's constructors raise whatever Python does, RecursionError too.
    except Exception as fault:
        first = printable((str(fault) or type(fault).__name__).splitlines()[0])
        raise SettingsError(f"{path} cannot be read as settings: {first}.") from None
    if not isinstance(content, dict) or not content:
        raise SettingsError(f"{path} holds no settings.")
    if _is_cut(text):
        raise SettingsError(
            f"{path} is not complete: it ends too early, without its last line, {END}"
        )
    if not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{path} holds no settings: its sections have no names.")
    return as_begun(content)


def as_begun(content: Nested) -> Nested:
    """The same run: what was written whole before an option existed did without it, and what one
    says that is gone is over."""
    training = content.get("training")
    if isinstance(training, dict):
        left = {k: v for k, v in training.items() if f"training.{k}" not in GONE}
        content = content | {"training": left}
    game, network = content.get("game"), content.get("network")
    if not isinstance(game, dict) or not set(game) >= PLAYERS:
        return content
    heads = {"match": 0.0, "heads_noise": 0.0} if "lr_heads" in game else {"discriminator": "own"}
    content = content | {"game": heads | game}
    if content.get("model") == "compact" and isinstance(network, dict):
        content["network"] = {"doublings": 0} | network
    return content


def read_whole(path: Path) -> Nested:
    """What the run.yaml of a run says, complete; raises SettingsError where a part is missing.

    Half a file, left by a full disk, would be read as a run with defaults for the rest. What older
    ganvas wrote has no marks: of it, what there always was must be there.
    """
    content = read(path)
    missing = [name for name in ALWAYS if not content.get(name)]
    if missing or LAST not in section(content, "training"):
        what = f"it has no {missing[0]}" if missing else "it ends too early"
        raise SettingsError(f"{path} is not complete: {what}.")
    return content


def _is_cut(text: str) -> bool:
    """Whether it is what `write` wrote, without its end; what people write need not have one."""
    lines = text.rstrip().splitlines()
    return lines[0] == HEADER and START in lines and lines[-1] != END

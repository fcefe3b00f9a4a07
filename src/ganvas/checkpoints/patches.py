"""How what an older ganvas wrote becomes what this one reads: one function for each old format.

What was written by any commit of the past stays readable; tests/promises holds examples.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

FORMAT = 3

Content = dict[str, Any]
T = TypeVar("T")


def from_1(facts: Content) -> Content:
    """Format 1, until November 2026, was flat: `facts.json`."""
    new: Content = {
        name: facts[name] for name in ("ganvas", "torch", "records", "score") if name in facts
    }
    new["scored"] = facts.get("scored")
    new["config"], new["origins"] = _config_of_1(facts), facts.get("origins", {})
    if "model" in facts:
        model = {name: facts[name] for name in ("network", "shape", "classes") if name in facts}
        new["model"] = {"name": facts["model"]} | model
    if "pictures" in facts:
        new["dataset"] = {
            "key": facts["pictures"],
            "source": facts.get("source"),
            "usable": facts.get("usable"),
        }
    if "knobs" in facts:
        names = (
            "seed", "rank", "step", "images", "seconds", "dropped", "accumulate", "enlarged",
            "fresher", "paired", "began",
        )  # fmt: skip
        new["state"] = {name: facts[name] for name in names if name in facts}
        new["state"]["live"] = facts["knobs"]
    else:  # an exported generator
        new |= {name: facts[name] for name in ("images", "seconds") if name in facts}
    return {name: value for name, value in new.items() if value is not None}


def _config_of_1(facts: Content) -> Content:
    """Settings; older checkpoints had only some of them."""
    if isinstance(facts.get("settings"), dict):
        return dict(facts["settings"])
    known: Content = {}
    if "game" in facts:
        known["game"] = facts["game"]
    if "precision" in facts:
        known["training"] = {"precision": facts["precision"]}
    return known


def from_2(metadata: Content) -> Content:
    """Format 2, of one day: networks and the doctor's record had other names in them."""
    return metadata


PATCHES: Mapping[int, Callable[[Content], Content]] = {1: from_1, 2: from_2}

# What parts of networks were called before a format, by that format.
PARTS: Mapping[int, Mapping[str, str]] = {
    3: {"to_picture": "to_rgb", "from_picture": "from_rgb", "verdict": "head"},
}


def renamed(tensors: Mapping[str, T], version: int) -> dict[str, T]:
    """Tensors of an older format under the names that this one has for them."""
    names = dict(tensors)
    for newer in range(version + 1, FORMAT + 1):
        for old, new in PARTS.get(newer, {}).items():
            pattern = re.compile(rf"\b{old}\b")
            names = {pattern.sub(new, name): tensor for name, tensor in names.items()}
    return names


def patched(content: Content, version: int) -> Content:
    """Content of an older format as this one has it."""
    for older in range(version, FORMAT):
        content = PATCHES[older](content)
    return content

"""Conversion of files from older versions of ganvas: one function for each old format.

What any past commit has written stays readable; tests/promises holds examples.
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
    """The configuration in format 1; older checkpoints had only parts of it."""
    if isinstance(facts.get("settings"), dict):
        return dict(facts["settings"])
    known: Content = {}
    if "game" in facts:
        known["game"] = facts["game"]
    if "precision" in facts:
        known["training"] = {"precision": facts["precision"]}
    return known


# Training signals by their names in formats 1 and 2.
SIGNALS = {"sureness": "r_t", "varied": "augment_share"}


def from_2(metadata: Content) -> Content:
    """Format 2, in use for one day, had other names in the doctor's record."""
    records = metadata.get("records")
    if not isinstance(records, dict) or not isinstance(records.get("doctor"), dict):
        return metadata
    old = records["doctor"]
    new = {name: value for name, value in old.items() if name not in ("chart", "visits")}
    if "chart" in old:
        new["signals"] = _signals_of_2(old["chart"])
    if "visits" in old:
        new["incidents"] = _each(old["visits"], _incident_of_2)
    return metadata | {"records": records | {"doctor": new}}


def _signals_of_2(chart: Any) -> Any:
    if not isinstance(chart, dict):
        return chart
    new = _with_names(chart, {"exams": "probes"})
    new["facts"] = _with_names(chart.get("facts"), {"pictures": "images"})
    new["open"] = _with_names(chart.get("open", {}), SIGNALS)
    for name in ("entries", "probes"):
        new[name] = _each(new.get(name, []), _reading_of_2)
    return new


def _reading_of_2(reading: Any) -> Any:
    if not isinstance(reading, dict):
        return reading
    return reading | {"values": _with_names(reading.get("values"), SIGNALS)}


def _incident_of_2(visit: Any) -> Any:
    if not isinstance(visit, dict):
        return visit
    new = _with_names(visit, {"rungs": "applied"})
    if "diagnosis" in new:
        diagnosis = _with_names(new["diagnosis"], {"illness": "issue"})
        if isinstance(diagnosis, dict):
            diagnosis["figures"] = _with_names(diagnosis.get("figures"), SIGNALS)
        new["diagnosis"] = diagnosis
    return new


def line_of_log(line: Content) -> Content:
    """Convert a line of a metrics log of any age to current names."""
    names = {"illness": "issue", **SIGNALS}
    return {names.get(name, name): value for name, value in line.items()}


def _with_names(content: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(content, dict):
        return content
    return {names.get(name, name): value for name, value in content.items()}


def _each(content: Any, patch: Callable[[Any], Any]) -> Any:
    return [patch(one) for one in content] if isinstance(content, list) else content


PATCHES: Mapping[int, Callable[[Content], Content]] = {1: from_1, 2: from_2}

# Renamed parts of networks, from old to new name, by the format that renamed them.
PARTS: Mapping[int, Mapping[str, str]] = {
    3: {"to_picture": "to_rgb", "from_picture": "from_rgb", "verdict": "last"},
}


def rename_tensors(tensors: Mapping[str, T], version: int) -> dict[str, T]:
    """Rename tensors of an older format to current names."""
    names = dict(tensors)
    for newer in range(version + 1, FORMAT + 1):
        for old, new in PARTS.get(newer, {}).items():
            pattern = re.compile(rf"\b{old}\b")
            names = {pattern.sub(new, name): tensor for name, tensor in names.items()}
    return names


def patch(content: Content, version: int) -> Content:
    """Convert metadata of an older format to the current one."""
    for older in range(version, FORMAT):
        content = PATCHES[older](content)
    return content

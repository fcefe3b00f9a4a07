"""Check that every file which names the version names the same one.

`python tools/release.py [TAG]` compares src/ganvas/__init__.py with CHANGELOG.md and CITATION.cff,
and with the tag if there is one. It exits with 1 and a sentence for each difference.
"""

import re
import sys
from pathlib import Path

import yaml

import ganvas

ROOT = Path(__file__).parents[1]
RELEASED = re.compile(r"^## (\S+) — (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def main() -> None:
    """Print what differs."""
    found = differences(*sys.argv[1:2])
    if found:
        sys.exit("\n".join(found))
    print(f"All files name version {ganvas.__version__}.")


def differences(tag: str = "") -> list[str]:
    """One sentence for each file, and for the tag, that names another version or day."""
    version = ganvas.__version__
    newest, day = last_release((ROOT / "CHANGELOG.md").read_text("utf-8"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    named = {
        "CHANGELOG.md has, as its newest dated section,": newest,
        "CITATION.cff has": citation["version"],
        "The tag is": tag.removeprefix("v") if tag else version,
    }
    found = [
        f"{where} version {other}; src/ganvas/__init__.py has {version}."
        for where, other in named.items()
        if other != version
    ]
    if str(citation["date-released"]) != day:
        found.append(f"CITATION.cff has {citation['date-released']}; CHANGELOG.md has {day}.")
    return found


def last_release(changelog: str) -> tuple[str, str]:
    """Version and day of the first section that has a day; empty where there is none."""
    section = RELEASED.search(changelog)
    return (section[1], section[2]) if section else ("", "")


if __name__ == "__main__":
    main()

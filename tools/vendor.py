"""Bring the studio's libraries from their npm packages: `python tools/vendor.py`, with npm at hand.

They are committed as they come, with their licences, except that a bare import of preact becomes a
relative one: a page without a build step has no package names.
"""

import subprocess
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "ganvas" / "studio" / "static" / "vendor"
PACKAGES = {
    "preact@11.2.0": {"dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "hooks.mjs"},
    "htm@3.1.1": {"dist/htm.mjs": "htm.mjs"},
    "uplot@1.6.32": {"dist/uPlot.esm.js": "uPlot.mjs", "dist/uPlot.min.css": "uPlot.css"},
}


def main() -> None:
    """Fetch every package and write its files and licence."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package, files in PACKAGES.items():
        name = package.partition("@")[0]
        with tempfile.TemporaryDirectory() as place:
            command = ["npm", "pack", "--silent", package]
            packed = subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
            with tarfile.open(Path(place) / packed.stdout.split()[-1]) as archive:
                for inside, outside in {**files, "LICENSE": f"{name}.LICENSE"}.items():
                    member = archive.extractfile(f"package/{inside}")
                    assert member is not None, inside
                    (FOLDER / outside).write_bytes(_relative(member.read()))


def _relative(data: bytes) -> bytes:
    """The same without a bare import, and without a map that is not there."""
    lines = data.replace(b'from"preact"', b'from"./preact.mjs"').splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"//# sourceMappingURL"))


if __name__ == "__main__":
    main()

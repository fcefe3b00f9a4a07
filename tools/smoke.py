"""Try a built wheel as somebody who has just installed it.

`python tools/smoke.py [WHEEL]` installs the wheel, by default the one in dist/, into a new virtual
environment in a temporary folder, and runs commands there, away from the checkout. Its dependencies
are lent by the Python that runs this; `--install` has pip install them, which also tests what the
wheel declares. Only the standard library is needed.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "src" / "ganvas" / "assets"
NEEDED = (
    "py.typed",
    "__init__.pyi",
    "cli/completions.json",
    "lesson/questions.yaml",
    "lesson/questions.kn.yaml",
    "lesson/diagrams/players.svg",
)
PNG = b"\x89PNG\r\n\x1a\n"
LONGEST = 600  # seconds that a command may take
PHOTOGRAPH, PAINTING = "moose.jpg", "van_gogh_night_cafe.jpg"


class SmokeError(Exception):
    """What is wrong with the wheel, in one sentence."""


def main() -> None:
    """Check the wheel that is asked for; exit with 1 and a sentence if something is wrong."""
    parser = ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("wheel", nargs="?", type=Path, help="the only one in dist/")
    parser.add_argument("--install", action="store_true", help="have pip install dependencies")
    asked = parser.parse_args()
    try:
        wheel = asked.wheel or only_wheel(ROOT / "dist")
        show_assets(contents(wheel))
        try_out(wheel.resolve(), asked.install)
    except SmokeError as error:
        sys.exit(f"smoke test: {error}")
    print(f"{wheel.name} works.")


def only_wheel(folder: Path) -> Path:
    """The wheel in a folder that has no other."""
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SmokeError(f"{folder} holds {len(wheels)} wheels instead of one: run `make wheel`.")
    return wheels[0]


def contents(wheel: Path) -> dict[str, int]:
    """The sizes of the files of the package, by their path in it.

    Raises:
        SmokeError: If a needed file is missing, or an asset has another size than its source.
    """
    with ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    package = {
        name.removeprefix("ganvas/"): size
        for name, size in sizes.items()
        if name.startswith("ganvas/")
    }
    for name in NEEDED:
        if name not in package:
            raise SmokeError(f"{wheel.name} lacks {name}: see package-data in pyproject.toml.")
    for path in sorted(ASSETS.iterdir()):
        size = package.get(f"assets/{path.name}")
        if size != path.stat().st_size:
            found = "is missing" if size is None else f"has {size:,} bytes"
            raise SmokeError(
                f"asset {path.name} {found} in {wheel.name}; its source has "
                f"{path.stat().st_size:,} bytes."
            )
    return package


def show_assets(package: Mapping[str, int]) -> None:
    """Print the assets, largest first, and what they weigh together."""
    assets = {name: size for name, size in package.items() if name.startswith("assets/")}
    for name, size in sorted(assets.items(), key=lambda item: -item[1]):
        print(f"{size:>12,}  {name}")
    print(f"{sum(assets.values()):>12,}  bytes in {len(assets)} assets")


def try_out(wheel: Path, install: bool) -> None:
    """Install the wheel into a new environment and use it from an empty folder."""
    with tempfile.TemporaryDirectory(prefix="ganvas-smoke-", ignore_cleanup_errors=True) as name:
        place = Path(name).resolve()
        work = place / "work"
        work.mkdir()
        scripts = environment(place / "environment", wheel, install)
        use(work, scripts, wheel)


def environment(folder: Path, wheel: Path, install: bool) -> Path:
    """A virtual environment with the wheel in it; returns the folder of its programs."""
    venv.create(folder, with_pip=True)
    at = {"base": str(folder), "platbase": str(folder)}
    scripts = Path(sysconfig.get_path("scripts", "venv", at))
    if not install:
        lend(Path(sysconfig.get_path("purelib", "venv", at)))
    pip = [program(scripts, "python"), "-m", "pip", "install", "--quiet"]
    options = ["--disable-pip-version-check", *([] if install else ["--no-deps"])]
    called([*pip, *options, wheel], folder, clean_environment(folder))
    return scripts


def lend(packages: Path) -> None:
    """Let an environment import what this Python has, after what is its own.

    A path file adds a folder to the search path without running the path files in that folder:
    an editable ganvas there stays unknown.
    """
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "lent.pth").write_text("".join(f"{path}\n" for path in sorted(ours)), "utf-8")


def use(work: Path, scripts: Path, wheel: Path) -> None:
    """Run the commands, and check what they leave."""
    variables = clean_environment(work.parent)

    def ganvas(*arguments: object) -> str:
        print("$ ganvas", *arguments, flush=True)
        return called([program(scripts, "ganvas"), *arguments], work, variables)

    where = called(
        [program(scripts, "python"), "-c", "import ganvas; print(ganvas.__file__)"], work, variables
    )
    if scripts.parent not in Path(where.strip()).resolve().parents:
        raise SmokeError(f"Python imports ganvas from {where.strip()}, and not from the wheel.")
    assets = Path(where.strip()).parent / "assets"

    version = wheel.name.split("-")[1]
    if (told := ganvas("--version").strip()) != version:
        raise SmokeError(f"`ganvas --version` prints {told!r}, and the wheel is of {version}.")
    if "Usage: ganvas" not in ganvas("--help"):
        raise SmokeError("`ganvas --help` shows no usage.")

    ganvas("sample", "digits", "--count", 4)
    images(work / "samples", count=4)

    ganvas("sample", "emoji", "--grid", "--count", 4, "--out", "sheet")
    images(work / "sheet", count=1)

    small = ("--images", 64, "--size", 16, "--width", 8, "--device", "cpu")
    ganvas("train", "digits", *small, "--out", "run")
    images(work / "run" / "samples", count=1, or_more=True)
    for pattern in ("run.yaml", "metrics.jsonl", "losses.png", "checkpoints/*/model.safetensors"):
        filled(work / "run", pattern)
    ganvas("sample", "run", "--count", 1, "--out", "own")
    images(work / "own", count=1)

    tiny = ("--size", 64, "--preset", "draft", "--device", "cpu")
    ganvas("style", assets / PHOTOGRAPH, assets / PAINTING, *tiny, "--out", "styled.png")
    images(work, count=1)


def clean_environment(place: Path) -> dict[str, str]:
    """The variables of this process, without what leads Python or ganvas to other files."""
    leading = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "GANVAS_CACHE")
    kept = {name: value for name, value in os.environ.items() if name not in leading}
    return kept | {"GANVAS_CACHE": str(place / "cache"), "PYTHONUTF8": "1"}


def program(scripts: Path, name: str) -> Path:
    """A program of an environment, with the ending that the system gives it."""
    return scripts / (name + sysconfig.get_config_var("EXE"))


def called(command: Sequence[object], folder: Path, variables: Mapping[str, str]) -> str:
    """What a command prints.

    Raises:
        SmokeError: If it fails, or takes too long.
    """
    words = [str(word) for word in command]
    shown = " ".join([Path(words[0]).stem, *words[1:]])
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SmokeError(f"`{shown}` was not done after {LONGEST} s.") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").split("\n")[-1]
        raise SmokeError(f"`{shown}` exits with {done.returncode}, and says last: {last}")
    return done.stdout


def images(folder: Path, count: int, or_more: bool = False) -> None:
    """Check that a folder holds so many PNGs, each with its signature.

    Raises:
        SmokeError: If it holds fewer, more, or a file that is no PNG.
    """
    found = sorted(folder.glob("*.png"))
    if len(found) < count or (len(found) > count and not or_more):
        raise SmokeError(f"{folder.name}/ holds {len(found)} images instead of {count}.")
    for path in found:
        if not path.read_bytes().startswith(PNG):
            raise SmokeError(f"{folder.name}/{path.name} is no PNG.")


def filled(folder: Path, pattern: str) -> None:
    """Check that a file of this name is there, and not empty.

    Raises:
        SmokeError: If it is missing or empty.
    """
    if not any(path.stat().st_size for path in folder.glob(pattern)):
        raise SmokeError(f"{folder.name}/{pattern} is missing or empty.")


if __name__ == "__main__":
    main()

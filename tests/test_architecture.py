"""The architecture as a test: imports point down, the tree is true, nothing is hidden."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ganvas"
LAYERS = [
    ["errors", "events"],
    ["registry"],
    ["runtime"],
    ["imaging", "losses"],
    ["pretrained"],
    ["data", "models", "augmentation"],
    ["evaluation"],
    ["checkpoints", "config"],
    ["training"],
    ["doctor"],
    ["generate", "style"],
    ["runs"],
    ["integrations"],
    ["lesson"],
    ["studio", "sweep", "art"],
    ["launch"],
    ["cli"],
]
OLD_NAMES = ("keras", "metrics")
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FILES = sorted(SOURCE.rglob("*.py"))


def _noun(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganvas":
            inside = node.module.split(".")[1:]
            found |= {inside[0]} if inside else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            names = (alias.name.split(".") for alias in node.names)
            found |= {name[1] for name in names if name[0] == "ganvas" and len(name) > 1}
    return found & set(RANK)


def test_every_module_has_a_place_in_the_layers():
    homeless = {_noun(path) for path in FILES} - {"__init__", "__main__", *OLD_NAMES, *RANK}
    assert not homeless, f"give {homeless} a place in the layers: here and in ARCHITECTURE.md"


def test_imports_point_downwards():
    wrong = [
        f"{path.relative_to(SOURCE)} must not import {other}"
        for path in FILES
        if (me := _noun(path)) in RANK
        for other in sorted(_imported(path) - {me})
        if RANK[other] >= RANK[me]
    ]
    assert not wrong, "\n".join(wrong)


UNPICKLING = {"torch.load", "torch.save", "pickle.load", "pickle.loads", "np.load"}
# Arrays without objects, and tensors alone, of a user's own VGG-19: neither runs code.
ALLOWED = {
    "builtin.py": {"np.load"},
    "weights.py": {"torch.load"},
    "inception.py": {"torch.load"},
}


def test_library_neither_prints_nor_unpickles():
    wrong = []
    for path in FILES:
        text = path.read_text("utf-8")
        nodes = ast.walk(ast.parse(text))
        calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        forbidden = {"print", *UNPICKLING} - ALLOWED.get(path.name, set())
        wrong += [f"{path.relative_to(SOURCE)} calls {name}" for name in sorted(calls & forbidden)]
        if "torch.load" in calls and "weights_only=True" not in text:
            wrong.append(f"{path.relative_to(SOURCE)} loads more than weights")
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is():
    silent = [
        str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent, f"no docstring: {silent}"


def test_the_tree_in_architecture_is_true():
    tree = re.search(
        r"```\n(src/ganvas/\n.*?)```", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.DOTALL
    )
    assert tree, "ARCHITECTURE.md shows no tree"
    told = {line.split()[0] for line in tree[1].splitlines()[1:] if line.strip()}
    there = {
        path.name + "/" * path.is_dir()
        for path in SOURCE.iterdir()
        if not path.name.startswith(("_", ".")) and path.name != "py.typed"
        if path.stem not in OLD_NAMES and path.suffix != ".pyi"
    }
    assert told == there | {"__init__.py"}


def test_help_imports_no_torch():
    code = (
        "import sys\nfrom ganvas.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout


# The studio listens to browsers of this machine, and opens no connection itself.
LISTENING = {
    "studio/api/explore.py": {"asyncio"},
    "studio/api/learn.py": {"asyncio"},
    "studio/api/runs.py": {"asyncio"},
    "studio/api/sockets.py": {"asyncio"},
    "studio/guard.py": {"asyncio", "http"},
    "studio/serve.py": {"socket"},
}


def test_nothing_reaches_for_the_network():
    wrong = []
    for path in FILES:
        nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
        imported = {
            alias.name.split(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        } | {
            (node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)
        }
        banned = imported & {"socket", "urllib", "http", "requests", "ssl", "asyncio"}
        name_of_file = path.relative_to(SOURCE).as_posix()
        banned -= LISTENING.get(name_of_file, set())
        wrong += [f"{name_of_file} imports {name}" for name in sorted(banned)]
    assert not wrong, "\n".join(wrong)

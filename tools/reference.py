"""The reference: pages of the site written from the catalogues, signatures and docstrings.

Public functions stand under their public names, with a table of every option; models, losses,
regularisers, metrics, feature networks and issues stand in the order of their catalogues.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from stubs import STUB

from ganvas import augmentation
from ganvas.augmentation import ada, diffaugment
from ganvas.config.options import default_for, options_for
from ganvas.doctor import ISSUES
from ganvas.evaluation.features import FEATURES
from ganvas.evaluation.metrics import METRICS
from ganvas.losses import ADVERSARIAL_LOSSES, regularization
from ganvas.models import DEFAULT, MODELS, ModelSpec

EXAMPLES = {
    "train": """import ganvas

for event in ganvas.train("my-images/", out="my-run", budget="10m", size=64):
    print(event)  # each is a dataclass: see Events""",
    "load": """pipeline = ganvas.load("my-run")
images = pipeline.sample(16, seed=0)  # (16, C, H, W) in [-1, 1]""",
    "evaluate": """*_, last = ganvas.evaluate("my-run", count=2000)
print(last.report.scores.coverage)""",
    "stylize": """*_, last = ganvas.stylize("photo.jpg", "painting.jpg", size=512)
last.image.save("styled.png")  # tensors (3, H, W) give a tensor""",
    "images": """arrays = ganvas.images("my-images/", size=64)  # (N, 64, 64, C) in [-1, 1]""",
}
WIDTH = 90  # characters of a signature on one line
OPTION = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
DEFAULT_TEXT = re.compile(r" \[default: (.*?)\]")
OF_MODELS = re.compile(r" \(([\w, ]+)\)$")


def public_function(name: str) -> str:
    """A function of ganvas, as the stub spells it out."""
    tree = ast.parse(STUB.read_text("utf-8"))
    (found,) = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    )
    text, _, listed = (ast.get_docstring(found) or "").partition("\n\nOptions:\n")
    parts = [
        f"## `ganvas.{name}`",
        f"```python\n{_signature(found)}\n```",
        text,
        f"```python\n{EXAMPLES[name]}\n```",
    ]
    if listed:
        parts += ["Options, all by name:", _options(listed, name)]
    return "\n\n".join(parts)


def models(_: str = "") -> str:
    """Every model: what it is, its own settings, and what it sets otherwise than others."""
    rows = [(f"[`{name}`](#{name})", spec.summary) for name, spec in MODELS.items()]
    parts = [_table(("`--model`", "what it is"), rows)]
    for name, spec in MODELS.items():
        module = sys.modules[spec.settings.__module__]
        usual = " It is the default." if name == DEFAULT else ""
        parts += [
            f"## {name}",
            f'`--model {name}`, or `ganvas.train(..., model="{name}")`.{usual}',
            _docstring(module),
            "Its own settings, and the defaults of others that are special to it:",
            _model_settings(spec),
        ]
    return "\n\n".join(parts)


def adversarial_losses(_: str = "") -> str:
    """Every adversarial loss, with its two functions."""
    parts = []
    for name, spec in ADVERSARIAL_LOSSES.items():
        two = (spec.loss.discriminator, spec.loss.generator)
        facts = [
            f"At chance the discriminator's loss is {spec.loss.chance:.3g}.",
            "Real and generated images are compared in pairs." if spec.loss.paired else "",
            "" if spec.loss.labels else "Label smoothing has no effect on it.",
        ]
        parts += [
            f"## {name}",
            f"`--loss {name}`: {spec.summary}. {' '.join(filter(None, facts))}",
            *(_function(one) for one in two),
        ]
    return "\n\n".join(parts)


def regularisers(_: str = "") -> str:
    """Every penalty on the players."""
    return _functions(regularization)


def augmentations(_: str = "") -> str:
    """What is augmented, and how its probability is adapted."""
    return "\n\n".join([_docstring(augmentation), _functions(diffaugment), _functions(ada)])


def metrics(_: str = "") -> str:
    """Every metric of the report."""
    parts = []
    for name, metric in METRICS.items():
        parts += [
            f"## {name}",
            f"{_sentence(metric.summary)} The {metric.better}, the better.",
            _function(metric.function),
        ]
    return "\n\n".join(parts)


def features(_: str = "") -> str:
    """Every feature network."""
    return _table(("`--features`", "network"), [(f"`{n}`", f.summary) for n, f in FEATURES.items()])


def issues(_: str = "") -> str:
    """Every issue that the doctor detects: its detector, and its list of treatments."""
    parts = []
    for name, issue in ISSUES.items():
        treatments = [f"{i}. {_first_line(t)}" for i, t in enumerate(issue.treatments, 1)]
        parts += [
            f"## {name}",
            f"{_sentence(issue.summary)} [The handbook's page](../doctor/{name}.md)",
            _docstring(sys.modules[issue.detect.__module__]),
            "Treatments, in this order:" if treatments else "ganvas changes nothing by itself.",
            "\n".join(treatments),
            f"By hand: {issue.by_hand}",
        ]
    return "\n\n".join(filter(None, parts))


WRITERS: dict[str, Callable[[str], str]] = {
    "function": public_function,
    "models": models,
    "losses": adversarial_losses,
    "regularisers": regularisers,
    "augmentations": augmentations,
    "metrics": metrics,
    "features": features,
    "issues": issues,
}


def _signature(function: ast.FunctionDef) -> str:
    """What is written before a call's options: these stand in a table."""
    given = function.args
    first = len(given.args) - len(given.defaults)
    plain = [
        f"{one.arg}: {ast.unparse(one.annotation)}"
        + (f" = {ast.unparse(given.defaults[place - first])}" if place >= first else "")
        for place, one in enumerate(given.args)
        if one.annotation is not None
    ]
    more = ["*, ..."] if given.kwonlyargs else []
    returned = ast.unparse(function.returns) if function.returns is not None else "None"
    return _broken(f"ganvas.{function.name}", [*plain, *more], returned)


def _broken(name: str, arguments: list[str], returned: str) -> str:
    """A signature on one line, or on one for each argument if that is too long."""
    line = f"{name}({', '.join(arguments)}) -> {returned}"
    if len(line) <= WIDTH:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"{name}(\n{lines}) -> {returned}"


def _options(listed: str, name: str) -> str:
    """The options of a docstring as a table: name, type, meaning, default, models."""
    rows = []
    for found in OPTION.finditer(listed if listed.startswith("    ") else _indented(listed)):
        text = " ".join(found[2].split())
        models = OF_MODELS.search(text)
        text = text if models is None else text[: models.start()]
        default = DEFAULT_TEXT.search(text)
        text = DEFAULT_TEXT.sub("", text)
        of = models[1] if models is not None and name == "train" else ""
        of = "every GAN" if of == ", ".join(n for n in MODELS if n != "vae") else of
        rows.append((f"`{found[1]}`", text, default[1] if default else "", of))
    heads = ("option", "meaning", "default", "only in")
    if not any(row[3] for row in rows):
        return _table(heads[:3], [row[:3] for row in rows])
    return _table(heads, rows)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _model_settings(spec: ModelSpec) -> str:
    """Settings of the model's own, and defaults that differ from those of most models."""
    own = set(spec.settings.__dataclass_fields__)
    recipe = {setting for section in spec.recipe.values() for setting in section}
    rows = [
        (f"`--{name}`", str(option.info.description), default_for(option, spec) or "")
        for name, option in options_for(spec).items()
        if option.key in own | recipe
    ]
    return _table(("option", "meaning", "default"), rows)


def _functions(module: ModuleType) -> str:
    """The public functions of a module, in its order."""
    found = [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
    ]
    return "\n\n".join([_docstring(module), *map(_function, found)])


def _function(function: Callable[..., Any]) -> str:
    """A function's signature and docstring."""
    signature = inspect.signature(function)
    arguments = [_short(str(parameter)) for parameter in signature.parameters.values()]
    where = f"{function.__module__}.{function.__qualname__}"
    returned = _short(inspect.formatannotation(signature.return_annotation))
    return f"```python\n{_broken(where, arguments, returned)}\n```\n\n{_docstring(function)}"


def _short(annotated: str) -> str:
    """An annotation without the modules that its types come from."""
    return re.sub(r"\b(?:torch|collections\.abc|ganvas(?:\.\w+)+)\.(?=[A-Z])", "", annotated)


def _docstring(thing: object) -> str:
    """A docstring, without the line that says how to add one more."""
    return re.sub(r"\n*To add one.*?(?=\n\n|\Z)", "", inspect.getdoc(thing) or "", flags=re.DOTALL)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    plain = [[cell.replace("|", "&#124;") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in plain)

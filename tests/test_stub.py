"""The public functions with every option spelled out, for editors; Makefile and README name it."""

import ast
import inspect

import pytest
import stubs

import ganvas
from ganvas.config.options import options

TREE = ast.parse(stubs.STUB.read_text("utf-8"))
FUNCTIONS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}


def test_the_stub_is_up_to_date():
    assert stubs.STUB.read_text("utf-8") == stubs.stub(), "run: python tools/stubs.py"


def test_every_option_of_training_is_a_parameter_with_help():
    names = {argument.arg for argument in FUNCTIONS["train"].args.kwonlyargs}
    said = ast.get_docstring(FUNCTIONS["train"])
    for option in options().values():
        assert option.key in names
        assert f"{option.key}: {option.info.description[:20]}" in said


@pytest.mark.parametrize("name", ["train", "load", "evaluate", "stylize", "images"])
def test_own_parameters_are_those_of_the_function(name):
    own = [p for p in inspect.signature(getattr(ganvas, name)).parameters.values()
           if p.kind is not inspect.Parameter.VAR_KEYWORD]  # fmt: skip
    told = {a.arg for a in [*FUNCTIONS[name].args.args, *FUNCTIONS[name].args.kwonlyargs]}
    assert {p.name for p in own} <= told
    assert set(ganvas.__all__) == {"__version__", *FUNCTIONS}

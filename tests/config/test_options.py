"""The options of training: each under one heading, and help tells the default that a run gets."""

import re
from itertools import product
from types import SimpleNamespace

import pytest

from ganvas.config import Request, resolve
from ganvas.config.options import (
    GROUPS,
    default_for,
    heading_of,
    options,
    options_for,
    planned_values,
)
from ganvas.models import MODELS
from ganvas.runs.plan import rows

SHAPES = ((1, 32, 32), (3, 32, 32), (3, 64, 64), (3, 128, 128))
SIZES = (300, 10_000)  # images: few, and many
DEPENDS = re.compile(r"by |below |unless |that of |where |measured|free|as few|never")
"""Words that say that a default is no single value."""


def configurations(model):
    """What runs without any setting get, for each shape, number of images, and plan."""
    for shape, usable in product(SHAPES, SIZES):
        request = Request(source="digits", model=model)
        config = resolve(request, shape, usable)
        build = SimpleNamespace(config=config, dataset=SimpleNamespace(shape=shape))
        for row in rows(build):
            yield resolve(request, shape, usable, row=row)


@pytest.mark.parametrize("model", MODELS)
def test_help_tells_the_defaults_of_every_model(model):
    spec, found = MODELS[model], list(configurations(model))
    for option in options_for(spec).values():
        values = {getattr(getattr(config, option.section), option.key) for config in found}
        said = default_for(option, spec)
        if planned := planned_values(option, spec):
            assert values == set(planned), option.name
        if said is None:
            assert values == {None}, option.name
        elif "by time budget" in said:
            assert {str(min(values)), str(max(values))} == set(re.findall(r"[\d.]+", said)) or set(
                said.split(",")[0].split(" or ")
            ) == values, option.name
        elif said != "auto" and not DEPENDS.search(said):
            assert len(values) == 1, (option.name, said, values)
            assert same(said, values.pop()), (option.name, said)


def same(said, value):
    """Whether help's words are this value."""
    if isinstance(value, bool):
        return said == ("yes" if value else "no")
    if isinstance(value, float):
        return float(said.removesuffix("s")) == pytest.approx(value)
    return said == str(value)


def test_every_option_has_one_heading():
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= options().keys()
    assert {heading_of(option) for option in options().values()} == GROUPS.keys()

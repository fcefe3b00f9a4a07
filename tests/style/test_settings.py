"""What people say about an image becomes a recipe; mistakes are one sentence."""

import pytest

from ganvas.runtime.validation import SettingsError, build_settings
from ganvas.style.presets import PRESETS
from ganvas.style.scene import STYLE_LOSSES
from ganvas.style.settings import StyleSettings


def said(**options):
    return build_settings(StyleSettings, "style", options)


def test_every_preset_can_be_chosen_and_stylizes():
    offered = StyleSettings.__pydantic_fields__["preset"].annotation.__args__
    assert offered == tuple(PRESETS)
    for name in PRESETS:
        recipe = said(preset=name).recipe
        assert recipe == PRESETS[name].recipe, "nothing said changes nothing"
        assert recipe.style_loss in STYLE_LOSSES


def test_strength_is_what_style_counts_beside_everything_else():
    stages = [said(strength=s / 10).recipe.stages[0] for s in range(11)]
    contents = [stage.content for stage in stages]
    assert contents == sorted(contents, reverse=True)
    assert contents[0] / contents[10] == pytest.approx(1000)
    assert {stage.style for stage in stages} == {1.0}
    for stage in stages:
        assert stage.variation / stage.content == pytest.approx(15)


def test_details_count_below_half_the_strength():
    details = [
        said(strength=s).recipe.content_layers.get("relu3_1", 0.0) for s in (0, 0.25, 0.5, 1)
    ]
    assert details == pytest.approx([0.5, 0.1875, 0, 0])
    assert said(strength=0.1).recipe.content_layers["relu4_2"] == 1
    assert "relu3_1" not in said(strength=0.1, content_layer="relu4_1").recipe.content_layers
    assert "relu3_1" not in said(strength=0.1, preset="gatys").recipe.content_layers


def test_what_is_said_replaces_what_the_preset_says():
    recipe = said(
        preset="gatys",
        optimiser="adam",
        iterations=7,
        style_loss="w2",
        style_layers="relu1_1, relu3_1:0.5",
        content_layer="relu3_2:2",
        tv=0.3,
        start="gray",
    ).recipe
    assert (recipe.optimiser, recipe.iterations, recipe.style_loss) == ("adam", 7, "w2")
    assert recipe.style_layers == {"relu1_1": 1.0, "relu3_1": 0.5}
    assert recipe.content_layers == {"relu3_2": 2.0}
    assert [(s.variation, s.start) for s in recipe.stages] == [(0.3, "gray")]
    assert recipe.pooling == "average", "and the rest stays"


def test_styles_count_alike_unless_told():
    assert said().shares(3) == [1, 1, 1]
    assert said(weights="2, 1").shares(2) == [2, 1]
    assert said(weights="1,0").shares(2) == [1, 0]


def used(settings):
    return settings.shares(3), settings.recipe


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "1,2"}, "--weights 1,2: give 3 numbers"),
        ({"weights": "1,x,2"}, "give 3 numbers"),
        ({"weights": "0,0,0"}, "give 3 numbers"),
        ({"weights": "1,-1,1"}, "give 3 numbers"),
        ({"weights": "nan,1,1"}, "give 3 numbers"),
        ({"size": "huge"}, "--size huge: is no number of pixels"),
        ({"size": 10}, "--size 10: must be from 64"),
        ({"strength": 1.5}, "--strength 1.5"),
        ({"strength": float("nan")}, "--strength nan"),
        ({"preset": "dafault"}, "--preset dafault"),
        ({"style_layers": "relu9_9"}, "--style-layers relu9_9: 'relu9_9' is no layer"),
        ({"style_layers": "relu1_1:-1"}, "is no layer"),
        ({"content_layer": "relu1_1:much"}, "--content-layer"),
        ({"style_scale": 0}, "--style-scale 0"),
        ({"tv": -1}, "--tv -1"),
        ({"iterations": 0}, "--iterations 0"),
        ({"stregth": 1}, "did you mean 'strength'"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(options, message):
    with pytest.raises(SettingsError, match=message) as fault:
        used(build_settings(StyleSettings, "style", options))
    assert "\n" not in str(fault.value)

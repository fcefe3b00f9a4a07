"""The table of style presets, from a preview in seconds to the procedures of the literature."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.style.recipe import Recipe, Stage

# The lesson's layers (AI for Beginners, style transfer), equally weighted; Gatys et al. add a
# fifth.
FOUR = dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1"), 0.25)
# A fifth for each layer, times a quarter from equation 4 of the paper. With unit layers and content
# as a mean, the paper's alpha / beta of 1e-3 then looks as in its figures.
FIVE = dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), 0.05)
DETAILS = {"relu3_1": 0.5}


@dataclass(frozen=True)
class Preset:
    """One row: its purpose, and its recipe."""

    summary: str
    recipe: Recipe
    # Further content layers at low strength. Without them a weak style shows as specks in flat
    # areas, which relu4_2 does not see.
    details: Mapping[str, float] = field(default_factory=dict)

    def content_layers(self, restraint: float) -> Mapping[str, float]:
        """Content layers with weights; `restraint`, at most 1, is how far style is reduced."""
        details = {layer: restraint * weight for layer, weight in self.details.items()}
        return {**self.recipe.content_layers, **(details if restraint > 0 else {})}


def coarse_to_fine(iterations: int, fewest: int) -> Recipe:
    """ganvas's own recipe: `iterations` at 128 pixels, and at least `fewest` at any size."""
    return Recipe(
        stages=(Stage(content=0.4, style=1.0, variation=6.0),),
        smallest=128,
        iterations=iterations,
        fewest=fewest,
    )


PRESETS = {
    "default": Preset("the best image for its time", coarse_to_fine(150, 40), DETAILS),
    "draft": Preset("a preview in seconds", coarse_to_fine(30, 6), DETAILS),
    "fine": Preset("more iterations at every size", coarse_to_fine(400, 120), DETAILS),
    # The lesson's stages, layers, style loss and starts. Its own weights depend on size, because
    # content and variation are sums over pixels and style is a mean: small images end as dark
    # noise. In relative units the weights hold at any size.
    "lesson": Preset(
        "content alone, then with style, then with all three losses, as the lesson does",
        Recipe(
            stages=(
                Stage(content=1, style=0, variation=0, start="noise"),
                Stage(content=1, style=0.3, variation=0, start="noise"),
                Stage(content=1, style=1, variation=10, start="veiled"),
            ),
            iterations=300,
            style_loss="gram",
            style_layers=FOUR,
            unit_layers=False,
            rate=0.02,
            averaging=0,
        ),
    ),
    "gatys": Preset(
        "one size, Gram matrices and L-BFGS, as Gatys, Ecker and Bethge did",
        Recipe(
            stages=(Stage(content=1, style=1e3, variation=0, start="content"),),
            iterations=500,
            units="means",
            style_loss="gram",
            style_layers=FIVE,
            pooling="average",
            optimiser="lbfgs",
            averaging=0,
            clamp=False,
        ),
    ),
}

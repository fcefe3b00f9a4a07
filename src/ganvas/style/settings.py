"""User settings of a style transfer; everything unset is the preset's."""

from dataclasses import replace
from math import inf
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from ganvas.pretrained.vgg19 import LAYERS
from ganvas.runtime.device import DeviceName
from ganvas.runtime.precision import PrecisionName
from ganvas.runtime.validation import STRICT, SettingsError, quote
from ganvas.style.presets import PRESETS
from ganvas.style.recipe import OptimiserName, Recipe, StyleLossName

Colours = Literal["style", "content", "luminance"]
SMALLEST, LARGEST = 64, 20_000  # pixels of the longer side
MOST = 1_000_000  # iterations: weeks, on the fastest machine
BY_PRESET: dict[str, JsonValue] = {"default": "by --preset"}
RANGE = 1.5  # powers of ten by which strength 0 raises, and 1 lowers, all weights but style's


def _size(written: object) -> object:
    if written == "original" or written is None:
        return written
    try:
        size = int(str(written))
    except ValueError:
        raise ValueError("is no number of pixels; say 512, or original") from None
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"must be from {SMALLEST} to {LARGEST} pixels")
    return size


@dataclass(frozen=True, config=STRICT)
class StyleSettings:
    """The settings of one style transfer, without its images."""

    preset: Annotated[
        Literal["default", "draft", "fine", "lesson", "gatys"],
        Field(description="Preset for the settings below that you omit."),
    ] = "default"
    size: Annotated[
        int | Literal["original"],
        BeforeValidator(_size),
        Field(
            description="Longer side in pixels, or original.",
            json_schema_extra={"metavar": "PIXELS"},
        ),
    ] = 512
    strength: Annotated[
        float, Field(ge=0, le=1, description="Strength of the style, from 0 to 1.")
    ] = 0.5
    weights: Annotated[
        str | None,
        Field(
            description="Weight of each style, such as 2,1.",
            json_schema_extra={"default": "equal", "metavar": "X,X"},
        ),
    ] = None
    style_scale: Annotated[
        PositiveFloat,
        Field(le=8, description="Scale of the style images; 2 gives larger brush strokes."),
    ] = 1.0
    colours: Annotated[
        Colours,
        Field(description="Colours of the style, of the content, or luminance transfer alone."),
    ] = "style"
    start: Annotated[
        Literal["content", "noise", "gray"] | None,
        Field(description="Initial image.", json_schema_extra=BY_PRESET),
    ] = None
    optimiser: Annotated[
        OptimiserName | None, Field(description="Optimiser.", json_schema_extra=BY_PRESET)
    ] = None
    content_layer: Annotated[
        str | None,
        Field(
            description="Content layers, such as relu3_1,relu4_2:2 with weights.",
            json_schema_extra={**BY_PRESET, "metavar": "LAYERS"},
        ),
    ] = None
    style_layers: Annotated[
        str | None,
        Field(
            description="Style layers, such as relu1_1,relu3_1:0.5 with weights.",
            json_schema_extra={**BY_PRESET, "metavar": "LAYERS"},
        ),
    ] = None
    style_loss: Annotated[
        StyleLossName | None,
        Field(
            description="Style loss: Wasserstein distance of Gaussians (w2) or Gram matrices.",
            json_schema_extra=BY_PRESET,
        ),
    ] = None
    tv: Annotated[
        float | None,
        Field(
            ge=0,
            description="Weight of the total-variation loss at strength 0.5.",
            json_schema_extra=BY_PRESET,
        ),
    ] = None
    iterations: Annotated[
        PositiveInt | None,
        Field(
            le=MOST,
            description="Iterations at the smallest size; fewer follow at larger ones.",
            json_schema_extra=BY_PRESET,
        ),
    ] = None
    seed: Annotated[int, Field(ge=0, lt=2**63, description="Random seed.")] = 0
    precision: Annotated[
        PrecisionName,
        Field(description="Precision of convolutions; auto is bf16 where that is fast."),
    ] = "auto"
    device: Annotated[
        DeviceName, Field(description="Device; auto is the fastest one available.")
    ] = "auto"

    @property
    def recipe(self) -> Recipe:
        """The preset's recipe with all options applied; raises SettingsError."""
        preset = PRESETS[self.preset]
        recipe = preset.recipe
        against_style = 10 ** (RANGE * _restraint(self.strength))
        stages = tuple(
            replace(
                stage,
                content=stage.content * against_style,
                variation=(stage.variation if self.tv is None else self.tv) * against_style,
                start=self.start or stage.start,
            )
            for stage in recipe.stages
        )
        said: dict[str, Any] = {
            "optimiser": self.optimiser,
            "iterations": self.iterations,
            "style_loss": self.style_loss,
            "content_layers": _layers("content-layer", self.content_layer)
            or preset.content_layers(_restraint(self.strength)),
            "style_layers": _layers("style-layers", self.style_layers),
        }
        known = {name: value for name, value in said.items() if value is not None}
        return replace(recipe, stages=stages, **known)

    def shares(self, count: int) -> list[float]:
        """The weight of each of so many styles; raises SettingsError."""
        if self.weights is None:
            return [1.0] * count
        try:
            shares = [float(part) for part in self.weights.split(",")]
        except ValueError:
            shares = []
        if len(shares) != count or min(shares) < 0 or not 0 < sum(shares) < inf:
            raise SettingsError(
                f"--weights {quote(self.weights)}: give {count} numbers, one for each style, such "
                f"as {','.join(['1'] * count)}."
            )
        return shares


def _restraint(strength: float) -> float:
    """How far style is reduced: 1 for strength 0, 0 for 0.5, and -1 for 1.

    The curve is chosen so that equal steps of strength remove about equally much of the photograph
    (benchmarks/RESULTS.md, "Style transfer: gallery").
    """
    less = 1 - 2 * strength
    return less * (1 + less) / 2 if less > 0 else less


def _layers(option: str, written: str | None) -> dict[str, float] | None:
    """Weights by layer from text like "relu1_1,relu3_1:0.5"; raises SettingsError."""
    if written is None:
        return None
    found = {}
    for part in written.split(","):
        layer, _, weight = part.strip().partition(":")
        try:
            found[layer] = float(weight or 1)
        except ValueError:
            found[layer] = -1.0
        if layer not in LAYERS or not 0 < found[layer] < inf:
            raise SettingsError(
                f"--{option} {quote(written)}: {quote(repr(part.strip()))} is no layer of "
                f"{', '.join(LAYERS)}, each with a weight if you like, such as relu1_1:0.5."
            )
    return found

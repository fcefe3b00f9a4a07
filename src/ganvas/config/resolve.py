"""Every default of a run, decided here and nowhere else.

A value is what the user said. Otherwise it is what the run was begun with, if it is resumed; what
the plan's row of the budget table says; what the model's recipe says; what follows from the images
or the device; or the default of its field. The later in this list, the more general.
"""

import dataclasses
from collections.abc import Mapping
from math import sqrt
from typing import Any, Literal

from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.config import Config, GameSettings
from ganvas.config.doctor import DoctorSettings
from ganvas.config.evaluation import EvaluationSettings
from ganvas.config.origin import Origin
from ganvas.config.request import Request
from ganvas.config.training import TrainingSettings
from ganvas.config.variational import VariationalSettings
from ganvas.data import DataSettings, parse_size
from ganvas.data.sources.builtin import SOURCES
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.models import DEFAULT, BudgetRow, ModelSpec, Shape, spec_of
from ganvas.models.spec import TrainerName
from ganvas.runtime.validation import SettingsError, build_settings

DEFAULT_BUDGET = 600.0  # seconds, where neither time nor images are said

# A set of fewer images is memorised within minutes: it is augmented, and the discriminator is
# regularised. In a minute on 10,000 digits that only costs steps (benchmarks/NOTES.md).
FEW = 5_000

SEEN = 32  # pixels a side, from which a pretrained network helps
LARGE = 128  # pixels a side, from which images are small at first beside one

NOMINAL: Shape = (3, 32, 32)  # of images that nobody has seen yet

GAMES: Mapping[TrainerName, type[GameSettings]] = {
    "adversarial": AdversarialSettings,
    "variational": VariationalSettings,
}

CHANNELS: dict[int, Literal["1", "3", "4"]] = {1: "1", 3: "3", 4: "4"}
COLOURED = (3, 4)  # channels


def _spec(request: Request) -> ModelSpec:
    return spec_of(DEFAULT if request.model is None else request.model)


class Values:
    """Settings by section while they are decided, each with its origin; the first one counts."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {}
        self.origins: dict[str, Origin] = {}

    def add(self, origin: Origin, section: str, **values: Any) -> None:
        """Decide what has not been decided yet."""
        known = self.sections.setdefault(section, {})
        for name, value in values.items():
            if name not in known and value is not None:
                known[name], self.origins[f"{section}.{name}"] = value, origin

    def settle(self, origin: Origin, section: str, name: str, value: Any) -> None:
        """Decide what has not been decided yet, or was left to be found out."""
        known = self.sections.setdefault(section, {})
        if known.get(name, "auto") == "auto":
            known[name], self.origins[f"{section}.{name}"] = value, origin

    def add_all(self, origin: Origin, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """Decide what has not been decided yet, in all of these sections."""
        for section, values in sections.items():
            self.add(origin, section, **values)

    def get(self, section: str, name: str, default: Any = None) -> Any:
        """What has been decided."""
        return self.sections.get(section, {}).get(name, default)

    def build(self, section: str, settings: Any) -> Any:
        """The settings of a section; raises SettingsError."""
        return build_settings(settings, section, self.sections.get(section, {}))


def resolve(
    request: Request,
    shape: Shape,
    usable: int,
    bf16: bool = False,
    row: BudgetRow | None = None,
) -> Config:
    """The complete configuration of a run on `usable` images of this shape.

    `bf16` is whether the device computes in it; `row` is the plan's choice from the budget table.
    Raises SettingsError, or UnknownNameError for a model that does not exist.
    """
    if request.source is None:
        raise SettingsError("a run needs a source: a folder, a .zip, digits or emoji.")
    spec = _spec(request)
    values = Values()
    if request.model is not None:
        begun = request.stored_origins.get("model", request.stored_origin)
        values.origins["model"] = begun if request.stored else Origin.USER
    values.add_all(Origin.USER, request.values)
    for section, of in request.stored.items():
        for name, value in of.items():
            origin = request.stored_origins.get(f"{section}.{name}", request.stored_origin)
            values.add(origin, section, **{name: value})
    if row is not None:
        values.add(Origin.PLAN, "network", **row.network)
        values.add(Origin.PLAN, "training", batch=row.batch)
    if spec.trainer == "adversarial":
        learning_rates(values, spec, shape, row)
        discriminator(values, shape)
    values.add_all(Origin.RECIPE, spec.recipe)
    if values.get("game", "discriminator", "own") != "own":
        doublings = min(spec.most_doublings(shape), usual_doublings(shape))
        values.add(Origin.IMAGES, "network", doublings=doublings or None)
    if spec.trainer == "adversarial":
        penalties(values, shape, usable)
        augmentation(values, usable)
    values.settle(Origin.IMAGES, "data", "size", "{}x{}".format(*shape[1:]))
    if shape[0] in CHANNELS:  # toy data, such as points in the plane, has other numbers
        values.settle(Origin.IMAGES, "data", "channels", CHANNELS[shape[0]])
    values.settle(Origin.DEVICE, "training", "precision", "bf16" if bf16 else "fp32")
    if {"budget", "images"}.isdisjoint(values.sections["training"]):
        values.add(Origin.DEFAULT, "training", budget=DEFAULT_BUDGET)
    return Config(
        source=request.source,
        model=spec.name,
        data=values.build("data", DataSettings),
        network=values.build("network", spec.settings),
        game=values.build("game", GAMES[spec.trainer]),
        training=values.build("training", TrainingSettings),
        doctor=values.build("doctor", DoctorSettings),
        evaluation=values.build("evaluation", EvaluationSettings),
        origins=values.origins,
    )


def check(request: Request) -> Request:
    """The same; raises what `resolve` would raise, before anybody has waited for the images."""
    size = data_settings(request).size
    resolve(request, (NOMINAL[0], *parse_size(size)) if size else NOMINAL, 1)
    return request


def data_settings(request: Request) -> DataSettings:
    """How the images are prepared; raises SettingsError.

    A model that takes images of any size takes a built-in set at the set's own.
    """
    values = dict(request.stored.get("data", {})) | dict(request.values.get("data", {}))
    settings: DataSettings = build_settings(DataSettings, "data", values)
    own = SOURCES[request.source].own_size if request.source in SOURCES else None
    if settings.size is None and own and _spec(request).any_size:
        return dataclasses.replace(settings, size=own)
    return settings


def training_settings(request: Request) -> TrainingSettings:
    """How long, where and how exactly to train, as far as it was said; raises SettingsError."""
    values = dict(request.stored.get("training", {})) | dict(request.values.get("training", {}))
    settings: TrainingSettings = build_settings(TrainingSettings, "training", values)
    return settings


def learning_rates(values: Values, spec: ModelSpec, shape: Shape, row: BudgetRow | None) -> None:
    """Decide the learning rates of both players, of which the user may have said one."""
    recipe = spec.recipe.get("game", {})
    for name in ("lr_g", "lr_d"):
        if row is not None:
            values.add(Origin.PLAN, "game", **{name: row.lr})
        values.add(Origin.RECIPE, "game", **{name: recipe.get(name)})
        values.add(Origin.IMAGES, "game", **{name: usual_learning_rate(shape)})


def discriminator(values: Values, shape: Shape) -> None:
    """Decide for the model's own discriminator where a pretrained network would not help.

    It was trained on photographs of 224 pixels. On grey digits in a minute it was far behind, and
    of images below 32 pixels it sees next to nothing (benchmarks/NOTES.md).
    """
    if shape[0] not in COLOURED or min(shape[1:]) < SEEN:
        values.add(Origin.IMAGES, "game", discriminator="own")


def usual_doublings(shape: Shape) -> int:
    """How often images double in size while a pretrained network teaches.

    It sees enough of shapes at a quarter of 128 pixels, in a fraction of the time. At 64 pixels,
    at equal time, samples were more precise and had less recall (benchmarks/NOTES.md).
    """
    return 2 if min(shape[1:]) >= LARGE else 0


def penalties(values: Values, shape: Shape, usable: int) -> None:
    """Decide the weights of R1 and R2."""
    loss = values.get("game", "loss", AdversarialSettings.loss)
    known = isinstance(loss, str) and loss in ADVERSARIAL_LOSSES
    paired = known and ADVERSARIAL_LOSSES[loss].loss.paired
    few = usual_r1(shape) if usable < FEW else 0.0
    values.add(Origin.IMAGES, "game", r1=usual_paired_penalty(shape) if paired else few)
    values.add(Origin.IMAGES, "game", r2=values.get("game", "r1") if paired else 0.0)


def augmentation(values: Values, usable: int) -> None:
    """Decide what is augmented, unless a kind of augmentation was asked for.

    All of a few images, and none of more: on digits an adaptive probability was tried, and cost
    quality. They are moved and keep their colours: recoloured too they were learnt less well in
    most trials, of 3,391 emoji and of 309 of them (benchmarks/NOTES.md).
    """
    values.add(Origin.IMAGES, "game", augment="shift" if usable < FEW else "none")
    values.add(Origin.DEFAULT, "game", augment_share=1.0, augment_target=0.0)


def usual_learning_rate(shape: Shape) -> float:
    """Learning rate for images of this shape: the larger they are, the lower.

    0.002 at 32x32, 0.001 at 64x64 (measured: benchmarks/NOTES.md), and on in that proportion to the
    side, which meets the 0.0002 of Radford et al. (2016) near their larger sizes.
    """
    return 2e-3 * 32 / sqrt(shape[1] * shape[2])


def usual_r1(shape: Shape) -> float:
    """Weight of R1: in proportion to the number of pixels, 0.1 at 64x64.

    The proportion is that of Karras et al. (2020), the factor measured: benchmarks/NOTES.md.
    """
    return 0.1 * shape[1] * shape[2] / 64**2


def usual_paired_penalty(shape: Shape) -> float:
    """Weight of R1 and of R2 where real and generated images are paired: 0.1 at 32x32, 0.4 at
    64x64, and three times that without colours.

    Measured on digits and on emoji (benchmarks/NOTES.md); in proportion to the number of pixels as
    in Karras et al. (2020). Huang et al. (2024) take 0.05 to 2 at these sizes.
    """
    return (0.3 if shape[0] == 1 else 0.1) * shape[1] * shape[2] / 32**2

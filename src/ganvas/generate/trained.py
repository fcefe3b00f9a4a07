"""Finding a trained model: in a run, a checkpoint, an exported file, or built into ganvas."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.checkpoint import Checkpoint, Tensors
from ganvas.checkpoints.metadata import CheckpointError, ModelMetadata, RunMetadata, model_of
from ganvas.checkpoints.run_dir import RunDir
from ganvas.generate import export
from ganvas.models import AdversarialModel, Generator, build
from ganvas.models.description import Description, DescriptionError, describe, fitting, generator
from ganvas.models.projected import MEASURED, ProjectedDiscriminator
from ganvas.runtime.assets import ASSETS
from ganvas.runtime.names import expand, printable
from ganvas.runtime.system import system_errors

SHIPPED = {"digits": "digits_generator", "emoji": "emoji_generator"}
GENERATOR, PROJECTED = "generator.", "projected."  # how names of tensors begin in a model
PREFIX = "builtin:"  # for the built-in model where a run or file has the same name


@dataclass(frozen=True)
class Trained:
    """A trained model on disk; its metadata has been checked."""

    name: str  # as the user gave it
    metadata: RunMetadata
    average: Tensors  # the averaged generator
    checkpoint: Checkpoint | None = None  # the whole checkpoint, unless it is an exported file
    passed_over: list[str] = field(default_factory=list)  # a sentence for each damaged checkpoint
    shipped: str | None = None  # name of the built-in model, if it is one
    further: Tensors = field(default_factory=dict)  # of an exported file: see `exported`

    def check(self) -> None:
        """Raises CheckpointError unless the weights fit the described generator."""
        with self._explained():
            fitting(self._description(), self.average)

    def generator(self) -> Generator:
        """The averaged generator, ready to generate; raises CheckpointError where it does not
        fit."""
        with self._explained():
            return generator(self._description(), self.average)

    def scoring(self) -> AdversarialModel | None:
        """The model with the discriminator that was trained, to score images with; None where
        there is none, as in an exported file.

        Raises CheckpointError where it does not fit.
        """
        if self.checkpoint is None:
            return None
        with self._explained():
            described = self._description()
        made = build(described.model, described.settings, described.shape, described.classes)
        if not isinstance(made, AdversarialModel):
            return None
        game, found = self.metadata.config.get("game"), self.weights()
        if isinstance(game, dict) and game.get("discriminator") == "pretrained":
            sides = described.shape[1:]
            made.look_through(
                ProjectedDiscriminator(sides, described.classes, halvings=made.doublings),
                alone=True,
            )
        made.generator.make_room(found, GENERATOR)
        own = made.state_dict()
        taken = {n: x for n, x in found.items() if n in own and x.shape == own[n].shape}
        if missing := [n for n in own if n not in taken and n.startswith(("discr", PROJECTED))]:
            raise CheckpointError(f"{self.checkpoint.folder} cannot be used: no {missing[0]} fits.")
        made.load_state_dict(taken, strict=False)
        return made.requires_grad_(False).eval()

    def weights(self) -> Tensors:
        """The tensors of the model, by their names in it: of an exported file those that it has.

        Raises CheckpointError where they are damaged.
        """
        if self.checkpoint is not None:
            return self.checkpoint.tensors("model")
        return {
            f"{GENERATOR}{name}": tensor for name, tensor in self.average.items()
        } | self.further

    def exported(self) -> Tensors:
        """What an exported file holds: the averaged generator, and what was measured over real
        images, so that codes keep their meaning in a run that starts from it."""
        measured = tuple(f"{PROJECTED}{name}" for name in MEASURED)
        found = {name: x for name, x in self.weights().items() if name.startswith(measured)}
        return {**self.average, **found}

    def _description(self) -> Description:
        model = self.model
        return describe(model.name, model.network, model.shape, len(model.classes))

    @property
    def model(self) -> ModelMetadata:
        """What is needed to build the networks; raises CheckpointError where that is missing."""
        return model_of(self.metadata, self.checkpoint.folder if self.checkpoint else self.name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        place = printable(str(self.checkpoint.folder if self.checkpoint else self.name))
        try:
            yield
        except DescriptionError as fault:
            raise CheckpointError(f"{place} cannot be used: {fault}.") from None


def find_trained(where: str | Path) -> Trained:
    """Find the model of a run or checkpoint (folders), of an exported file, or of a built-in name.

    A run, a checkpoint or a file called `digits` takes precedence over the built-in model of that
    name; `builtin:digits` always is the latter. Raises CheckpointError when there is no such model
    or it is damaged, and PlaceError where the system denies access.
    """
    if not isinstance(where, str | Path) or not str(where):
        raise CheckpointError(f"a trained model is named by text or a path, not by {where!r:.60}.")
    if "\0" in str(where):
        raise CheckpointError(f"{str(where)!r:.60} holds a NUL character, so it is no name.")
    with system_errors():
        found = _find(where)
    found.check()
    return found


def _find(where: str | Path) -> Trained:
    path, name = expand(where), str(where).removeprefix(PREFIX)
    if name in SHIPPED and (name != str(where) or not is_trained(path)):
        return _in_file(ASSETS / f"{SHIPPED[name]}{export.ENDING}", name, shipped=name)
    if path.is_dir():
        found, passed_over = _in_folder(path)
        return Trained(str(where), found.metadata, found.tensors("average"), found, passed_over)
    if path.is_file() or path.suffix == export.ENDING:
        return _in_file(path, str(where))
    raise CheckpointError(
        f"there is no run, checkpoint or exported generator {printable(str(where))!r}. Built-in "
        f"generators: {', '.join(SHIPPED)}."
    )


def is_trained(path: Path) -> bool:
    """Whether `path` is a run, a checkpoint or a file, and not just any folder."""
    run = RunDir(path)
    inside = (run.settings, run.checkpoints, path / checkpoint.MANIFEST)
    return path.is_file() or any(part.exists() for part in inside)


def _in_file(path: Path, name: str, shipped: str | None = None) -> Trained:
    tensors, metadata = export.read(path)
    further = {n: tensor for n, tensor in tensors.items() if n.startswith(PROJECTED)}
    average = {n: tensor for n, tensor in tensors.items() if n not in further}
    return Trained(name, metadata, average, shipped=shipped, further=further)


def _in_folder(run: Path) -> tuple[Checkpoint, list[str]]:
    """The newest intact checkpoint of a run, and a sentence for each damaged one skipped."""
    if (run / checkpoint.MANIFEST).exists():
        return checkpoint.verify(checkpoint.read(run)), []
    return checkpoint.newest(RunDir(run).checkpoints)

"""What the tests share: a cache of their own, small images, and runs that take a second."""

import os

# Each worker of pytest-xdist, and each process that a test starts, has one core.
os.environ["OMP_NUM_THREADS"] = "1"  # before torch and NumPy load
os.environ["MKL_NUM_THREADS"] = "1"

import hashlib
import io
import itertools
import json
import shutil
import signal
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pairwise
import pytest
import torch
from forking import Forking
from PIL import Image

from ganvas import cli
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request
from ganvas.config.resolve import GAMES
from ganvas.imaging import plots, video
from ganvas.models import MODELS, GenerativeModel, build
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.pretrained.vgg19 import VGG19
from ganvas.runs import session as session_module
from ganvas.runs.fresh import fresh
from ganvas.runs.session import Session
from ganvas.runtime.atomic import replacing
from ganvas.style import forecast
from ganvas.style import stylize as stylize_module
from ganvas.style.forecast import Forecast
from ganvas.style.recipe import Recipe
from ganvas.style.scene import Scene
from ganvas.sweep import report
from ganvas.training import TRAINERS, Precision, Trainer, TrainingState
from ganvas.training.callbacks import curves, log, samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CPU = torch.device("cpu")
SMALL = {"network": {"width": 4, "latent": 8}, "data": {"size": "16"}}

# Of mutated files and the like; `make test-all` asks for the profile `full`. Neither has a clock.
PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("quick", max_examples=200, **PATIENT)
hypothesis.settings.register_profile("full", max_examples=2000, **PATIENT)


@pytest.hookimpl(tryfirst=True)  # before pytest looks at markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `full` what a test marked `pairwise` does not need for every pair of its values."""
    products = defaultdict(list)
    for item in items:
        if item.get_closest_marker("pairwise"):
            products[item.nodeid.split("[")[0]].append(item)
    for cases in products.values():
        values = [{k: str(v) for k, v in case.callspec.params.items()} for case in cases]
        kept = set(pairwise.cover(values))
        for i, case in enumerate(cases):
            if i not in kept:
                case.add_marker(pytest.mark.full)


@pytest.fixture(autouse=True, scope="session")  # what a whole module shares uses it too
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small only wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def _small_curves() -> Iterator[None]:
    """Every run ends with a drawing of its losses: small and without layout, it takes a third."""

    def small(width: float, height: float) -> "Figure":
        drawn = plots.figure(width / 3, height / 3)
        drawn.set_layout_engine("none")
        return drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "figure", small)
        patch.setattr(report, "figure", small)
        yield


@pytest.fixture(autouse=True, scope="session")
def _drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Curves and films at the end of a run: one of each kind is made, and copied from then on.

    They took half of the time of a run of ten steps. What they show is tested without a run.
    """
    folder, kept = tmp_path_factory.mktemp("drawn"), dict[object, Path]()

    def copied(key: object, path: Path, make: Callable[[], object]) -> bool:
        if key in kept:
            with replacing(path) as temporary:
                shutil.copyfile(kept[key], temporary)
        elif make() is False:
            return False
        else:
            kept[key] = Path(shutil.copyfile(path, folder / str(len(kept))))
        return True

    def draw(metrics: Path, image: Path) -> bool:
        fields = frozenset(frozenset(line) for line in log.read(metrics))
        return copied(fields, image, lambda: curves.draw(metrics, image))

    def write(path: Path, frames: np.ndarray, milliseconds: float) -> None:
        form = (frames.shape, milliseconds)
        copied(form, path, lambda: video.write_gif(path, frames, milliseconds))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "curves", SimpleNamespace(draw=draw))
        patch.setattr(samples, "write_gif", write)
        yield


@pytest.fixture(autouse=True, scope="session")
def _timed_once() -> Iterator[None]:
    """A style transfer of each kind is timed once; for others of its kind the forecast stands."""
    known = dict[object, Forecast]()

    def forecast_of(network: VGG19, scene: Scene, recipe: Recipe) -> Forecast:
        styles = tuple(len(part.styles) for part in scene.parts)
        kind = (network.dtype, network.device, scene.content.shape, styles, repr(recipe))
        if kind not in known:
            known[kind] = forecast.forecast(network, scene, recipe)
        return known[kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast, "TIMED", 1)
        patch.setattr(stylize_module, "forecast", forecast_of)
        yield


@pytest.fixture(autouse=True, scope="session")
def _signals_obeyed() -> Iterator[None]:
    """nohup and background jobs of a shell ignore some, which child processes inherit."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        usual[signal.SIGHUP] = signal.SIG_DFL
    ignored = [number for number in usual if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, usual[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


class Blobs:
    """Images (count, H, W, C) of soft spots, made on the spot, as data.ImageDataset."""

    def __init__(self, shape: tuple[int, int, int], count: int = 96, classes: int = 0) -> None:
        self.classes = classes
        self.shape, self.key, self.refused, self.source = shape, "blobs", (), "blobs"
        channels, height, width = shape
        random = np.random.default_rng(0)
        y, x = np.mgrid[0:height, 0:width]
        where = random.random((count, 2)) * (height, width)
        distance = (y - where[:, :1, None]) ** 2 + (x - where[:, 1:, None]) ** 2
        spots = 255 * np.exp(-distance / (0.05 * height * width))
        self.pixels = np.repeat(spots[..., None], channels, axis=3).astype(np.uint8)
        self.usable, self.mirror = count, False

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, indices: np.ndarray) -> np.ndarray:
        return self.pixels[indices]

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """One-hot classes, if there are any: by turns."""
        return (
            np.asarray(indices)[:, None] % max(1, self.classes) == np.arange(self.classes)
        ).astype(np.float32)


@pytest.fixture
def blobs() -> Callable[..., Blobs]:
    return Blobs


@pytest.fixture
def small() -> Callable[..., GenerativeModel]:
    """The smallest model of a name, from seed 0."""

    def make(
        name: str, shape: tuple[int, int, int] = (1, 16, 16), classes: int = 0
    ) -> GenerativeModel:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return build(name, MODELS[name].settings(latent=8, width=4), shape, classes)

    return make


@pytest.fixture
def begin() -> Callable[..., tuple[Trainer, TrainingState]]:
    """A trainer and its state before the first step."""

    def make(name: str, model: GenerativeModel, bf16: bool = False, **rules: object):
        kind = MODELS[name].trainer
        if kind == "adversarial":
            usual = {"lr_g": 4e-3, "lr_d": 4e-3, "r1": 0.0, "r2": 0.0, "augment": "none"}
            rules = usual | {"augment_share": 1.0, "augment_target": 0.0} | rules
        if rules.get("discriminator", "own") != "own":
            torch.manual_seed(0)
            channels, *sides = model.generator.shape
            projected = ProjectedDiscriminator(sides, model.generator.classes, latent=8)
            projected.measure([2 * torch.rand(40, channels, *sides) - 1])
            model.look_through(projected, alone=rules["discriminator"] == "pretrained")
        trainer = TRAINERS[kind](GAMES[kind](**rules), Precision(CPU, bf16))
        return trainer, trainer.start(model, seed=0)

    return make


@pytest.fixture(scope="session")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve images of several kinds and sizes, where nobody may write."""
    folder = tmp_path_factory.mktemp("twelve") / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for i in range(12):
        height, width = random.integers(20, 60, 2)
        pixels = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.{('png', 'jpg', 'webp')[i % 3]}")
    return folder


@pytest.fixture
def images(twelve: Path, tmp_path: Path) -> Path:
    """A copy of the twelve images, which a test may change."""
    return Path(shutil.copytree(twelve, tmp_path / "images"))


@pytest.fixture(scope="session")
def copy_of_run(
    twelve: Path, _own_cache: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Copies the run on the twelve images that these flags make, trained once, to a place."""
    made: dict[tuple[str, ...], Path] = {}

    def copy(to: Path, *flags: object) -> Path:
        key = tuple(map(str, flags))
        if key not in made:
            out = tmp_path_factory.mktemp("made") / "run"
            said = io.StringIO()  # which is no output of the test that comes first
            with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as end:
                cli.main(["train", str(twelve), "--out", str(out), *key])
            assert end.value.code == 0, said.getvalue()
            made[key] = out
        return Path(shutil.copytree(made[key], to))

    return copy


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command as people type it: (status, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def forking(_own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    """Runs programs in processes of their own, with torch imported already."""
    if not hasattr(os, "fork"):
        pytest.skip("fork is POSIX")
    with Forking(tmp_path_factory.mktemp("streams")) as made:
        yield made


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Makes clocks count how often they are asked: a time budget ends at the same step anywhere."""

    def start(seconds: float) -> None:
        ticks = itertools.count()
        for clock in ("monotonic", "perf_counter"):
            monkeypatch.setattr(time, clock, lambda: seconds * next(ticks))

    return start


@pytest.fixture
def scripted() -> Callable[[Path, torch.nn.Module], str]:
    """Writes a module as TorchScript, as users keep their own networks."""

    def write(path: Path, module: torch.nn.Module) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript itself
            torch.jit.save(torch.jit.script(module), str(path))
        return str(path)

    return write


@pytest.fixture(scope="session")
def returned() -> Callable[[Generator[object, None, object]], object]:
    """What a generator returns at its end."""

    def run(generator: Generator[object, None, object]) -> object:
        while True:
            try:
                next(generator)
            except StopIteration as end:
                return end.value

    return run


@pytest.fixture(scope="session")
def signed() -> Callable[..., None]:
    """Writes files into a checkpoint, with checksums that agree: `model`, or `metadata` as JSON."""

    def write(folder: Path, version: int | None = None, **files: bytes) -> None:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_bytes())
        for stem, data in files.items():
            kind = ".json" if stem in ("metadata", "facts") else ".safetensors"
            name = stem.replace("__", "-") + kind
            (folder / name).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            manifest["files"][name] = {"bytes": len(data), "sha256": digest}
        if version is not None:
            manifest["format"] = version
        path.write_text(json.dumps(manifest))

    return write


@pytest.fixture
def session(
    images: Path, tmp_path: Path, returned: Callable[..., object]
) -> Callable[..., Session]:
    """A session of forty steps, and its directory."""

    def make(**training: object) -> Session:
        settings = {"batch": 4, "images": 160, "threads": 1} | training
        content = {"source": str(images), "training": settings, **SMALL}
        opening = returned(fresh(Request.of(content), RunDir(tmp_path / "run")))
        return returned(opening.session())

    return make

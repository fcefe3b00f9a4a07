"""The peers, in plain PyTorch as their tutorials write them, and ganvas through its public API."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from record import SCRATCH
from torch import Tensor, nn

import ganvas
from ganvas.events import Done, Planned

LATENT = 100
Contestant: TypeAlias = "Callable[[float, int], Trained]"  # (seconds, seed)
SampleWriter: TypeAlias = Callable[[int, int], Tensor]
Step: TypeAlias = Callable[[Tensor], None]


@dataclass(frozen=True)
class Trained:
    """A contestant after its time: `sample(n, seed)` is (n, C, H, W) in [-1, 1].

    `seen` counts the real images shown; `seconds` is the training time alone.
    """

    sample: SampleWriter
    seen: int
    steps: int
    seconds: float


def lesson(images: Tensor, seconds: float, seed: int) -> Trained:
    """The fully connected GAN of Microsoft's AI for Beginners, lesson 10 (GANPyTorch.ipynb).

    `images` is (N, C, H, W), uint8 or float in [-1, 1]. Digits of 32x32 are cut to the lesson's
    28x28 and padded again for scoring; other sizes change the first and the last layer only.
    """
    torch.manual_seed(seed)
    border = 2 if images.shape[1:] == (1, 32, 32) else 0
    images = F.pad(_as_floats(images), [-border] * 4)
    shape = images.shape[1:]
    generator, discriminator = _lesson_generator(shape), _lesson_discriminator(shape)
    step = _lesson_step(generator, discriminator)
    steps, elapsed = _train_for(seconds, step, _batches(images, 256))

    def sample(count: int, seed: int) -> Tensor:
        found = _sample(generator.eval(), _latents(count, seed), batch=256)
        return F.pad(found, [border] * 4, value=-1)

    return Trained(sample, 256 * steps, steps, elapsed)


def tutorial_dcgan(images: Tensor, seconds: float, seed: int) -> Trained:
    """A tutorial's DCGAN (Radford et al. 2016; layout and settings of PyTorch's example).

    Weights as torch draws them, and a bias before tanh: on digits in a minute that is seven times
    better than the example's N(0, 0.02) and no bias, see NOTES.md.

    `images` is (N, C, S, S) with S a power of two from 32, uint8 or float in [-1, 1]. It samples
    in training mode, with the statistics of the batch, as tutorials do: that is to its advantage.
    """
    torch.manual_seed(seed)
    images = _as_floats(images)
    batch = 128 if images.shape[2] == 32 else 64
    generator, step = _tutorial_dcgan(images)
    steps, elapsed = _train_for(seconds, step, _batches(images, batch))

    def sample(count: int, seed: int) -> Tensor:
        whole_batches = _latents(-(-count // batch) * batch, seed)[:, :, None, None]
        return _sample(generator, whole_batches, batch)[:count]

    return Trained(sample, batch * steps, steps, elapsed)


def tutorial_dcgan_steps(images: Tensor, batch: int) -> Iterator[None]:
    """The tutorial's training without an end: each next() is one step on `batch` images."""
    torch.manual_seed(0)
    _, step = _tutorial_dcgan(images)
    for real in _batches(images, batch):
        yield step(real)


def model_by_default(model: str, source: str, size: int, seconds: float, seed: int) -> Trained:
    """A model of this project, through its public API: one budget, nothing else is set."""
    return ganvas_run(model, source, size, {"model": model}, seconds, seed)


def ganvas_run(
    name: str, source: str, size: int, options: dict[str, Any], seconds: float, seed: int
) -> Trained:
    """A run of this project, through its public API, with a budget and these options.

    The run stays in `.scratch/runs`, to be looked at or exported.
    """
    words = re.sub(r"\W+", "_", f"{Path(source).name}{size}_{seconds:g}s_{name}_{seed}")
    run = SCRATCH / "runs" / words
    shutil.rmtree(run, ignore_errors=True)
    asked = {"size": str(size), "budget": f"{seconds:g}s", "seed": seed, **options}
    events = list(ganvas.train(source, out=run, **asked))
    pipeline = ganvas.load(run)
    done = next(event for event in reversed(events) if isinstance(event, Done))
    return Trained(pipeline.sample, done.images, done.step, done.seconds)


@dataclass(frozen=True)
class PlannedRun:
    """A run of this project of as many images as its plan finds a time to be enough for.

    The plan is made once, on a quiet machine, and kept in a file. What else the machine does then
    changes nothing, and a run goes on where it was interrupted.
    """

    name: str
    source: str
    size: int
    options: Mapping[str, Any]
    plans: Path
    longer: float = 1.0
    fresh: bool = False

    def plan(self, seconds: float, again: bool = False) -> dict[str, Any]:
        """Number of images, width and batch for `longer` times so many seconds.

        The middle one of all plans that were made: planned `again`, one more is.
        """
        known = json.loads(self.plans.read_text()) if self.plans.is_file() else {}
        mine = known.setdefault(self.name, [])
        if again or not mine:
            asked: dict[str, Any] = {
                "size": str(self.size),
                "budget": f"{self.longer * seconds:g}s",
            }
            events = ganvas.train(
                self.source, out=SCRATCH / "planned", dry_run=True, **asked, **self.options
            )
            mine.append(next(dict(e.choices) for e in events if isinstance(e, Planned)))
            self.plans.parent.mkdir(parents=True, exist_ok=True)
            self.plans.write_text(json.dumps(known, indent=1) + "\n")
        return dict(sorted(mine, key=lambda one: one["images"])[len(mine) // 2])

    def __call__(self, seconds: float, seed: int) -> Trained:
        """Train, or go on; the run stays in `.scratch/runs`, and its time is that of the plan."""
        words = f"{Path(self.source).name}{self.size}_{seconds:g}s_{self.name}_{seed}"
        run = SCRATCH / "runs" / re.sub(r"\W+", "_", words)
        asked: dict[str, Any] = {
            "size": str(self.size),
            "seed": seed,
            **self.options,
            **self.plan(seconds),
        }
        if self.fresh:
            shutil.rmtree(run, ignore_errors=True)
        if (run / "run.yaml").exists():
            events = [*ganvas.train(out=run, resume=True)]
        else:
            events = [*ganvas.train(self.source, out=run, **asked)]
        done = next(event for event in reversed(events) if isinstance(event, Done))
        return Trained(ganvas.load(run).sample, done.images, done.step, self.longer * seconds)


def _lesson_generator(shape: torch.Size) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in ((LATENT, 256), (256, 512), (512, 1024)):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, momentum=0.2)]
        layers += [nn.LeakyReLU(0.2)]
    return nn.Sequential(
        *layers, nn.Linear(1024, shape.numel()), nn.Tanh(), nn.Unflatten(1, tuple(shape))
    )


def _lesson_discriminator(shape: torch.Size) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(shape.numel(), 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 1),
        nn.Sigmoid(),
        nn.Flatten(0),
    )


def _lesson_step(generator: nn.Module, discriminator: nn.Module) -> Step:
    """Generator first, then the discriminator on the same generated batch."""
    optimiser_g, optimiser_d = (_adam(net, decay=8e-9) for net in (generator, discriminator))
    loss = nn.BCELoss()

    def step(real: Tensor) -> None:
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        fake = generator(torch.randn(len(real), LATENT))
        optimiser_g.zero_grad()
        loss(discriminator(fake), ones).backward()
        optimiser_g.step()

        optimiser_d.zero_grad()
        on_real = loss(discriminator(real), ones)
        on_fake = loss(discriminator(fake.detach()), zeros)
        ((on_real + on_fake) / 2).backward()
        optimiser_d.step()

    return step


def _tutorial_dcgan(images: Tensor) -> tuple[nn.Module, Step]:
    channels, side = images.shape[1], images.shape[2]
    widths = [min(64 * 2**level, 512) for level in range(int(log2(side)) - 2)]
    generator = _dcgan_generator(channels, widths)
    discriminator = _dcgan_discriminator(channels, widths)
    return generator, _dcgan_step(generator, discriminator)


def _dcgan_generator(channels: int, widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, widths[-1], 4, 1, 0, bias=False)]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        layers += [nn.BatchNorm2d(wide), nn.ReLU(True)]
        layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(widths[0]), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(widths[0], channels, 4, 2, 1), nn.Tanh())


def _dcgan_discriminator(channels: int, widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False)]
    layers += [nn.LeakyReLU(0.2, True)]
    for narrow, wide in pairwise(widths):
        layers += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, True)]
    last = nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False)
    return nn.Sequential(*layers, last, nn.Sigmoid(), nn.Flatten(0))


def _dcgan_step(generator: nn.Module, discriminator: nn.Module) -> Step:
    """The discriminator on real, then on fake; then the generator through the same fakes."""
    optimiser_g, optimiser_d = _adam(generator), _adam(discriminator)
    loss = nn.BCELoss()

    def step(real: Tensor) -> None:
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        optimiser_d.zero_grad()
        loss(discriminator(real), ones).backward()
        fake = generator(torch.randn(len(real), LATENT, 1, 1))
        loss(discriminator(fake.detach()), zeros).backward()
        optimiser_d.step()

        optimiser_g.zero_grad()
        loss(discriminator(fake), ones).backward()
        optimiser_g.step()

    return step


def _adam(network: nn.Module, decay: float = 0) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), weight_decay=decay)


def _train_for(seconds: float, step: Step, batches: Iterator[Tensor]) -> tuple[int, float]:
    """Steps made and seconds taken, from the first step to the end of the last."""
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step(next(batches))
        steps += 1
    return steps, time.perf_counter() - start


def _batches(images: Tensor, size: int) -> Iterator[Tensor]:
    """Full batches, in a new order each time through, without end."""
    while True:
        for rows in torch.split(torch.randperm(len(images)), size):
            if len(rows) == size:
                yield images[rows]


def _as_floats(images: Tensor) -> Tensor:
    return images if images.is_floating_point() else images / 127.5 - 1


def _latents(count: int, seed: int) -> Tensor:
    return torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def _sample(generator: nn.Module, latents: Tensor, batch: int) -> Tensor:
    return torch.cat([generator(part) for part in torch.split(latents, batch)])

"""Probes: regular comparisons of generated images with real ones during a run.

They work on thumbnails, which cost next to nothing and need no trained network. Thumbnails show
shapes and colours, not detail.
"""

from dataclasses import dataclass
from math import nan, prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data import Dataset
from ganvas.evaluation.metrics import bins, duplicates, kernel_distance, neighbour_shares
from ganvas.evaluation.metrics.distances import nearest, nearest_others
from ganvas.imaging.alpha import premultiplied
from ganvas.imaging.tensors import to_floats
from ganvas.models import AdversarialModel
from ganvas.models.buffers import buffers_restored
from ganvas.models.sampling import sample_batches
from ganvas.training.callbacks.checkpoints import THUMBNAIL, thumbnails
from ganvas.training.state import TrainingState, fixed_latents

LOOKED_AT = 256  # real images, and generated ones
PROBE_STREAM = 3
NUMBERS = 2**23  # at most, in the images that the discriminator scores: memory stays small
SCORED = 32  # images that the discriminator scores at once
FEWEST = 20  # real images to compare with
FINE, COARSE = 16, 8  # clusters of real images, by their thumbnails
NOT_GENERATED = 0.1  # of its share among real images, below which a mode is not generated
NEAREST = 5
ALIKE = 1e-3  # root mean squared difference below which two thumbnails are one image
COLOURED = 0.1  # difference between channels above which an image counts as coloured
CONSTANT = 0.01  # standard deviation within an image below which it is blank


@dataclass(frozen=True)
class Probe:
    """What generated images are compared with."""

    real: Tensor  # thumbnails of training images, (N, D)
    learnt: Tensor  # some of those images, (M, C, H, W), as networks see them
    held_out: Tensor  # images that are not trained on, (K, C, H, W); K may be 0
    labels: tuple[Tensor, Tensor]  # of `learnt` and of `held_out`
    floor: float  # the score of one half of the real images against the other

    @classmethod
    def of(cls, learnt: Dataset, held_out: Dataset, seed: int) -> "Probe":
        """The probe of a run with these training images and these held-out ones."""
        drawn = np.random.default_rng((seed, PROBE_STREAM)).permutation(len(learnt))
        thumbs = _thumbnails(learnt, drawn[: 2 * LOOKED_AT])
        count = min(len(held_out), LOOKED_AT, max(FEWEST, NUMBERS // prod(learnt.shape)))
        few = drawn[:count]
        return cls(
            thumbs[:LOOKED_AT],
            _images(learnt, few),
            _images(held_out, np.arange(count)),
            (_labels(learnt, few), _labels(held_out, np.arange(count))),
            _floor(thumbs),
        )

    def measure(self, state: TrainingState) -> dict[str, float]:
        """Measurements by name; the run itself is left unchanged."""
        drawn = fixed_latents(state, PROBE_STREAM, LOOKED_AT)
        fake = thumbnails(sample_batches(state.average, drawn))
        return self.compare(fake) | self._memorisation(state)

    def compare(self, fake: Tensor) -> dict[str, float]:
        """Compare thumbnails (N, D) of generated images with those of real ones."""
        return compare(self.real, fake) | {"floor": self.floor}

    def _memorisation(self, state: TrainingState) -> dict[str, float]:
        """How much higher the discriminator scores training images than held-out ones.

        In standard deviations of its scores; 0 without overfitting.
        """
        model = state.model
        if not isinstance(model, AdversarialModel) or not len(self.held_out):
            return {}
        with torch.no_grad(), buffers_restored(model):
            known, unknown = (
                _scores(model, images, labels)
                for images, labels in zip((self.learnt, self.held_out), self.labels, strict=True)
            )
        return {"gap": gap(known, unknown)}


def _floor(thumbs: Tensor) -> float:
    """The score of one half of real thumbnails (N, D) against the other; NaN of too few."""
    if len(thumbs) < 4:
        return nan
    one, other = thumbs.chunk(2)
    return abs(kernel_distance(one, other).relative)


def gap(known: Tensor, unknown: Tensor) -> float:
    """How far scores of training images lie above those of others, in standard deviations."""
    spread = torch.cat([known - known.mean(), unknown - unknown.mean()]).std()
    return float((known.mean() - unknown.mean()) / spread.clamp(min=1e-6))


def _scores(model: AdversarialModel, images: Tensor, labels: Tensor) -> Tensor:
    """Scores (N,) of images (N, C, H, W) with labels (N, classes), in batches, on the CPU."""
    device = next(model.parameters()).device
    parts = zip(torch.split(images, SCORED), torch.split(labels, SCORED), strict=True)
    found = [model.scores(part.to(device), of.to(device)) for part, of in parts]
    return torch.cat(found).cpu()


def of_data(images: Dataset, seed: int) -> dict[str, float]:
    """Shares of the training images that are blank, repeated or coloured.

    Empty for images of one pixel, which are points in the plane.
    """
    if images.shape[1:] == (1, 1):
        return {}
    drawn = np.random.default_rng((seed, PROBE_STREAM)).permutation(len(images))[:LOOKED_AT]
    shown = to_floats(torch.from_numpy(images.batch(drawn)))
    thumbs = thumbnails(shown)
    size = thumbs.shape[1] ** 0.5
    found = {
        "constant": float((shown.flatten(1).std(1) < CONSTANT).double().mean()),
        "repeated": float((nearest_others(thumbs.double()) / size < ALIKE).double().mean()),
    }
    if shown.shape[1] < 3:
        return found
    colour = (shown[:, :3].amax(1) - shown[:, :3].amin(1)).flatten(1).amax(1) > COLOURED
    return found | {"coloured": float(colour.double().mean())}


def compare(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Compare thumbnails of real images (N, D) with those of generated ones (M, D)."""
    real, fake = real.double(), fake.double()
    if not torch.isfinite(fake).all():
        return {}
    if len(real) < FEWEST or _spread(real) < CONSTANT:
        return {}  # nothing to compare with
    found = {
        "score": kernel_distance(real, fake).relative,
        "spread": float(_spread(fake) / _spread(real)),
    }
    fine, coarse = bins(real, fake, count=FINE), bins(real, fake, count=COARSE)
    among = neighbour_shares(real, fake, NEAREST)
    apart, _ = nearest(fake, real)
    own = nearest_others(real).median().clamp(min=1e-12)
    return found | {
        "uneven": float((coarse.real - coarse.fake).abs().sum() / 2),  # total variation
        "missing": float(fine.real[fine.fake < NOT_GENERATED * fine.real].sum()),
        "coverage": among.coverage,
        "duplicates": duplicates(real, fake).share,
        "nearest": float(apart.median() / own),
        "moved": _beyond(_centres(fake), _centres(real)),
        "brightened": _beyond(fake.mean(1), real.mean(1)),
    }


def _beyond(fake: Tensor, real: Tensor) -> float:
    """The excess standard deviation of generated values (M, K) or (M,) over real ones, such as
    leaked augmentation adds."""
    return float((fake.var(0) - real.var(0)).mean().clamp(min=0).sqrt())


def _spread(thumbs: Tensor) -> Tensor:
    """Standard deviation over images, averaged over all pixels."""
    return thumbs.var(0).mean().sqrt()


def _centres(thumbs: Tensor) -> Tensor:
    """Centres (N, 2) of what differs from the border, as fractions of a side."""
    planes = thumbs.view(len(thumbs), -1, THUMBNAIL, THUMBNAIL)
    border = planes[:, :, 0].mean(2, keepdim=True)[..., None]
    weight = (planes - border).square().sum(1) + 1e-6
    places = torch.arange(THUMBNAIL, dtype=thumbs.dtype) / THUMBNAIL
    total = weight.sum((1, 2))
    down, right = (weight.sum(2) * places).sum(1) / total, (weight.sum(1) * places).sum(1) / total
    return torch.stack([down, right], 1)


def _thumbnails(images: Dataset, numbers: NDArray[np.int64]) -> Tensor:
    return thumbnails(to_floats(torch.from_numpy(images.batch(numbers))))


def _images(images: Dataset, numbers: NDArray[np.int64]) -> Tensor:
    return premultiplied(to_floats(torch.from_numpy(images.batch(numbers))))


def _labels(images: Dataset, numbers: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(images.labels(numbers))

"""The images of one step: real ones, and generated ones to be told apart from them.

Real and generated images are augmented alike, and get the same noise. Everything random comes from
streams derived from the step, so the images of a micro-batch can be drawn again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ganvas.augmentation.diffaugment import AUGMENTATIONS, AugmentationName, partly
from ganvas.data.loader import Batch, Loader
from ganvas.models import AdversarialModel, Pyramid
from ganvas.models.projected import Seen
from ganvas.runtime.precision import Precision
from ganvas.runtime.rng import Stream
from ganvas.training import signals
from ganvas.training.heads import LookedAt
from ganvas.training.optim import Scalars
from ganvas.training.state import Purpose, TrainingState


@dataclass(frozen=True)
class Images:
    """The real and generated images of a micro-batch, as the discriminator sees them."""

    real: Pyramid
    fake: Pyramid
    batch: Batch  # with the labels of both
    spreads: Scalars  # how much real images differ from each other, and generated ones
    seen: LookedAt | None = None  # where a discriminator looks through a pretrained network


@dataclass(frozen=True)
class Noise:
    """Standard deviations of the Gaussian noise of a step."""

    images: float  # on what every discriminator sees: instance noise
    pretrained: float  # on what a pretrained network sees, in addition


@dataclass(frozen=True)
class Draw:
    """The images of one batch, micro-batch by micro-batch, reproducible as often as needed."""

    count: int  # of micro-batches
    images: Callable[[bool], Iterator[Images]]  # with gradients for the generator, or without

    def for_both(self) -> tuple[Iterable[Images], Iterable[Images]]:
        """The same fakes for the discriminator's step and for the generator's.

        A whole batch is kept from one step to the other. Micro-batches do not fit into memory
        together, so they are generated again from the same random streams.
        """
        if self.count == 1:
            kept = [*self.images(True)]
            return kept, kept
        return self.images(False), self.images(True)


def draw(
    state: TrainingState,
    model: AdversarialModel,
    loader: Loader,
    precision: Precision,
    augmentation: AugmentationName,
    noise: Noise,
) -> Draw:
    """The next real images and as many generated ones, augmented; the same at every request."""
    micro_batches = state.next_batch(loader)
    probability = state.live["augment_share"]  # of now: ADA changes it between the two steps

    def augmented(pyramid: Pyramid, augmenting: Stream, noising: Stream) -> Pyramid:
        for change in AUGMENTATIONS[augmentation] if probability else ():
            pyramid = partly(change, probability, pyramid, augmenting)
        return [_noisy(image, noise.images, noising) for image in pyramid]

    def images(learning: bool) -> Iterator[Images]:
        for batch in micro_batches:
            streams = (
                stream_of(state, Purpose.AUGMENTATION, batch),
                stream_of(state, Purpose.INSTANCE_NOISE, batch),
            )
            look = partial(_look, model, batch, noise.pretrained)
            noising = stream_of(state, Purpose.PRETRAINED_NOISE, batch)
            real = augmented(model.view(batch.images), *streams)
            of_real = look(real, noising, learning=False)
            stream = stream_of(state, Purpose.FAKES, batch)
            codes = None
            if of_real is not None and of_real.matching is not None:
                codes = of_real.matching.encode(of_real.activations)
            numbers = model.generator.draw(batch.labels, stream, codes)
            with precision.autocast(), torch.set_grad_enabled(learning):
                fake = model.fake(numbers, stream)
            spreads = {
                "spread_real": signals.spread(batch.images),
                "spread_fake": signals.spread(fake[-1]),
            }
            fake = augmented(fake, *streams)
            of_fake = look(fake, noising, learning)
            seen = None if of_real is None or of_fake is None else LookedAt(of_real, of_fake)
            yield Images(real, fake, batch, spreads, seen)

    return Draw(len(micro_batches), images)


def stream_of(state: TrainingState, purpose: Purpose, batch: Batch) -> Stream:
    """The random stream of a step for a purpose, at the rows of this micro-batch."""
    return state.stream(purpose, batch.images.device, batch.total, batch.rows)


def _look(
    model: AdversarialModel,
    batch: Batch,
    noise: float,
    images: Pyramid,
    noising: Stream,
    learning: bool,
) -> Seen | None:
    """What a pretrained network sees, with gradients for the generator or without."""
    if model.projected is None:
        return None
    image = images[-1]
    relative = image.shape[-1] / batch.images.shape[-1]  # of the mean of 4 pixels, noise is half
    with torch.set_grad_enabled(learning):
        return model.projected.look(_noisy(image, relative * noise, noising), batch.first)


def _noisy(image: Tensor, noise: float, stream: Stream) -> Tensor:
    """Instance noise (Sonderby et al., 2017): it makes real and fake distributions overlap."""
    return image + noise * stream.normal(*image.shape) if noise else image

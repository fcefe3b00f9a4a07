"""Adaptive discriminator augmentation (ADA): the augmentation probability follows r_t.

Training Generative Adversarial Networks with Limited Data (Karras et al., 2020). A discriminator
that overfits scores all training images as real (a high r_t); the augmentation probability is then
raised. Two things differ from the paper: the probability never exceeds 0.8, above which
augmentation leaks into generated images (section 3.1), and it moves five times as fast, because
runs on small machines show fewer images."""

from torch import Tensor

EVERY = 4  # steps from one adjustment to the next
IMAGES = 100_000  # images in which the probability can go from 0 to 1
HIGHEST = 0.8


def r_t(real: Tensor, fake: Tensor, undecided: float | None) -> Tensor:
    """Mean sign of the logits (N,) of real images, r_t in the paper: 1 if all are scored as real.

    `undecided` is the logit between real and fake. Where a loss has none, each logit is compared
    with that of the generated image beside it.
    """
    return (real - (fake if undecided is None else undecided)).sign().mean()


def adapt(share: float, r_t: float, target: float, images: int) -> float:
    """The augmentation probability after `images` more images, in [0, HIGHEST]."""
    step = images / IMAGES
    return min(HIGHEST, max(0.0, share + (step if r_t > target else -step)))

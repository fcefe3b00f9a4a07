"""Adaptive discriminator augmentation: how many images are varied follows from what is seen.

Training Generative Adversarial Networks with Limited Data (Karras et al., 2020). A discriminator
that knows its images by heart is sure of all of them; then more are varied. Two things differ: the
share never exceeds 0.8, above which variations leak into what is generated (section 3.1), and it
moves five times as fast, because runs on small machines show fewer images."""

from torch import Tensor

EVERY = 4  # steps from one adjustment to the next
IMAGES = 100_000  # images in which the share can go from 0 to 1
HIGHEST = 0.8


def r_t(real: Tensor, fake: Tensor, undecided: float | None) -> Tensor:
    """Mean sign of the scores (N,) of real images, r_t in the paper: 1 if all are known as real.

    Where no score is the undecided one, each is compared with the generated image beside it.
    """
    return (real - (fake if undecided is None else undecided)).sign().mean()


def adapt(share: float, r_t: float, target: float, images: int) -> float:
    """The share of varied images after `images` more, in [0, HIGHEST]."""
    step = images / IMAGES
    return min(HIGHEST, max(0.0, share + (step if r_t > target else -step)))

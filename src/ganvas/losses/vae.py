"""The two terms of the variational bound: reconstruction error and KL divergence.

Auto-Encoding Variational Bayes (Kingma and Welling, 2014). Both are summed over an image and
averaged over the batch, so that their balance does not depend on the batch.
"""

from torch import Tensor


def reconstruction(rebuilt: Tensor, real: Tensor) -> Tensor:
    """Squared distance of images (N, C, H, W): a Gaussian likelihood up to a constant."""
    return (rebuilt - real).square().flatten(1).sum(1).mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, I), in nats (appendix B of the paper)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()

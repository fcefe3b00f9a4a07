"""Sampling many latents in batches."""

import torch
from torch import Tensor

from ganvas.imaging.alpha import straight
from ganvas.models import Generator, generate


@torch.inference_mode()
def sample_batches(generator: Generator, drawn: Tensor, batch: int = 128) -> Tensor:
    """Images (N, C, H, W) of many latents, with straight alpha; in batches, to save memory."""
    return torch.cat([straight(generate(generator, part)) for part in torch.split(drawn, batch)])

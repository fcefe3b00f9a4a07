"""Call Keras networks with numpy arrays, on every backend."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.integrations.keras.backend import keras

Array = NDArray[np.float32]


def latents(generator: keras.Model, count: int, seed: int) -> Array:
    """Standard normal latents (count, size) of a seed, in the generator's input size."""
    numbers = generator.input_shape[1:]
    return np.random.default_rng(seed).standard_normal((count, *numbers), np.float32)


def generated_images(generator: keras.Model, latents: Array, batch: int = 128) -> Array:
    """Images (N, height, width, channels) of latents, generated in inference mode.

    The generator may omit the last axis of grey images, as the lesson's does.
    """
    parts = np.array_split(latents, max(1, -(-len(latents) // batch)))
    images = np.concatenate([_call(generator, part) for part in parts])
    return images if images.ndim == 4 else images[..., None]


def discriminate(discriminator: keras.Model, images: Array) -> Array:
    """The discriminator's outputs (N,) for images (N, height, width, channels)."""
    shape = discriminator.input_shape[1:]
    return _call(discriminator, images.reshape(len(images), *shape)).reshape(len(images))


def _call(network: keras.Model, inputs: Array) -> Array:
    outputs: Any = keras.ops.stop_gradient(
        network(keras.ops.convert_to_tensor(inputs), training=False)
    )
    return np.asarray(keras.ops.convert_to_numpy(outputs), np.float32)


def weights(network: keras.Model) -> list[Tensor]:
    """All weights, frozen or not, without running statistics."""
    learnt = [weight for weight in network.weights if not weight.name.startswith("moving_")]
    return [torch.tensor(np.array(keras.ops.convert_to_numpy(weight))) for weight in learnt]


def channels_first(images: Array) -> Tensor:
    """Images (N, height, width, channels) as a tensor (N, channels, height, width)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))

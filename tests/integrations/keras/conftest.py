"""Networks of Keras, small, on PyTorch: TensorFlow runs in the notebook."""

import os

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "torch"

import keras

SIDE, LATENT = 16, 4


@pytest.fixture
def players():
    """A generator and a discriminator that have learnt nothing."""
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [
            keras.layers.Input((LATENT,)),
            keras.layers.Dense(SIDE * SIDE, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Reshape((SIDE, SIDE, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.layers.Input((SIDE, SIDE, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    return generator, discriminator


@pytest.fixture
def real():
    """Images of blobs that differ in place and brightness."""
    random = np.random.default_rng(0)
    places = random.uniform(4, SIDE - 4, (400, 2, 1, 1))
    rows, columns = np.indices((SIDE, SIDE))
    far = (rows - places[:, 0]) ** 2 + (columns - places[:, 1]) ** 2
    light = random.uniform(1, 2, (400, 1, 1))
    return (light * np.exp(-far / 8) - 1).astype(np.float32)[..., None]


@pytest.fixture
def loop():
    """A loop of one's own, as far as callbacks see it."""

    def run(callbacks, steps, logs, between=None):
        watched = keras.callbacks.CallbackList(callbacks)
        watched.on_train_begin()
        for step in range(steps):
            watched.on_train_batch_begin(step)
            if between is not None:
                between(step)
            watched.on_train_batch_end(step, logs(step) if callable(logs) else logs)
        watched.on_train_end()

    return run

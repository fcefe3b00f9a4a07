# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A GAN in Keras
#
# Two GANs in Keras 3: a fully connected one, like that of
# [gan_pytorch](gan_pytorch.ipynb) but with other layers and learning rates, and
# a convolutional one. Everything here runs unchanged on TensorFlow, PyTorch or
# JAX: set `KERAS_BACKEND` before Keras is imported. ganvas adds the images, a
# folder with samples and curves, and a doctor that reports what goes wrong; the
# networks and the training are plain Keras.
#
# **Before you begin.** In Keras a network is *compiled* with an optimiser and a
# loss, and then `train_on_batch` makes one step. A GAN needs two such steps,
# and in one of them a network must be frozen.

# %% tags=["question"] question="second-step"
# Which network learns in the second step? "generator", "discriminator" or
# "both"
answer = None
before_1 = answer

# %% tags=["budget"]
STEPS = 2500  # of the fully connected GAN
PROBLEM_STEPS = 320  # of the run that goes wrong
CONV_STEPS = 1200  # of the convolutional GAN
UNFROZEN_STEPS = 300  # of a run without freezing
STILL_STEPS = 300  # of it, with a frozen discriminator
LENGTH = None  # of training with ganvas; None: as long as Keras took

# %% tags=["set-up"]
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no messages of TensorFlow

import tempfile
import time

import keras
import numpy as np
from keras import layers

import ganvas
from ganvas import lesson
from ganvas.integrations import keras as ganvas_keras

keras.utils.set_random_seed(42)
print("Keras", keras.__version__, "on", keras.backend.backend())

# %% [markdown]
# ## Images as arrays
#
# `ganvas_keras.images` loads any source that ganvas reads (a folder, a zip, a
# built-in set) as one array with the channels last, as Keras expects them.

# %%
digits = ganvas_keras.images("digits", size="28")
print(digits.shape, digits.dtype, "from", digits.min(), "to", digits.max())
lesson.show(digits[:20])

# %% [markdown]
# ## Two networks
#
# The **generator** goes from 100 random numbers to 784 pixels. Here
# `BatchNormalization` comes after `LeakyReLU`; in the PyTorch notebook it came
# before. Both work. Keras's `momentum=0.8` keeps 0.8 of the old running mean;
# PyTorch's `momentum=0.2` takes 0.2 of the new one. They are the same.
#
# The **discriminator** goes from 784 pixels to one probability, through layers
# of 784 and 392 units.

# %%
LATENT = 100


def build_generator() -> keras.Sequential:
    def block(units: int) -> list[layers.Layer]:
        return [
            layers.Dense(units),
            layers.LeakyReLU(0.2),
            layers.BatchNormalization(momentum=0.8),
        ]

    return keras.Sequential(
        [
            layers.Input((LATENT,)),
            *block(256),
            *block(512),
            *block(1024),
            layers.Dense(784, activation="tanh"),
            layers.Reshape((28, 28, 1)),
        ],
        name="generator",
    )


def build_discriminator() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(784),
            layers.LeakyReLU(0.2),
            layers.Dense(784 // 2),
            layers.LeakyReLU(0.2),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )


generator, discriminator = build_generator(), build_discriminator()
learnt = {
    network.name: sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    for network in (generator, discriminator)
}
lesson.table(
    [
        {"network": name, "parameters that learn": f"{count:,}"}
        for name, count in learnt.items()
    ]
)

# %% [markdown]
# ## Two steps, one of them through a frozen network
#
# The discriminator is compiled, and so is the *pair*: the generator with the
# discriminator behind it. In the first step the discriminator learns the label
# 1 for real images and 0 for generated ones. In the second the pair learns to
# output 1 for all latents, *with the discriminator frozen*, so that only the
# generator is updated. Here freezing is essential: the pair's optimiser sees
# the weights of both networks. (In PyTorch an optimiser is given its weights,
# and freezing only saves work.)
#
# Older notebooks freeze the discriminator once, between the two calls of
# `compile`, and rely on Keras remembering what was trainable then. Keras 3
# checks again whenever it makes a step (on PyTorch and JAX) or when it makes
# the first one (on TensorFlow), so here it is set before every step. Each
# network has its own optimiser, because an optimiser keeps a state for every
# weight that it updates.


# %%
def compiled(
    generator: keras.Model, discriminator: keras.Model, rate_g=5e-4, rate_d=5e-4
) -> keras.Sequential:
    """Compile the discriminator, and the pair of both, which is returned."""
    discriminator.trainable = True
    discriminator.compile(
        keras.optimizers.Adam(rate_d, beta_1=0.5), "binary_crossentropy"
    )
    pair = keras.Sequential([layers.Input((LATENT,)), generator, discriminator])
    pair.compile(
        keras.optimizers.Adam(rate_g, beta_1=0.5), "binary_crossentropy"
    )
    return pair


def play(
    generator,
    discriminator,
    steps,
    images=digits,
    batch=64,
    callbacks=(),
    smooth=0.0,
    freeze=True,
    **rates,
):
    """Train both; return their losses at every step."""
    random = np.random.default_rng(0)
    pair = compiled(generator, discriminator, **rates)
    watched = keras.callbacks.CallbackList([*callbacks], model=pair)
    ones, zeros = np.ones((batch, 1)), np.zeros((batch, 1))
    losses = {"discriminator": [], "generator": []}
    watched.on_train_begin()
    for step in range(steps):
        watched.on_train_batch_begin(step)
        latents = random.standard_normal((batch, LATENT), np.float32)
        real, fake = (
            images[random.integers(0, len(images), batch)],
            generated_images(generator, latents),
        )

        discriminator.trainable = True
        on_real = float(discriminator.train_on_batch(real, ones * (1 - smooth)))
        on_fake = float(discriminator.train_on_batch(fake, zeros))
        discriminator.trainable = not freeze
        loss_g = float(pair.train_on_batch(latents, ones))

        losses["discriminator"].append((on_real + on_fake) / 2)
        losses["generator"].append(loss_g)
        watched.on_train_batch_end(
            step, {"d_loss": (on_real + on_fake) / 2, "g_loss": loss_g}
        )
    watched.on_train_end()
    return losses


def generated_images(generator: keras.Model, latents: np.ndarray) -> np.ndarray:
    """Images of latents, as an array."""
    return generator.predict_on_batch(latents)


# %% [markdown]
# Is the discriminator really frozen in the second step, and does it learn in
# the first?


# %%
def snapshot(network: keras.Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in network.get_weights()]


probe_g, probe_d = build_generator(), build_discriminator()
before = snapshot(probe_d)
play(probe_g, probe_d, 1)
learnt = snapshot(probe_d)
pair = compiled(probe_g, probe_d)
probe_d.trainable = False
pair.train_on_batch(np.zeros((2, LATENT)), np.ones((2, 1)))
assert any(not np.array_equal(old, new) for old, new in zip(before, learnt))
assert all(
    np.array_equal(old, new) for old, new in zip(learnt, snapshot(probe_d))
)

# %% tags=["check"]
lesson.check("second-step", before_1, "generator")

# %% [markdown]
# ## And without freezing?
#
# The counter-example: the same training, with the discriminator left trainable
# in the second step. There the label of generated images is 1, and both
# networks work towards it.

# %%
EXAMPLES = np.random.default_rng(1).standard_normal((10, LATENT), np.float32)
after = {}
for name, freeze in {"frozen": True, "not frozen": False}.items():
    keras.utils.set_random_seed(42)
    after[name] = build_generator()
    play(after[name], build_discriminator(), UNFROZEN_STEPS, freeze=freeze)
    images = generated_images(after[name], EXAMPLES)
    lesson.show(images, f"{name}, after {UNFROZEN_STEPS} steps")

# %% [markdown]
# Without freezing the images are still noise when with freezing strokes appear:
# the second step teaches the discriminator the opposite of what the first one
# does.

# %% [markdown]
# ## Training, with a run directory and a doctor
#
# Two callbacks come from ganvas. `Record` writes grids of the same latents, a
# metrics log and curves into a folder, as `ganvas train` does. `Doctor` checks
# losses, the discriminator's outputs and samples, and reports what is wrong; it
# changes nothing. Your own loop calls them as `fit` would.

# %%
FOLDER = tempfile.mkdtemp()
generator, discriminator = build_generator(), build_discriminator()
record = ganvas_keras.Record(
    generator, f"{FOLDER}/dense", batch=64, grid_every=max(1, STEPS // 5)
)
doctor = ganvas_keras.Doctor(generator, discriminator, digits, record=record)
began = time.monotonic()
losses = play(generator, discriminator, STEPS, callbacks=[record, doctor])
dense_seconds = time.monotonic() - began
lesson.plot(
    losses,
    "both losses, means of 10 steps",
    {"guessing": np.log(2)},
    smoothed=10,
    ylim=(0, 2.5),
)

# %%
lesson.files(sorted(record.folder.samples.iterdir()), columns=3)

# %% [markdown]
# After a start in which the generator fools nobody (its loss is off the scale),
# *neither loss goes down to 0*: both oscillate, as in PyTorch, and the images
# improve all the same.
#
# ## A problem, and the doctor's diagnosis
#
# Now the discriminator's learning rate is a hundred times the generator's. That
# is the lesson's problem of **balance**, caused by its other problem,
# **sensitivity** to settings: nothing differs but the two learning rates.

# %%
problem_g, problem_d = build_generator(), build_discriminator()
ill = ganvas_keras.Doctor(problem_g, problem_d, digits)
problem_losses = play(
    problem_g,
    problem_d,
    PROBLEM_STEPS,
    callbacks=[ill],
    rate_d=1e-3,
    rate_g=1e-5,
)
lesson.plot(
    {"discriminator": problem_losses["discriminator"]},
    "its loss",
    {"guessing": np.log(2)},
    smoothed=20,
    ylim=(0, 0.8),
)
for diagnosis in ill.diagnoses:
    print("By hand:", diagnosis.advice)

# %% [markdown]
# Every step's loss is near 0, and the doctor said so while it trained. Two
# things help, used here together: balanced learning rates (*two time scales*: a
# factor of two to four between the players is often good, a hundred is not),
# and **label smoothing**: real images are labelled 0.9, so that the
# discriminator never becomes entirely sure.

# %%
cured_g, cured_d = build_generator(), build_discriminator()
well = ganvas_keras.Doctor(cured_g, cured_d, digits)
cured_losses = play(
    cured_g, cured_d, PROBLEM_STEPS, callbacks=[well], smooth=0.1
)
lesson.plot(
    {
        "before": problem_losses["discriminator"],
        "rates that suit, labels of 0.9": cured_losses["discriminator"],
    },
    "the discriminator's loss",
    {"guessing": np.log(2)},
    smoothed=20,
    ylim=(0, 0.8),
)
print(
    "the doctor says:",
    [diagnosis.issue for diagnosis in well.diagnoses] or "nothing",
)

# %% [markdown]
# ## Convolutions
#
# Neighbouring pixels belong together, and a stroke is a stroke wherever it is.
# Convolutions use both facts. The generator starts with 7 x 7 pixels of many
# channels and doubles the side twice with `Conv2DTranspose`; the discriminator
# halves it twice. More about that in [dcgan](dcgan.ipynb).


# %%
def convolutional() -> tuple[keras.Sequential, keras.Sequential]:
    def up(channels: int) -> list[layers.Layer]:
        return [
            layers.Conv2DTranspose(channels, 4, 2, "same", use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
        ]

    generator = keras.Sequential(
        [
            layers.Input((LATENT,)),
            layers.Dense(7 * 7 * 64, use_bias=False),
            layers.Reshape((7, 7, 64)),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            *up(32),
            layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh"),
        ],
        name="conv_generator",
    )
    discriminator = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(64, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="conv_discriminator",
    )
    return generator, discriminator


CONV_RATES = {"rate_g": 2e-3, "rate_d": 1e-3}
keras.utils.set_random_seed(42)
conv_generator, conv_discriminator = convolutional()
conv_record = ganvas_keras.Record(
    conv_generator,
    f"{FOLDER}/conv",
    batch=64,
    grid_every=max(1, CONV_STEPS // 3),
)
began = time.monotonic()
conv_losses = play(
    conv_generator,
    conv_discriminator,
    CONV_STEPS,
    callbacks=[conv_record],
    **CONV_RATES,
)
conv_seconds = time.monotonic() - began
lesson.files(sorted(conv_record.folder.samples.iterdir()), columns=3)

# %% [markdown]
# ## Mode collapse: the other way round
#
# Above, the discriminator was far ahead. Here it stands still: copies of both
# players go on training, with a learning rate of 0 for the discriminator. The
# generator soon makes *one* image of all latents: whatever scores highest with
# this discriminator, and that is no digit. That is **mode collapse**. It also
# happens when both players learn, whenever the discriminator cannot keep up.


# %%
def alike(images: np.ndarray) -> float:
    """How alike images are: the mean correlation of two of them."""
    flat = images.reshape(len(images), -1)
    return float(np.corrcoef(flat)[np.triu_indices(len(flat), 1)].mean())


copy_g, copy_d = convolutional()
copy_g.set_weights(conv_generator.get_weights())
copy_d.set_weights(conv_discriminator.get_weights())
before = generated_images(copy_g, EXAMPLES)
still = ganvas_keras.Doctor(copy_g, copy_d, digits)
play(
    copy_g,
    copy_d,
    STILL_STEPS,
    callbacks=[still],
    **CONV_RATES | {"rate_d": 0.0},
)
collapsed = generated_images(copy_g, EXAMPLES)
lesson.show(before, f"before: alike by {alike(before):.2f}")
lesson.show(
    collapsed,
    f"the discriminator stands still: alike by {alike(collapsed):.2f}",
)
for diagnosis in still.diagnoses:
    print("By hand:", diagnosis.advice)

# %% [markdown]
# The remedy is to let it learn again. It soon learns to reject that one image,
# and the variety returns:

# %%
play(copy_g, copy_d, STILL_STEPS, **CONV_RATES)
again = generated_images(copy_g, EXAMPLES)
lesson.show(again, f"both learn again: alike by {alike(again):.2f}")

# %% tags=["question"] question="variety"
# Which network makes images differ? "generator" or "discriminator"
answer = None
without, having = alike(collapsed), alike(again)
lesson.check(
    "variety",
    answer,
    "discriminator" if without > having else "generator",
    without=without,
    having=having,
)

# %% [markdown]
# ## Keras and PyTorch in one table
#
# The Fréchet distance measures how far generated images are from real ones, in
# the features of a network that reads digits (0 is best). The table compares
# the Keras models with ganvas, which uses PyTorch and gets at most the same
# time: with the lesson's `fc` and with its own default. `fc` needs longer than
# this.

# %%
import torch

from ganvas.evaluation.features import DigitsClassifier
from ganvas.evaluation.metrics import frechet_distance
from ganvas.events import Planned

eye = DigitsClassifier.load()


def features(images: np.ndarray) -> torch.Tensor:
    return eye.features(
        torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    )


real = features(digits)


def of_keras(generator: keras.Model) -> float:
    latents = np.random.default_rng(1).standard_normal(
        (2000, LATENT), np.float32
    )
    return frechet_distance(
        real, features(generator.predict(latents, batch_size=500, verbose=0))
    )


def of_ganvas(model: str, size: str, seconds: float) -> tuple[float, float]:
    """Train with ganvas; return the seconds that it took, and the distance."""
    folder, began = f"{FOLDER}/{model}", time.monotonic()
    length = LENGTH or {"budget": f"{seconds:.0f}s"}
    for event in ganvas.train(
        "digits", out=folder, model=model, size=size, seed=0, **length
    ):
        if isinstance(event, Planned):
            print(f"{model}: {event.sentence}")
    seconds = time.monotonic() - began
    images = ganvas.load(folder).sample(2000, seed=10_000)
    return seconds, frechet_distance(real, eye.features(images))


backend = f"Keras on {keras.backend.backend()}"
compared = {
    f"{backend}, fully connected": (dense_seconds, of_keras(generator)),
    f"{backend}, convolutional": (conv_seconds, of_keras(conv_generator)),
    "ganvas, fc": of_ganvas("fc", "28", dense_seconds),
    "ganvas, compact": of_ganvas("compact", "32", conv_seconds),
    "2,000 real ones": (0, frechet_distance(real, features(digits[:2000]))),
}
lesson.table(
    [
        {
            "with": name,
            "seconds": f"{seconds:.0f}" if seconds else "",
            "Fréchet distance": f"{distance:.1f}",
        }
        for name, (seconds, distance) in compared.items()
    ]
)

# %% [markdown]
# ## Your turn
#
# * Replace `digits` by a folder of your own: `ganvas_keras.images("my-images/",
#   size="28", channels=1)`.
# * In colour, the generator's last layer and the discriminator's input have
#   three channels.
# * Set `KERAS_BACKEND` to `torch` or `jax` and run everything again. Which is
#   the fastest here?

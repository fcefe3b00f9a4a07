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
# # A GAN, written out in PyTorch
#
# Two networks play a game, and in the end one of them generates images. In this notebook you write
# both, train them, watch training go wrong in four ways, fix each, and then let ganvas do the same
# in three lines. It takes about ten minutes on two processor cores, and nothing is downloaded.
#
# **Before you begin**, three questions. Guess; the code will check your answers.

# %% tags=["question"] answer="image"
# What does a generator make of a vector? "video", "image" or "sound"
answer = None
before_1 = answer

# %% tags=["question"] answer="generative adversarial network"
# What does GAN stand for?
answer = None
before_2 = answer

# %% tags=["question"] answer=2
# How many networks does a GAN train?
answer = None
before_3 = answer

# %% tags=["budget"] small={"STEPS": 60, "PROBLEM_STEPS": 200, "POINT_STEPS": 1000, "LENGTH": {"images": 2000}}
STEPS = 5000  # of training on digits
PROBLEM_STEPS = 1000  # of each run that goes wrong
POINT_STEPS = 3000  # of training on points
LENGTH = {"budget": "90s"}  # of training with ganvas

# %%
import time
from contextlib import contextmanager
from math import log

import lesson
import torch
from torch import nn
from torch.nn.functional import softplus

import ganvas

torch.manual_seed(42)
print("PyTorch", torch.__version__)

# %% [markdown]
# ## The training data
#
# A GAN needs only images: no labels, no pairs. Here are ten thousand handwritten digits
# of 28 x 28 pixels. Values go from -1 (black) to 1 (white), because the generator ends in a tanh,
# whose output has exactly that range.

# %%
digits = torch.from_numpy(ganvas.images("digits", size="28")).permute(0, 3, 1, 2)
lesson.show(
    digits[:20], f"{len(digits):,} digits, values from {digits.min():g} to {digits.max():g}"
)

# %% [markdown]
# ## Two networks
#
# The **generator** makes an image out of a vector of random numbers, the *latent*. It is a
# classifier turned round: a classifier goes from many pixels to few numbers,
# the generator from few numbers to many pixels. The decoder of a variational autoencoder does that
# as well, but its images are blurred, because it minimises the average distance to each image. A
# GAN has no such target: its images only have to be indistinguishable from real ones.
#
# The **discriminator** decides whether an image is real. It is an ordinary classifier with two
# classes.
#
# Both are fully connected here: every pixel is connected to every unit. Three of their layers keep
# training stable:
#
# * `LeakyReLU` lets a little through where a `ReLU` outputs 0, so that a unit always has a gradient
#   to learn from, and passes one on to the other player.
# * `BatchNorm1d` normalises the outputs of a layer to mean 0 and variance 1 over the batch. That
#   stabilises the training of the generator, where the inputs of each layer change as the layers
#   below it learn.
# * The last layer of the generator is a `tanh`.

# %%
LATENT = 100


def block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, momentum=0.2), nn.LeakyReLU(0.2)]


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *block(LATENT, 256),
            *block(256, 512),
            *block(512, 1024),
            nn.Linear(1024, 784),
            nn.Tanh(),
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.layers(latents).view(-1, 1, 28, 28)


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 256),
            nn.LeakyReLU(0.2),
            nn.Linear(256, 1),
            nn.Sigmoid(),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images).squeeze(1)


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


generator, discriminator = Generator(), Discriminator()
lesson.table(
    [
        {
            "network": "generator",
            "shape": "100-256-512-1024-784",
            "parameters": f"{parameters(generator):,}",
        },
        {
            "network": "discriminator",
            "shape": "784-512-256-1",
            "parameters": f"{parameters(discriminator):,}",
        },
    ]
)

# %% [markdown]
# Neither network is trained yet. The generator's images are noise, and the discriminator gives
# every image about the same probability of being real.

# %%
FIXED = torch.randn(20, LATENT)  # the same latents in the whole notebook, to see progress


@contextmanager
def at_rest(network: nn.Module):
    """Evaluation mode: BatchNorm uses its running statistics, not those of the batch."""
    network.eval()
    with torch.no_grad():
        yield network
    network.train()


def generate(generator: nn.Module, latents: torch.Tensor) -> torch.Tensor:
    with at_rest(generator) as network:
        return network(latents)


lesson.show(generate(generator, FIXED), "before the first step")
print(
    "the discriminator finds real ones likely to be real by",
    discriminator(digits[:100]).mean().item(),
)

# %% [markdown]
# Now you can check the first answers.

# %%
display(
    lesson.check(
        before_1,
        "image" if generate(generator, FIXED).dim() == 4 else "",
        "one row of pixels above the other.",
    ),
    lesson.check(
        before_2, "generative adversarial network", "it generates, and the two are adversaries."
    ),
    lesson.check(
        before_3,
        len([generator, discriminator]),
        "one generates, one discriminates; only the first is kept.",
    ),
)

# %% [markdown]
# <details><summary>The three answers</summary>
# An image. Generative adversarial network(s). Two: a generator and a discriminator.
# </details>
#
# ## Two steps
#
# Each iteration has two steps (Goodfellow et al., 2014).
#
# 1. **The discriminator learns to discriminate.** It sees a batch of real images, labelled 1,
#    and a batch of generated ones, labelled 0. `detach` keeps the gradient from reaching
#    the generator.
# 2. **The generator learns to fool it.** Latents go through the generator and on through the
#    discriminator, and now the label is 1. The gradient flows back through the discriminator to
#    every pixel, and says how the image must change to look more real. Only the generator is
#    updated: *the discriminator is frozen*, because otherwise it would learn to call everything
#    real.

# %%
LOSS = nn.BCELoss()


def adam(network: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.999))


def discriminator_step(discriminator, optimizer, real, fake):
    on_real, on_fake = discriminator(real), discriminator(fake.detach())
    loss = (LOSS(on_real, torch.ones_like(on_real)) + LOSS(on_fake, torch.zeros_like(on_fake))) / 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def generator_step(generator, discriminator, optimizer, fake):
    discriminator.requires_grad_(False)  # frozen
    verdict = discriminator(fake)
    loss = LOSS(verdict, torch.ones_like(verdict))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    discriminator.requires_grad_(True)
    return loss.item()


# %% [markdown]
# Is it really frozen? One step of the generator, and the discriminator's weights are as they were.

# %%
before = [weight.clone() for weight in discriminator.parameters()]
generator_step(generator, discriminator, adam(generator, 2e-4), generator(torch.randn(64, LATENT)))
assert all(torch.equal(old, new) for old, new in zip(before, discriminator.parameters()))

# %% [markdown]
# ## The game
#
# Everything else is a loop. Both players use Adam with a learning rate of 0.0002 and a beta 1 of
# 0.5: with the usual 0.9 the generator would go on in a direction that the discriminator no longer
# rewards.


# %%
def play(
    generator, discriminator, steps, rate_g=2e-4, rate_d=2e-4, batch=128, skip_below=0.0, looks=5
):
    """Train both; return their losses, and images of the same latents at several steps."""
    optimizer_g, optimizer_d = adam(generator, rate_g), adam(discriminator, rate_d)
    losses = {"discriminator": [], "generator": []}
    shown = []
    for step in range(steps):
        real = digits[torch.randint(len(digits), (batch,))]
        fake = generator(torch.randn(batch, LATENT))
        if (
            skip_below
            and losses["discriminator"]
            and judged(discriminator, real, fake) < skip_below
        ):
            losses["discriminator"].append(judged(discriminator, real, fake))
        else:
            losses["discriminator"].append(
                discriminator_step(discriminator, optimizer_d, real, fake)
            )
        losses["generator"].append(generator_step(generator, discriminator, optimizer_g, fake))
        if (step + 1) % (steps // looks) == 0:
            shown.append((step + 1, generate(generator, FIXED)))
    return losses, shown


@torch.no_grad()
def judged(discriminator, real, fake) -> float:
    """The discriminator's loss, without a step."""
    on_real, on_fake = discriminator(real), discriminator(fake)
    return (
        (LOSS(on_real, torch.ones_like(on_real)) + LOSS(on_fake, torch.zeros_like(on_fake))) / 2
    ).item()


torch.manual_seed(0)
generator, discriminator = Generator(), Discriminator()
began = time.monotonic()
losses, shown = play(generator, discriminator, STEPS)
seconds = time.monotonic() - began
for step, images in shown:
    lesson.show(images, f"step {step:,}")

# %% [markdown]
# ## Why the losses do not simply fall
#
# Elsewhere in deep learning a loss that does not fall is a bad sign. Here each player's loss
# is measured against the other player, which learns too: when one gets better, the other's loss
# rises. In a healthy run both oscillate about a level, and *neither goes down to 0*.

# %%
CHANCE = log(2)
lesson.plot(
    losses, "both losses, means of 50 steps", {"guessing": CHANCE}, smoothed=50, ylim=(0, 5)
)

# %% tags=["question"] answer=0.69
# What is the loss (two decimals) of a discriminator that gives every image a probability of 1/2?
answer = None
half = torch.full((10,), 0.5)
lesson.check(
    answer,
    round(LOSS(half, torch.ones(10)).item(), 2),
    "minus the logarithm of 1/2, for real and generated images alike.",
)

# %% tags=["question"] answer="no"
# Has the discriminator's loss gone to 0 at the end of this run? "yes" or "no"
answer = None
lesson.check(
    answer,
    "yes" if sum(losses["discriminator"][-20:]) / 20 < 0.02 else "no",
    "it stays well above 0, and the generator goes on learning.",
)

# %% [markdown]
# <details><summary>The two answers</summary>
# ln 2 = 0.69; summed over real and generated images, as some programs do, 2 ln 2 = 1.39. And no: at
# a loss of 0 the discriminator would give the generator no gradient.
# </details>
#
# ## How good is it?
#
# Losses do not say. The usual metric is the *Fréchet distance* (Heusel et al., 2017): a network
# extracts features of real and of generated images, a Gaussian is fitted to each set, and the
# distance between the two is computed. 0 is the best. The network here was trained to read digits,
# so that its features are of strokes and not of furniture.

# %%
from ganvas.evaluation.features import DigitsClassifier
from ganvas.evaluation.metrics import frechet_distance

eye = DigitsClassifier.load()
seen = eye.features(digits)


def score(images: torch.Tensor) -> float:
    return frechet_distance(seen, eye.features(images))


with_noise = score(torch.rand(2000, 1, 28, 28) * 2 - 1)
with_itself = score(digits[:2000])
scores = {
    "noise": with_noise,
    "written out above": score(generate(generator, torch.randn(2000, LATENT))),
    "2,000 real ones": with_itself,
}
lesson.table(
    [{"images": name, "Fréchet distance": f"{value:.1f}"} for name, value in scores.items()]
)

# %% [markdown]
# ## Problem 1: a discriminator that is too strong
#
# The two must be kept in **balance**. A discriminator that learns much faster soon separates real
# from fake perfectly. Its loss goes to 0, and its output hardly changes when a generated image
# changes: no gradient, no learning. Here its learning rate is 250 times that of the generator.


# %%
def start(seed=0):
    torch.manual_seed(seed)
    return Generator(), Discriminator()


strong_losses, shown = play(*start(), PROBLEM_STEPS, rate_d=5e-4, rate_g=2e-6)
lesson.plot(
    {"discriminator": strong_losses["discriminator"]},
    "too strong: its loss",
    {"guessing": CHANCE},
    smoothed=20,
    ylim=(0, 0.8),
)
lesson.show(shown[-1][1][:10], f"what the generator has learnt from it in {PROBLEM_STEPS:,} steps")

# %% [markdown]
# There are two remedies. The first is **balanced learning rates**: the discriminator's stays the
# same, and the generator's is two fifths of it.

# %%
balanced_losses, shown = play(*start(), PROBLEM_STEPS, rate_d=5e-4, rate_g=2e-4)
lesson.plot(
    {
        "generator too slow": strong_losses["discriminator"],
        "rates that suit": balanced_losses["discriminator"],
    },
    "the discriminator's loss",
    {"guessing": CHANCE},
    smoothed=20,
    ylim=(0, 0.8),
)
lesson.show(shown[-1][1][:10], "the same discriminator, and a generator that keeps up")

# %% [markdown]
# The second is to **skip discriminator steps** while its loss is below a threshold, so that the
# generator catches up. Here its learning rate is fifty times the generator's, with and without
# skipping.

# %%
for name, threshold in {"never rests": 0.0, "rests below 0.3": 0.3}.items():
    players = start()
    rested, shown = play(*players, PROBLEM_STEPS, rate_d=1e-3, rate_g=2e-5, skip_below=threshold)
    mean = sum(rested["discriminator"][-100:]) / len(rested["discriminator"][-100:])
    distance = score(generate(players[0], torch.randn(2000, LATENT)))
    lesson.show(
        shown[-1][1][:10],
        f"{name}: loss {mean:.2f}, Fréchet distance {distance:.0f}",
    )

# %% [markdown]
# ## Problem 2: mode collapse
#
# The generator is rewarded for fooling the discriminator, not for variety. If one image fools it
# well, the generator may produce that one again and again. Points in the plane make this visible:
# the real ones lie in eight clusters on a ring. A collapsed generator covers a few of them, and
# moves on to others when the discriminator has learnt to reject these.

# %%
ANGLES = torch.arange(8) * torch.pi / 4
CLUSTERS = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


def points(count: int) -> torch.Tensor:
    return CLUSTERS[torch.randint(8, (count,))] + 0.02 * torch.randn(count, 2)


def network(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, outputs),
    )


def clusters_found(samples: torch.Tensor) -> int:
    """Clusters with at least 20 of 2,500 points within three standard deviations."""
    nearest = torch.cdist(samples, CLUSTERS).min(1)
    close = nearest.indices[nearest.values < 0.06]
    return int((torch.bincount(close, minlength=8) >= 20).sum())


def play_with_points(steps: int, rate_g: float, rate_d: float) -> list[torch.Tensor]:
    """Train on points; return samples at four steps."""
    torch.manual_seed(1)
    g, d = network(2, 2), network(2, 1)
    optimizer_g, optimizer_d = adam(g, rate_g), adam(d, rate_d)
    moments = []
    for step in range(steps):
        # softplus(-s) and softplus(s) are the binary cross-entropy of a logit s with 1 and with 0.
        on_real, on_fake = d(points(256)), d(g(torch.randn(256, 2)).detach())
        loss = (softplus(-on_real) + softplus(on_fake)).mean()
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()
        loss = softplus(-d(g(torch.randn(256, 2)))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        if (step + 1) % (steps // 4) == 0:
            with torch.no_grad():
                moments.append(g(torch.randn(2500, 2)))
    return moments


FOUND = {
    "the generator is faster": play_with_points(POINT_STEPS, rate_g=1e-2, rate_d=1e-3),
    "both are as fast": play_with_points(POINT_STEPS, rate_g=1e-3, rate_d=1e-3),
}
for name, moments in FOUND.items():
    lesson.scatter(
        CLUSTERS, moments, f"{name}: {clusters_found(moments[-1])} of 8 clusters found at the end"
    )

# %% [markdown]
# Above, the generator's learning rate is ten times the discriminator's: all its samples move to
# wherever the discriminator's output is high, before the discriminator can react. The usual
# first remedy is to **lower its learning rate and restart**. Other remedies keep the discriminator
# from preferring one place: a penalty on its gradient (R1: Mescheder et al., 2018), pairs of a real
# and a generated image (Huang et al., 2024), larger batches, or the standard deviation over the
# batch as an input (Karras et al., 2018).

# %% tags=["question"] answer="both are as fast"
# Which covered more clusters? "the generator is faster" or "both are as fast"
answer = None
lesson.check(
    answer,
    max(FOUND, key=lambda name: clusters_found(FOUND[name][-1])),
    "the discriminator has time to react.",
)

# %% [markdown]
# <details><summary>The answer</summary>
# Both are as fast.
# </details>
#
# ## Problem 3: sensitivity to settings
#
# With one learning rate a GAN may not learn at all, and with a tenth of it learn well.
# Only the learning rates of both players differ between these three runs:

# %%
by_rate = {}
for rate in (2e-2, 2e-3, 2e-4):
    players = start()
    _, shown = play(*players, PROBLEM_STEPS, rate_g=rate, rate_d=rate)
    by_rate[rate] = score(generate(players[0], torch.randn(2000, LATENT)))
    lesson.show(
        shown[-1][1][:10], f"learning rates of {rate:g}: Fréchet distance {by_rate[rate]:.0f}"
    )

# %% [markdown]
# No learning rate suits all images and all networks. ganvas's defaults were found by
# measurement and scale with the size of images. Its doctor lowers them when weights move
# too far in a step, and `--trials 8` searches among eight settings.
#
# ## Problem 4: resolution
#
# The larger the image, the more detail the discriminator has to separate real from fake, and the
# less the generator learns from it about the image as a whole. And this network does not scale
# well: every pixel costs 1,025 more weights. The [notebook about convolutions](dcgan.ipynb)
# continues from here.

# %%
lesson.table(
    [
        {
            "images": f"{side} x {side} in {kind}",
            "weights of the last layer": f"{1025 * side * side * channels:,}",
        }
        for side, kind, channels in ((28, "grey", 1), (64, "colour", 3), (256, "colour", 3))
    ]
)

# %% [markdown]
# ## The same in three lines
#
# ganvas's `fc` is this network. ganvas adds averaged generator weights (which make its samples more
# stable), a plan for the time budget, checkpoints, and a doctor.
# `compact`, the default, is a convolutional network made for minutes on small machines.

# %%
import tempfile

FOLDER = tempfile.mkdtemp()

# %%
began = time.monotonic()
of_fc = f"{FOLDER}/fc"
for _ in ganvas.train("digits", out=of_fc, model="fc", size="28", batch=128, seed=0, **LENGTH):
    pass
by_fc, fc_seconds = ganvas.load(of_fc).sample(2000, seed=0), time.monotonic() - began

# %%
began = time.monotonic()
of_compact = f"{FOLDER}/compact"
for _ in ganvas.train("digits", out=of_compact, size="32", seed=0, **LENGTH):
    pass
by_compact = ganvas.load(of_compact).sample(2000, seed=0)
compact_seconds = time.monotonic() - began

# %% [markdown]
# `compact` generates 32 x 32 pixels: the same digits with a black border, because 28 can only be
# halved twice. The feature network works at 32 x 32 in any case.

# %%
lesson.show(by_fc[:20], "ganvas, fc")
lesson.show(by_compact[:20], "ganvas, compact")
large = torch.from_numpy(ganvas.images("digits", size="32")).permute(0, 3, 1, 2)
of_large = frechet_distance(eye.features(large), eye.features(by_compact))
found = {
    "noise": ("", with_noise),
    "written out above": (f"{seconds:.0f} s", scores["written out above"]),
    "ganvas, fc": (f"{fc_seconds:.0f} s", score(by_fc)),
    "ganvas, compact": (f"{compact_seconds:.0f} s", of_large),
    "2,000 real ones": ("", with_itself),
}
lesson.table(
    [
        {"images": name, "time": taken, "Fréchet distance": f"{distance:.1f}"}
        for name, (taken, distance) in found.items()
    ]
)

# %% [markdown]
# With the same network and the same batches `fc` is not ahead of the loop above after so short a
# time, because the plan, averaging, checkpoints, samples and the doctor take some of it.
# They pay off in longer runs, and when something goes wrong. For minutes, use `compact`.
#
# ## What you know now
#
# Three questions about what you have seen.

# %% tags=["question"] answer=true
# Batch normalisation (BatchNorm1d) can make training more stable: True or False?
answer = None
used = any(isinstance(layer, nn.BatchNorm1d) for layer in Generator().modules())
lesson.check(answer, used, "it is in every hidden layer of the generator above.")

# %% tags=["question"] answer="both"
# Which problems does training a GAN have? "sensitivity to settings", "balance of the players" or "both"
answer = None
seen_here = {
    "sensitivity to settings": max(by_rate.values()) > 1.2 * min(by_rate.values()),
    "balance of the players": strong_losses["discriminator"][-1]
    < balanced_losses["discriminator"][-1],
}
lesson.check(
    answer,
    "both" if all(seen_here.values()) else max(seen_here, key=seen_here.get),
    "you have seen both, and mode collapse besides.",
)

# %% tags=["question"] answer="swing"
# What do the losses of a healthy GAN do? "fall", "rise" or "swing"
answer = None
first, last = (
    sum(losses["discriminator"][part]) / 20 for part in (slice(20, 40), slice(-20, None))
)
lesson.check(
    answer,
    "swing" if last > 0.05 else "fall",
    f"the discriminator's was {first:.2f} soon after the start and {last:.2f} at the end.",
)

# %% [markdown]
# <details><summary>The answers</summary>
# True. Both. They swing.
# </details>
#
# ## Ten lessons
#
# Advice from people who have trained many GANs (after [Pasini's "10 Lessons I Learned Training
# Generative Adversarial Networks (GANs) for a Year"](../references.md#pasini-2019); by topic, in
# our words), and where it is in ganvas:
#
# | lesson | seen here | in ganvas |
# |---|---|---|
# | 1. Capacity: both networks need to be wide enough | | chosen for the time budget; `--width` |
# | 2. Do not stop early: losses may look bad and recover | why losses do not fall | the best checkpoint is kept; `--resume` |
# | 3. A simple loss first | two steps | `--loss` |
# | 4. Balance by the number of steps | problem 1 | `--d-steps`, `--skip-d-below` |
# | 5. On collapse, lower the learning rates and restart | problem 2 | the doctor does |
# | 6. Noise on what the discriminator sees | | `--instance-noise` |
# | 7. Label smoothing for real images | [gan_keras](gan_keras.ipynb) | `--label-smoothing` |
# | 8. Gradients at several scales | [dcgan](dcgan.ipynb) | `--model msg` |
# | 9. Two time scales: a learning rate for each player | problem 1 | `--lr-g`, `--lr-d` |
# | 10. Spectral normalisation | | `--model dcgan --spectral-norm` |
#
# ## Your turn
#
# * Add label smoothing to `discriminator_step`: label real images 0.9. Does the run with the too
#   strong discriminator recover?
# * Replace `digits` by your own images: `ganvas.images("my-images/", size="28",
#   channels=1)`.
# * For colour, and for more pixels, use convolutions: the [next notebook](dcgan.ipynb).

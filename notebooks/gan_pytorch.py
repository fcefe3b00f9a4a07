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
# Two networks play a game, and at its end one of them generates. In this notebook you write both,
# play the game, watch it go wrong in four ways, put each right, and then let ganvas do the same in
# three lines. It takes about ten minutes on two processor cores, and nothing is downloaded.
#
# **Before you begin**, three questions. Guess; the code will tell.

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
STEPS = 5000  # of the game with digits
PROBLEM_STEPS = 1000  # of each run that goes wrong
POINT_STEPS = 3000  # of the game with points
LENGTH = {"budget": "90s"}  # of ganvas

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
# ## What is learnt from
#
# A GAN needs nothing but images: no labels, no pairs. Here are ten thousand handwritten digits
# of 28 x 28 pixels. Values go from -1 (black) to 1 (white), because the generator ends in a tanh,
# which gives exactly that range.

# %%
digits = torch.from_numpy(ganvas.images("digits", size="28")).permute(0, 3, 1, 2)
lesson.show(
    digits[:20], f"{len(digits):,} digits, values from {digits.min():g} to {digits.max():g}"
)

# %% [markdown]
# ## Two networks
#
# The **generator** makes an image out of a vector of random numbers, the *latent*. It is a
# network that classifies, turned round: where a classifier goes from many pixels to few numbers,
# it goes from few numbers to many pixels. A variational autoencoder's decoder does that as well,
# but its images are blurred, because it is asked to come close to each image on average. A GAN
# is not asked to come close to anything: it must not be told apart.
#
# The **discriminator** tells whether an image is real. It is an ordinary classifier of two
# classes.
#
# Both are fully connected here: every pixel is joined to every unit. Three things in them are
# there to keep the game going:
#
# * `LeakyReLU` lets a little through where a `ReLU` gives 0, so that a unit always has a gradient
#   to learn from, and so has the other player behind it.
# * `BatchNorm1d` brings what a layer gives to mean 0 and variance 1 over the batch. That steadies
#   the training of the generator, whose every layer sees something else as the layers below it
#   learn.
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
# Nobody has learnt anything yet. The generator's images are noise, and the discriminator finds
# everything about equally likely to be real.

# %%
FIXED = torch.randn(20, LATENT)  # the same latents all through this notebook: one sees them change


@contextmanager
def at_rest(network: nn.Module):
    """BatchNorm as it is when one image is asked for, not a batch."""
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
# Now the first questions can be answered by looking.

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
        "one generates, one judges; only the first is kept.",
    ),
)

# %% [markdown]
# <details><summary>The three answers</summary>
# An image. Generative adversarial network(s). Two: a generator and a discriminator.
# </details>
#
# ## Two steps
#
# Each round has two steps (Goodfellow et al., 2014).
#
# 1. **The discriminator learns to judge.** It is shown a batch of real images, for which 1 is
#    right, and a batch of generated ones, for which 0 is right. `detach` keeps this from reaching
#    the generator.
# 2. **The generator learns to deceive.** Latents go through the generator and on through the
#    discriminator, and now 1 is "right". The gradient flows back through the discriminator to
#    every pixel, and says how the image must change to look more real. Only the generator moves:
#    *the discriminator is frozen*, because otherwise it would learn to take everything for real.

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
# Everything else is a loop. Both players use Adam with a rate of 0.0002 and a first moment of 0.5:
# with the usual 0.9 the generator would go on in a direction that the discriminator has long
# ceased to reward.


# %%
def play(
    generator, discriminator, steps, rate_g=2e-4, rate_d=2e-4, batch=128, skip_below=0.0, looks=5
):
    """The game; the losses of both, and now and then images of the same latents."""
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
    """The discriminator's loss, without learning from it."""
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
# Anywhere else in deep learning a loss that does not fall is a bad sign. Here each player's loss
# is measured against the other, who learns too: when one gets better, the other's loss rises. In a
# healthy game both swing about a level, and *neither goes down to 0*.

# %%
CHANCE = log(2)
lesson.plot(
    losses, "both losses, means of 50 steps", {"guessing": CHANCE}, smoothed=50, ylim=(0, 5)
)

# %% tags=["question"] answer=0.69
# What loss (two digits) has a discriminator that gives every image a chance of 1/2?
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
# ln 2 = 0.69; for both kinds together, as some programs count it, 2 ln 2 = 1.39. And no: a loss of
# 0 would mean that the discriminator has nothing left to teach.
# </details>
#
# ## How good is it?
#
# Losses do not say. The usual measure is the *Fréchet distance* (Heusel et al., 2017): a network
# looks at real and at generated images, both sets of features are taken for Gaussians, and the
# distance between those is computed. 0 is the best. The network here was trained to read digits,
# so that it looks at strokes and not at furniture.

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
# The two must be kept in **balance**. A discriminator that learns much faster soon tells
# everything apart. Its loss goes to 0, and what it says of a generated image hardly changes when
# the image changes: no gradient, no learning. Here it learns 250 times as fast as the generator.


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
# Two cures. The first is **learning rates that suit each other**: the discriminator is the same,
# and the generator's rate is two fifths of its rate.

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
# The second is to **skip steps of the discriminator**: while its loss is below a threshold it
# rests, and the generator catches up. Here it learns fifty times as fast, with and without rests.

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
# The generator is paid for deceiving, not for variety. If one image deceives well, it may generate
# that one again and again. With points in the plane one can see it happen: the real ones lie in
# eight heaps on a ring, and a generator that has collapsed lands in a few of them, and moves on to
# others when the discriminator has learnt where it is.

# %%
ANGLES = torch.arange(8) * torch.pi / 4
HEAPS = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


def points(count: int) -> torch.Tensor:
    return HEAPS[torch.randint(8, (count,))] + 0.02 * torch.randn(count, 2)


def network(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, outputs),
    )


def heaps_found(samples: torch.Tensor) -> int:
    """Heaps with at least 20 of 2,500 points within three standard deviations."""
    nearest = torch.cdist(samples, HEAPS).min(1)
    close = nearest.indices[nearest.values < 0.06]
    return int((torch.bincount(close, minlength=8) >= 20).sum())


def play_with_points(steps: int, rate_g: float, rate_d: float) -> list[torch.Tensor]:
    """The game with points: samples at four moments."""
    torch.manual_seed(1)
    g, d = network(2, 2), network(2, 1)
    optimizer_g, optimizer_d = adam(g, rate_g), adam(d, rate_d)
    moments = []
    for step in range(steps):
        # softplus(-s) and softplus(s) are binary cross-entropy of a score s with 1 and with 0.
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
        HEAPS, moments, f"{name}: {heaps_found(moments[-1])} of 8 heaps found at the end"
    )

# %% [markdown]
# Above, the generator learns ten times as fast: wherever the discriminator points, all of it is
# there before the discriminator has learnt that everything is there. The cure is the one that
# people try first: **lower its rate and begin again**. Others keep the discriminator from pointing
# to one place: a penalty on its gradient (R1: Mescheder et al., 2018), pairs of a real and a
# generated image (Huang et al., 2024), larger batches, or a look at how much the images of a
# batch differ (Karras et al., 2018).

# %% tags=["question"] answer="both are as fast"
# Which found more heaps? "the generator is faster" or "both are as fast"
answer = None
lesson.check(
    answer,
    max(FOUND, key=lambda name: heaps_found(FOUND[name][-1])),
    "the discriminator has the time to see where everything is.",
)

# %% [markdown]
# <details><summary>The answer</summary>
# Both are as fast.
# </details>
#
# ## Problem 3: sensitivity to settings
#
# A GAN may not learn at all, and then, with a learning rate that differs by a factor, learn well.
# Nothing but the rates of both players differs between these three:

# %%
by_rate = {}
for rate in (2e-2, 2e-3, 2e-4):
    players = start()
    _, shown = play(*players, PROBLEM_STEPS, rate_g=rate, rate_d=rate)
    by_rate[rate] = score(generate(players[0], torch.randn(2000, LATENT)))
    lesson.show(shown[-1][1][:10], f"rates of {rate:g}: Fréchet distance {by_rate[rate]:.0f}")

# %% [markdown]
# There is no rate that suits all images and all networks. ganvas has found good ones by
# measuring, scales them with the size of images, and its doctor lowers them when weights move
# too far in a step; `--trials 8` tries eight ways.
#
# ## Problem 4: resolution
#
# The larger the image, the more detail there is by which a discriminator can tell both kinds
# apart, and the less does that teach the generator about the whole. And this network does not grow
# well: every pixel costs 1,025 weights more. The [notebook about convolutions](dcgan.ipynb) goes
# on from here.

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
# ganvas's `fc` is this network. What it adds is around it: averaged weights of the generator
# (which is why its samples are steadier), a plan for the time there is, checkpoints, and a doctor.
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
# `compact` generates 32 x 32 pixels: the same digits with a black border, without which nobody would
# halve 28 more than twice. The network that scores looks at 32 x 32 in any case.

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
# time, since what is around it takes some of it: the plan, averages, checkpoints, samples, the
# doctor. It pays in longer runs, and when something goes wrong. Who has minutes takes `compact`.
#
# ## What you know now
#
# Three questions about what you have seen.

# %% tags=["question"] answer=true
# Batch normalisation (BatchNorm1d) can make training steadier: True or False?
answer = None
used = any(isinstance(layer, nn.BatchNorm1d) for layer in Generator().modules())
lesson.check(answer, used, "it is in every hidden layer of the generator above.")

# %% tags=["question"] answer="both"
# Problems of training a GAN are: "sensitivity to settings", "balance of the players" or "both"
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
# What people who have trained many GANs pass on (after Pasini's "10 Lessons I Learned Training
# Generative Adversarial Networks for one Year"; by topic, in our words), and where it is in
# ganvas:
#
# | lesson | seen here | in ganvas |
# |---|---|---|
# | 1. Capacity: both networks need to be wide enough | | chosen for the time; `--width` |
# | 2. Do not stop early: losses may look bad and recover | why losses do not fall | the best checkpoint is kept; `--resume` |
# | 3. A simple loss first | two steps | `--loss` |
# | 4. Balance by the number of steps | problem 1 | `--d-steps`, `--skip-d-below` |
# | 5. On collapse, lower the rates and begin again | problem 2 | the doctor does |
# | 6. Noise on what the discriminator sees | | `--instance-noise` |
# | 7. Softer labels for real images | [gan_keras](gan_keras.ipynb) | `--label-smoothing` |
# | 8. Gradients at several scales | [dcgan](dcgan.ipynb) | `--model msg` |
# | 9. Two time-scales: rates of their own | problem 1 | `--lr-g`, `--lr-d` |
# | 10. Spectral normalisation | | `--model dcgan --spectral-norm` |
#
# ## Your turn
#
# * Put `label smoothing` into `discriminator_step`: real images are 0.9. Does the too strong
#   discriminator recover?
# * Exchange `digits` for images of yours: `ganvas.images("my-images/", size="28",
#   channels=1)`.
# * For colour, and for more pixels, use convolutions: the [next notebook](dcgan.ipynb).

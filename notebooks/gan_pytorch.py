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
# Two networks play a game, and in the end one of them generates images. In this
# notebook you write both, train them, watch training go wrong in three ways,
# fix each, see why larger images are harder, and then let ganvas do the same in
# three lines. It takes about a quarter of an hour on two processor cores, and
# nothing is downloaded.
#
# **Before you begin**, three questions. Guess; the code will check your
# answers.

# %% tags=["question"] question="generator-output"
# What does a generator make out of a vector? "video", "image" or "sound"
answer = None
before_1 = answer

# %% tags=["question"] question="gan-stands-for"
# What does GAN stand for?
answer = None
before_2 = answer

# %% tags=["question"] question="number-of-networks"
# How many networks does a GAN train?
answer = None
before_3 = answer

# %% tags=["budget"]
STEPS = 5000  # of training on digits
UNFROZEN_STEPS = 300  # of a run in which one optimiser holds both networks
PROBLEM_STEPS = 1000  # of each run that goes wrong
POINT_STEPS = 3000  # of training on points
LENGTH = {"budget": "90s"}  # of training with ganvas

# %% tags=["set-up"]
import time
from contextlib import contextmanager
from math import log

import torch
from torch import nn
from torch.nn.functional import softplus

import ganvas
from ganvas import lesson

torch.manual_seed(42)
print("PyTorch", torch.__version__)

# %% [markdown]
# ## The training data
#
# A GAN needs only images: no labels, no pairs. Here are ten thousand
# handwritten digits of 28 x 28 pixels. Values go from -1 (black) to 1 (white),
# because the generator ends in a tanh, whose output has exactly that range.

# %%
digits = torch.from_numpy(ganvas.images("digits", size="28")).permute(
    0, 3, 1, 2
)
low, high = digits.min().item(), digits.max().item()
lesson.show(
    digits[:20], f"{len(digits):,} digits, values from {low:g} to {high:g}"
)

# %% [markdown]
# ## Two networks
#
# The **generator** makes an image out of a vector of random numbers, the
# *latent*. It is a classifier turned round: a classifier goes from many pixels
# to few numbers, the generator from few numbers to many pixels. The decoder of
# a variational autoencoder does that as well, but its images are blurred,
# because it minimises the average distance to each image. A GAN has no such
# target: its images only have to be indistinguishable from real ones. (The
# [notebook about growing and styles](stylegan.ipynb) trains both.)
#
# The **discriminator** decides whether an image is real. It is an ordinary
# classifier with two classes.

# %% tags=["diagram"]
lesson.diagram("players")

# %% [markdown]
# Both are fully connected here: every pixel is connected to every unit. Three
# of their layers keep training stable:
#
# * `LeakyReLU` lets a little through where a `ReLU` outputs 0, so that a unit
#   always has a gradient to learn from, and passes one on to the other player.
# * `BatchNorm1d` normalises the outputs of a layer to mean 0 and variance 1
#   over the batch. That helps; why it helps is disputed. Its authors thought
#   that it keeps the inputs of each layer alike while the layers below learn
#   (Ioffe and Szegedy, 2015). Later measurements found that they do not stay
#   alike, and that the loss becomes a smoother function of the weights
#   (Santurkar et al., 2018).
# * The last layer of the generator is a `tanh`, which keeps its output in the
#   range of the images.

# %%
LATENT = 100


def block(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Linear(inputs, outputs),
        nn.BatchNorm1d(outputs, momentum=0.2),
        nn.LeakyReLU(0.2),
    ]


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

# %% tags=["diagram"]
lesson.diagram("layers")

# %% [markdown]
# Neither network is trained yet. The generator's images are noise, and the
# discriminator gives every image about the same probability of being real.

# %%
FIXED = torch.randn(20, LATENT)  # the same in the whole notebook: see progress


@contextmanager
def at_rest(network: nn.Module):
    """Evaluation mode: BatchNorm uses its running statistics."""
    network.eval()
    with torch.no_grad():
        yield network
    network.train()


def generate(generator: nn.Module, latents: torch.Tensor) -> torch.Tensor:
    with at_rest(generator) as network:
        return network(latents)


lesson.show(generate(generator, FIXED), "before the first step")
with torch.no_grad():
    untrained = discriminator(digits[:100]).mean().item()
print(f"The discriminator takes real digits for real with {untrained:.2f}.")

# %% [markdown]
# Now you can check the first answers.

# %% tags=["check"]
display(
    lesson.check(
        "generator-output",
        before_1,
        "image" if generate(generator, FIXED).dim() == 4 else "sound",
    ),
    lesson.check("gan-stands-for", before_2, "generative adversarial network"),
    lesson.check(
        "number-of-networks", before_3, len([generator, discriminator])
    ),
)

# %% [markdown]
# ## Two steps
#
# Each iteration has two steps (Goodfellow et al., 2014).
#
# 1. **The discriminator learns to discriminate.** It sees a batch of real
#    images, labelled 1, and a batch of generated ones, labelled 0. `detach`
#    keeps the gradient from reaching the generator.
# 2. **The generator learns to fool it.** Latents go through the generator and
#    on through the discriminator, and now the label is 1. The gradient flows
#    back through the discriminator to every pixel, and says how the image must
#    change to look more real. Only the generator is updated: the optimiser of
#    this step holds the generator's weights and no others.
#
# In the second step the discriminator is *frozen*: no gradients of its weights
# are computed. Here that only saves work, as you will see below.

# %%
LOSS = nn.BCELoss()


def adam(network: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.999))


def loss_of(discriminator, real, fake) -> torch.Tensor:
    """The discriminator's loss: real images have label 1, generated ones 0."""
    on_real, on_fake = discriminator(real), discriminator(fake)
    of_real = LOSS(on_real, torch.ones_like(on_real))
    of_fake = LOSS(on_fake, torch.zeros_like(on_fake))
    return (of_real + of_fake) / 2


def discriminator_step(discriminator, optimizer, real, fake):
    loss = loss_of(discriminator, real, fake.detach())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def generator_step(generator, discriminator, optimizer, fake):
    discriminator.requires_grad_(False)  # frozen: saves work
    output = discriminator(fake)
    loss = LOSS(output, torch.ones_like(output))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    discriminator.requires_grad_(True)
    return loss.item()


# %% tags=["question"] question="freezing"
# The optimiser of the generator's step holds the generator's weights only, and
# nothing is frozen. Does the step change the discriminator's weights? "yes" or
# "no"
answer = None
before_4 = answer

# %% [markdown]
# Try it, in copies of both networks, with and without freezing. In the last two
# rows one optimiser holds the weights of *both* networks.


# %%
from copy import deepcopy


def changes(freeze: bool, both: bool) -> bool:
    """Does a step that the generator learns from change the discriminator?"""
    g, d = deepcopy(generator), deepcopy(discriminator)
    before = [weight.clone() for weight in d.parameters()]
    held = [*g.parameters(), *d.parameters()] if both else g.parameters()
    optimizer = torch.optim.Adam(held, lr=2e-4, betas=(0.5, 0.999))
    d.requires_grad_(not freeze)
    output = d(g(torch.randn(64, LATENT)))
    LOSS(output, torch.ones_like(output)).backward()
    optimizer.step()
    return not all(map(torch.equal, before, d.parameters()))


cases = {
    (both, freeze): changes(freeze, both)
    for both in (False, True)
    for freeze in (True, False)
}
lesson.table(
    [
        {
            "the optimiser holds": "both networks" if both else "the generator",
            "D is frozen": "yes" if freeze else "no",
            "D changes": "yes" if changed else "no",
        }
        for (both, freeze), changed in cases.items()
    ]
)

# %% tags=["check"]
lesson.check(
    "freezing",
    before_4,
    "yes" if cases[False, False] else "no",
)

# %% [markdown]
# So in PyTorch, where each optimiser is given its weights, freezing changes no
# result. Where one optimiser holds both networks, as in Keras, it is essential.
# What would go wrong there? In the second step the label of generated images is
# 1, and both networks would work towards it. Train like that for a while:

# %%
torch.manual_seed(0)
g, d = Generator(), Discriminator()
both = torch.optim.Adam([*g.parameters(), *d.parameters()], 2e-4, (0.5, 0.999))
alone = adam(d, 2e-4)
for _ in range(UNFROZEN_STEPS):
    real = digits[torch.randint(len(digits), (128,))]
    fake = g(torch.randn(128, LATENT))
    discriminator_step(d, alone, real, fake)
    output = d(fake)
    both.zero_grad()
    LOSS(output, torch.ones_like(output)).backward()
    both.step()
fake = generate(g, FIXED)
with torch.no_grad():
    d_on_real, d_on_fake = d(digits[:500]).mean(), d(fake).mean()
lesson.show(fake, f"after {UNFROZEN_STEPS} steps with one optimiser for both")
print(f"D(real digits) = {d_on_real:.2f}, D(these images) = {d_on_fake:.2f}")

# %% [markdown]
# The discriminator has learnt to call everything real, and from such a
# discriminator the generator learns nothing about digits.

# %% [markdown]
# ## The game
#
# Everything else is a loop. Both players use Adam with a learning rate of
# 0.0002 and a beta 1 of 0.5: with the usual 0.9 the generator would go on in a
# direction that the discriminator no longer rewards.


# %%
def play(
    generator, discriminator, steps,
    rate_g=2e-4, rate_d=2e-4, batch=128, skip_below=0.0, looks=5,
):  # fmt: skip
    """Train both; return their losses, and images at several steps."""
    optimizer_g, optimizer_d = (
        adam(generator, rate_g),
        adam(discriminator, rate_d),
    )
    losses = {"discriminator": [], "generator": []}
    shown = []
    for step in range(steps):
        real = digits[torch.randint(len(digits), (batch,))]
        fake = generator(torch.randn(batch, LATENT))
        with torch.no_grad():
            loss_d = (
                loss_of(discriminator, real, fake).item() if skip_below else 1
            )
        if loss_d >= skip_below:
            loss_d = discriminator_step(discriminator, optimizer_d, real, fake)
        loss_g = generator_step(generator, discriminator, optimizer_g, fake)
        losses["discriminator"].append(loss_d)
        losses["generator"].append(loss_g)
        if (step + 1) % (steps // looks) == 0:
            shown.append((step + 1, generate(generator, FIXED)))
    return losses, shown


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
# Elsewhere in deep learning a loss that does not fall is a bad sign. Here each
# player's loss is measured against the other player, which learns too: when one
# gets better, the other's loss rises. In a healthy run both oscillate about a
# level, and *neither goes down to 0*.

# %%
CHANCE = log(2)
lesson.plot(
    losses, "both losses, means of 10 steps", {"guessing": CHANCE}, smoothed=10
)

# %% [markdown]
# The curves differ from step to step for the whole run, while the images get
# better: a loss of this size says little about them.

# %% tags=["question"] question="loss-of-guessing"
# What is the loss, to two decimals, of a discriminator that gives every image a
# probability of 1/2?
answer = None
half = torch.full((10,), 0.5)
lesson.check("loss-of-guessing", answer, LOSS(half, torch.ones(10)).item())

# %% tags=["question"] question="loss-reaches-0"
# Has the discriminator's loss gone to 0 at the end of this run? "yes" or "no"
answer = None
last = sum(losses["discriminator"][-20:]) / 20
lesson.check(
    "loss-reaches-0", answer, "yes" if last < 0.02 else "no", loss=last
)

# %% [markdown]
# ## How good is it?
#
# Losses do not say. The usual metric is the *Fréchet distance* (Heusel et al.,
# 2017): a network extracts features of real and of generated images, a Gaussian
# is fitted to each set, and the distance between the two is computed. 0 is the
# best. The network here was trained to read digits, so that its features are of
# strokes and not of furniture.

# %%
from ganvas.evaluation.features import DigitsClassifier
from ganvas.evaluation.metrics import frechet_distance

eye = DigitsClassifier.load()
seen = eye.features(digits)


def score(images: torch.Tensor) -> float:
    return frechet_distance(seen, eye.features(images))


def samples(generator: nn.Module) -> torch.Tensor:
    return generate(generator, torch.randn(2000, LATENT))


scores = {
    "noise": score(torch.rand(2000, 1, 28, 28) * 2 - 1),
    "written out above": score(samples(generator)),
    "2,000 real ones": score(digits[:2000]),
}
lesson.table(
    [
        {"images": name, "Fréchet distance": f"{value:.1f}"}
        for name, value in scores.items()
    ]
)

# %% [markdown]
# ## Problem 1: a discriminator that is too strong
#
# The two must be kept in **balance**. A discriminator that learns much faster
# soon separates real from fake perfectly. Its loss goes to 0, and its output
# hardly changes when a generated image changes: no gradient, no learning. Here
# its learning rate is 250 times that of the generator.


# %%
def start(seed=0):
    torch.manual_seed(seed)
    return Generator(), Discriminator()


strong, shown = play(*start(), PROBLEM_STEPS, rate_d=5e-4, rate_g=2e-6)
strong = strong["discriminator"]
lesson.plot(
    {"discriminator": strong},
    "too strong: its loss",
    {"guessing": CHANCE},
    smoothed=20,
    ylim=(0, 0.8),
)
lesson.show(
    shown[-1][1][:10], f"the generator's images after {PROBLEM_STEPS:,} steps"
)

# %% [markdown]
# There are two remedies. The first is **balanced learning rates**: the
# discriminator's stays the same, and the generator's is two fifths of it.

# %%
balanced, shown = play(*start(), PROBLEM_STEPS, rate_d=5e-4, rate_g=2e-4)
balanced = balanced["discriminator"]
lesson.plot(
    {"generator too slow": strong, "rates that suit": balanced},
    "the discriminator's loss",
    {"guessing": CHANCE},
    smoothed=20,
    ylim=(0, 0.8),
)
lesson.show(
    shown[-1][1][:10], "the same discriminator, and a generator that keeps up"
)

# %% [markdown]
# The second is to **skip discriminator steps** while its loss is below a
# threshold, so that the generator catches up. Here its learning rate is fifty
# times the generator's, with and without skipping.

# %%
by_rest = {}
for name, threshold in {"never rests": 0.0, "rests below 0.3": 0.3}.items():
    players = start()
    rested, shown = play(
        *players,
        PROBLEM_STEPS,
        rate_d=1e-3,
        rate_g=2e-5,
        skip_below=threshold,
    )
    last = sum(rested["discriminator"][-100:]) / 100
    by_rest[name] = score(samples(players[0]))
    lesson.show(
        shown[-1][1][:10],
        f"{name}: loss {last:.2f}, Fréchet distance {by_rest[name]:.0f}",
    )

# %% [markdown]
# Skipping steps makes the images better in the same time. They are still far
# from those of suitable rates: the generator's rate is as low as before.
#
# ## Problem 2: mode collapse
#
# The generator is rewarded for fooling the discriminator, not for variety. If
# one image fools it well, the generator may produce that one again and again.
# Points in the plane make this visible: the real ones lie in eight clusters on
# a ring.

# %%
ANGLES = torch.arange(8) * torch.pi / 4
CLUSTERS = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


def points(count: int) -> torch.Tensor:
    centres = CLUSTERS[torch.randint(8, (count,))]
    return centres + 0.02 * torch.randn(count, 2)


def network(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, outputs),
    )


def clusters_found(samples: torch.Tensor) -> int:
    """Clusters with at least 20 of 2,500 points within three deviations."""
    nearest = torch.cdist(samples, CLUSTERS).min(1)
    close = nearest.indices[nearest.values < 0.06]
    return int((torch.bincount(close, minlength=8) >= 20).sum())


def play_with_points(steps: int, rate_g: float, rate_d: float):
    """Train on points; return samples at four steps."""
    torch.manual_seed(1)
    g, d = network(2, 2), network(2, 1)
    optimizer_g, optimizer_d = adam(g, rate_g), adam(d, rate_d)
    moments = []
    for step in range(steps):
        # Here d returns logits s: numbers before the sigmoid. softplus(s) is
        # log(1 + exp(s)), so the binary cross-entropy of s with 1 is
        # softplus(-s), and with 0 softplus(s).
        on_real = d(points(256))
        on_fake = d(g(torch.randn(256, 2)).detach())
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


ring = {
    "the generator is faster": play_with_points(POINT_STEPS, 1e-2, 1e-3),
    "both are as fast": play_with_points(POINT_STEPS, 1e-3, 1e-3),
}
found = {name: clusters_found(moments[-1]) for name, moments in ring.items()}
for name, moments in ring.items():
    lesson.scatter(
        CLUSTERS, moments, f"{name}: {found[name]} of 8 clusters at the end"
    )

# %% [markdown]
# In the first row the generator's learning rate is ten times the
# discriminator's. Its samples are in one place, near one or two clusters, or on
# the way to another one, and the place moves on: wherever the discriminator's
# output is high, the generator gets there before the discriminator can react.
# In the second row both learn at the same rate, and the samples spread over the
# ring.
#
# The usual first remedy is just that: **lower the generator's learning rate and
# restart**. Other remedies keep the discriminator from preferring one place: a
# penalty on its gradient (R1: Mescheder et al., 2018), pairs of a real and a
# generated image (Huang et al., 2024), larger batches, or the standard
# deviation over the batch as an input (Karras et al., 2018).

# %% tags=["question"] question="clusters"
# Which run covered more clusters? "the generator is faster" or "both are as
# fast"
answer = None
lesson.check(
    "clusters",
    answer,
    max(found, key=found.get),
    balanced=found["both are as fast"],
    faster=found["the generator is faster"],
)

# %% [markdown]
# ## Problem 3: sensitivity to settings
#
# With one learning rate a GAN may not learn at all, and with a tenth of it
# learn well. Only the learning rates of both players differ between these three
# runs:

# %%
by_rate, spreads = {}, {}
for rate in (2e-2, 2e-3, 2e-4):
    players = start()
    _, shown = play(*players, PROBLEM_STEPS, rate_g=rate, rate_d=rate)
    images = samples(players[0])
    by_rate[rate], spreads[rate] = score(images), images.std(0).mean()
    lesson.show(
        shown[-1][1][:10],
        f"learning rates of {rate:g}: Fréchet distance {by_rate[rate]:.0f}",
    )

# %% [markdown]
# At 0.02 the run has collapsed: ten latents, one image, and it is no digit. At
# 0.002 and at 0.0002, the rate of all runs above, there are digits. Which of
# the two is ahead after so few steps depends on the seed; ten times more is too
# much in any case.
#
# No learning rate suits all images and all networks. ganvas's defaults were
# found by measurement and scale with the size of images. Its doctor lowers them
# when weights move too far in a step, and `ganvas sweep` tries others in short
# runs.
#
# ## Problem 4: resolution
#
# The larger the image, the more detail the discriminator has to separate real
# from fake, and the less the generator learns from it about the image as a
# whole. And this network does not scale well: every pixel costs 1,025 more
# weights. The [notebook about convolutions](dcgan.ipynb) continues from here.

# %%
lesson.table(
    [
        {
            "images": f"{side} x {side} in {kind}",
            "weights of the last layer": f"{1025 * side * side * channels:,}",
        }
        for side, kind, channels in (
            (28, "grey", 1),
            (64, "colour", 3),
            (256, "colour", 3),
        )
    ]
)

# %% [markdown]
# ## The same in three lines
#
# ganvas's `fc` is this network. ganvas adds averaged generator weights (which
# make its samples more stable), a plan for the time budget, checkpoints, and a
# doctor. `compact`, the default, is a convolutional network made for minutes on
# small machines.

# %% tags=["set-up"]
import tempfile

FOLDER = tempfile.mkdtemp()

# %%
began = time.monotonic()
of_fc = f"{FOLDER}/fc"
for _ in ganvas.train(
    "digits", out=of_fc, model="fc", size="28", batch=128, seed=0, **LENGTH
):
    pass
by_fc = ganvas.load(of_fc).sample(2000, seed=0)
fc_seconds = time.monotonic() - began

# %%
began = time.monotonic()
of_compact = f"{FOLDER}/compact"
for _ in ganvas.train("digits", out=of_compact, size="32", seed=0, **LENGTH):
    pass
by_compact = ganvas.load(of_compact).sample(2000, seed=0)
compact_seconds = time.monotonic() - began

# %% [markdown]
# `compact` generates 32 x 32 pixels: the same digits with a black border,
# because 28 can only be halved twice. The feature network works at 32 x 32 in
# any case.

# %%
lesson.show(by_fc[:20], "ganvas, fc")
lesson.show(by_compact[:20], "ganvas, compact")
large = torch.from_numpy(ganvas.images("digits", size="32"))
seen_large = eye.features(large.permute(0, 3, 1, 2))
of_large = frechet_distance(seen_large, eye.features(by_compact))
compared = {
    "noise": ("", scores["noise"]),
    "written out above": (f"{seconds:.0f} s", scores["written out above"]),
    "ganvas, fc": (f"{fc_seconds:.0f} s", score(by_fc)),
    "ganvas, compact": (f"{compact_seconds:.0f} s", of_large),
    "2,000 real ones": ("", scores["2,000 real ones"]),
}
lesson.table(
    [
        {"images": name, "time": taken, "Fréchet distance": f"{distance:.1f}"}
        for name, (taken, distance) in compared.items()
    ]
)

# %% [markdown]
# ## What the default's discriminator compares
#
# Read the table with its times: `fc` has had fewer steps than the loop above,
# with larger batches; `compact` is ahead of both. Why is it, apart from its
# convolutions? The loss above asks of each image whether it is real. `compact`
# asks something else: is the real image of a *pair* more real than the
# generated one beside it (Jolicoeur-Martineau, 2019)? Its loss is a function of
# the difference of two logits. So a single logit means nothing:

# %%
on_real, on_fake = torch.randn(8) + 1, torch.randn(8)
paired = softplus(on_fake - on_real).mean().item()
shifted = softplus((on_fake + 5) - (on_real + 5)).mean().item()
print(f"loss {paired:.4f}, and with 5 added to every logit {shifted:.4f}")
print(
    f"D(real) as a sigmoid: {on_real.sigmoid().mean():.2f},"
    f" then {(on_real + 5).sigmoid().mean():.2f}"
)

# %% [markdown]
# Nothing that this discriminator learns from has changed, but D(real) has. So
# for such losses ganvas shows no D(real) and D(fake), in the terminal and in
# `losses.png`, but the mean difference of the logits of real and generated
# images. The
# [theory](../docs/lesson/theory.md#the-defaults-loss-pairs-of-images) says why
# pairs work against mode collapse, and why the learning rate of `compact` is
# 0.02 where that of a DCGAN is 0.001.
#
# ## What you know now
#
# Three questions about what you have seen.

# %% tags=["question"] question="batch-normalisation"
# Can batch normalisation (BatchNorm1d) make training more stable? "yes" or "no"
answer = None
used = any(isinstance(layer, nn.BatchNorm1d) for layer in Generator().modules())
lesson.check("batch-normalisation", answer, "yes" if used else "no")

# %% tags=["question"] question="problems"
# Which problems does training a GAN have? "sensitivity to settings", "balance
# of the players" or "both"
answer = None
seen_here = {
    "sensitivity to settings": max(by_rate.values())
    > 1.2 * min(by_rate.values()),
    "balance of the players": strong[-1] < balanced[-1],
}
lesson.check(
    "problems",
    answer,
    "both" if all(seen_here.values()) else max(seen_here, key=seen_here.get),
)

# %% tags=["question"] question="healthy-losses"
# What do the losses of a healthy GAN do? "fall", "rise" or "oscillate"
answer = None
first = sum(losses["discriminator"][20:40]) / 20
last = sum(losses["discriminator"][-20:]) / 20
lesson.check(
    "healthy-losses",
    answer,
    "oscillate" if last > 0.05 else "fall",
    first=first,
    last=last,
)

# %% [markdown]
# ## Ten lessons
#
# Advice from people who have trained many GANs (after [Pasini's "10 Lessons I
# Learned Training Generative Adversarial Networks (GANs) for a
# Year"](../docs/references.md#pasini-2019); by topic, in our words), and where
# it is in ganvas:
#
# | lesson | seen here | in ganvas |
# |---|---|---|
# | 1. Capacity: wide enough networks | | chosen for the budget; `--width` |
# | 2. Do not stop early | the losses | the best checkpoint; `--resume` |
# | 3. A simple loss first | two steps | `--loss` |
# | 4. Balance by numbers of steps | problem 1 | `--d-steps`, `--skip-d-below` |
# | 5. On collapse, lower rates, restart | problem 2 | the doctor does |
# | 6. Noise on the discriminator's input | | `--instance-noise` |
# | 7. Label smoothing | [gan_keras](gan_keras.ipynb) | `--label-smoothing` |
# | 8. Gradients at several scales | [dcgan](dcgan.ipynb) | `--model msg` |
# | 9. A learning rate for each player | problem 1 | `--lr-g`, `--lr-d` |
# | 10. Spectral normalisation | | `--model dcgan --spectral-norm` |
#
# ## Your turn
#
# * Add label smoothing to `loss_of`: label real images 0.9. Does the run with
#   the too strong discriminator recover?
# * Replace `digits` by your own images: `ganvas.images("my-images/", size="28",
#   channels=1)`.
# * For colour, and for more pixels, use convolutions: the [next
#   notebook](dcgan.ipynb).

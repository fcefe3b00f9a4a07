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
# # Convolutions: images in colour, and larger ones
#
# The fully connected GAN of [gan_pytorch](gan_pytorch.ipynb) connects every
# pixel with every unit. For grey images of 28 x 28 that is enough. This
# notebook shows its limits, how convolutions overcome them, and what helps
# where convolutions alone are not enough: at high resolution.
#
# **Before you begin:**

# %% tags=["question"] question="convolutions"
# Which parts of a DCGAN have convolutions? "generator", "discriminator" or
# "both"
answer = None
before_1 = answer

# %% tags=["budget"]
PROBLEM_STEPS = 750  # of the DCGAN that overfits
STEPS = 1500  # of the one that does not
ALL = {"budget": "90s"}  # of training with ganvas, on all emoji
WHICH = "*"  # emoji
SAMPLES = 1000  # that are scored
GROWING = {"budget": "100s"}  # of the model that grows

# %% tags=["set-up"]
import tempfile

import numpy as np
import torch
from torch import nn

import ganvas
from ganvas import lesson
from ganvas.events import Diagnosis, Planned, Treatment

torch.manual_seed(42)
FOLDER = tempfile.mkdtemp()

# %% [markdown]
# ## Why convolutions?
#
# A fully connected layer has a weight for every pair of pixel and unit. What it
# learns in one corner, it has to learn again in every other corner. A
# convolution looks at a few neighbouring pixels with the same few weights
# everywhere: neighbours belong together, and an eye is an eye wherever it is.


# %%
def weights(layer: nn.Module) -> int:
    return sum(weight.numel() for weight in layer.parameters())


rows = []
for side in 28, 64, 128:
    dense, convolution = (
        nn.Linear(3 * side * side, 512),
        nn.Conv2d(3, 64, 4, 2, 1),
    )
    rows.append(
        {
            "images": f"{side} x {side} in colour",
            "first layer, fully connected": f"{weights(dense):,}",
            "first layer, convolution": f"{weights(convolution):,}",
        }
    )
lesson.table(rows)

# %% [markdown]
# ## What an up-convolution is
#
# A classifier makes large images small. Most do it by *pooling*: of each square
# of two by two activations, only the mean or the largest is kept. A DCGAN has
# strides instead. With a *stride* of 2 a convolution looks at every other
# position, which halves the sides as well, and how to summarise a square is
# learnt, like everything else.
#
# A generator needs the opposite. An **up-convolution** (transposed convolution)
# multiplies each input number by its kernel and adds the result to the larger
# image: the *footprint* of that number. The footprint of the next number is two
# pixels further, and overlapping footprints add up.

# %% tags=["diagram"]
lesson.diagram("footprint")

# %% [markdown]
# With a kernel of 3 and a stride of 2, one, two or four footprints lie on a
# pixel, alternating. A generator has to compensate for that pattern; where it
# does not quite succeed, the image shows a checkerboard. With a kernel of 4, a
# multiple of the stride, there are four everywhere inside (Odena et al., 2016).
# That prevents the pattern from the start; the weights can still learn one, or
# not have unlearnt theirs yet. The kernels of the DCGAN paper are 5 x 5; here
# and in most code since they are 4 x 4. Count for yourself:

# %%
import matplotlib.pyplot as plt


def footprints(kernel: int, places: torch.Tensor) -> np.ndarray:
    """The number of footprints on each pixel; `places` (H, W) hold numbers."""
    layer = nn.ConvTranspose2d(1, 1, kernel, stride=2, padding=1, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        return layer(places[None, None])[0, 0].numpy()


single = torch.zeros(5, 5)
single[2, 2] = 1
shown_footprints = {
    "one number, kernel 4": footprints(4, single),
    "all numbers, kernel 3": footprints(3, torch.ones(5, 5)),
    "all numbers, kernel 4": footprints(4, torch.ones(5, 5)),
}
figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
for axis, (title, counts) in zip(axes, shown_footprints.items()):
    axis.imshow(counts, cmap="Blues", vmin=0, vmax=4)
    axis.set(title=title, xticks=[], yticks=[])
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > 2 else "black"
        style = {"ha": "center", "va": "center", "fontsize": 7, "color": colour}
        axis.text(column, row, f"{count:g}", **style)
plt.show()

# %% tags=["question"] question="footprint"
# How many pixels does the footprint of one number cover with a kernel of 4 x 4?
answer = None
covered = int((shown_footprints["one number, kernel 4"] > 0).sum())
lesson.check("footprint", answer, covered)

# %% [markdown]
# ## One kind of image: people
#
# The emoji are 3,391 small images of all sorts of things. The task of a GAN is
# easier when all images are of one kind, so here are the people first: `only`
# selects by file name, and 1f468, 1f469 and 1f9d1 are the codes of a man, a
# woman and a person.

# %%
people = np.concatenate(
    [
        ganvas.images("emoji", size="32", only=f"*/{code}*")
        for code in ("1f468", "1f469", "1f9d1")
    ]
)
lesson.show(people[:: len(people) // 20][:20], f"{len(people)} people")

# %% [markdown]
# ## A DCGAN, written out
#
# The guidelines of Radford, Metz and Chintala (2016): strided convolutions
# instead of pooling; batch normalisation in both players, but not at the image
# itself; ReLU in the generator and LeakyReLU in the discriminator; no fully
# connected layers except at the ends; small initial weights.

# %%
LATENT, WIDTH = 100, 32


def up(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def down(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2),
    ]


def small(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)


def players() -> tuple[nn.Sequential, nn.Sequential]:
    """An untrained generator and discriminator."""
    generator = nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 4 * WIDTH, 4, bias=False),
        nn.BatchNorm2d(4 * WIDTH),
        nn.ReLU(),  # 4 x 4
        *up(4 * WIDTH, 2 * WIDTH),  # 8 x 8
        *up(2 * WIDTH, WIDTH),  # 16 x 16
        nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1),
        nn.Tanh(),  # 32 x 32
    )
    discriminator = nn.Sequential(
        nn.Conv2d(3, WIDTH, 4, 2, 1),
        nn.LeakyReLU(0.2),  # 16 x 16
        *down(WIDTH, 2 * WIDTH),  # 8 x 8
        *down(2 * WIDTH, 4 * WIDTH),  # 4 x 4
        nn.Conv2d(4 * WIDTH, 1, 4),
        nn.Flatten(0),
    )
    return generator.apply(small), discriminator.apply(small)


generator, discriminator = players()

kinds = {
    name: sum(
        isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in network
    )
    for name, network in {
        "generator": generator,
        "discriminator": discriminator,
    }.items()
}
print("convolutions:", kinds)

# %% tags=["check"]
lesson.check(
    "convolutions",
    before_1,
    "both" if all(kinds.values()) else max(kinds, key=kinds.get),
    **kinds,
)

# %% [markdown]
# Training is as in the first notebook, except that the discriminator's input
# can be augmented, which is needed in a moment. The discriminator's outputs are
# kept: the probabilities of being real that it gives to real images and to
# generated ones.

# %%
from collections.abc import Callable

from torch.nn.functional import pad, softplus

FIXED = torch.randn(20, LATENT)
Change = Callable[[torch.Tensor], torch.Tensor]


def play(
    players: tuple[nn.Module, nn.Module],
    images: torch.Tensor,
    steps: int,
    varied: Change,
    batch: int = 32,
    rate: float = 1e-3,
) -> tuple[dict[str, list[float]], dict[int, torch.Tensor]]:
    """Train both; return D's outputs at every step, and images at four."""
    generator, discriminator = players
    optimizer_g = torch.optim.Adam(
        generator.parameters(), rate, betas=(0.5, 0.999)
    )
    optimizer_d = torch.optim.Adam(
        discriminator.parameters(), rate, betas=(0.5, 0.999)
    )
    outputs, shown = {"real": [], "generated": []}, {}
    moments = {steps * quarter // 4 for quarter in (1, 2, 3, 4)}
    for step in range(1, steps + 1):
        real = images[torch.randint(len(images), (batch,))]
        fake = generator(torch.randn(batch, LATENT))
        on_real, on_fake = (
            discriminator(varied(real)),
            discriminator(varied(fake.detach())),
        )
        # softplus(-s) and softplus(s) are the binary cross-entropy of a logit s
        # with 1 and with 0.
        loss = (softplus(-on_real) + softplus(on_fake)).mean() / 2
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()
        loss = softplus(-discriminator(varied(fake))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        outputs["real"].append(on_real.sigmoid().mean().item())
        outputs["generated"].append(on_fake.sigmoid().mean().item())
        if step in moments:
            generator.eval()
            with torch.no_grad():
                shown[step] = generator(FIXED)
            generator.train()
    return outputs, shown


# %% [markdown]
# ## A problem: few images
#
# Five hundred images are few. The discriminator soon memorises all of them, and
# then it is **too strong**: it is sure that every other image is generated, and
# its gradient teaches the generator less and less.


# %%
def unvaried(images: torch.Tensor) -> torch.Tensor:
    return images


few = torch.from_numpy(people).permute(0, 3, 1, 2)
sure, shown = play((generator, discriminator), few, PROBLEM_STEPS, unvaried)
lesson.plot(
    sure,
    "probability of being real",
    {"guessing": 0.5},
    smoothed=30,
    ylim=(0, 1),
)
lesson.show(shown[PROBLEM_STEPS], f"step {PROBLEM_STEPS:,}")

# %% [markdown]
# In the figure the two curves move apart: more and more surely the
# discriminator tells real images from generated ones. The images are people,
# covered with specks of colour.
#
# ## What helps: differentiable augmentation
#
# Each image is shifted by up to four pixels before the discriminator sees it,
# real and generated ones alike, so that it rarely sees the same image twice.
# (*Both* kinds, and in the generator's step as well: otherwise the generator
# would learn to make shifted images.) This is DiffAugment (Zhao et al., 2020).
# ganvas does it by default below 5,000 images; `--augment shift+colour` changes
# colours too, and `--augment-target` adapts the probability (ADA).


# %%
def moved(images: torch.Tensor, most: int = 4) -> torch.Tensor:
    """Shift every image by up to so many pixels; the edge is repeated."""
    side = images.shape[-1]
    padded = pad(images, (most,) * 4, mode="replicate")
    places = torch.randint(0, 2 * most + 1, (len(images), 2))
    return torch.stack(
        [
            p[:, y : y + side, x : x + side]
            for p, (y, x) in zip(padded, places.tolist())
        ]
    )


unsure, shown = play(players(), few, STEPS, moved)
lesson.plot(
    unsure,
    "probability of being real",
    {"guessing": 0.5},
    smoothed=30,
    ylim=(0, 1),
)
for step, images in shown.items():
    lesson.show(images, f"step {step:,}")

# %% [markdown]
# The curves move apart here, too, later and more slowly. Augmentation delays
# overfitting; it does not cure it. More images do.

# %% tags=["question"] question="nearer-to-chance"
# Whose discriminator is nearer to chance after the same number of steps: that
# of the run with augmentation, or that without? "with" or "without"
answer = None


def gap(outputs: dict[str, list[float]]) -> float:
    """The difference of outputs for real and generated images, so far on."""
    last = slice(PROBLEM_STEPS * 3 // 4, PROBLEM_STEPS)
    return float(
        np.mean(outputs["real"][last]) - np.mean(outputs["generated"][last])
    )


lesson.check(
    "nearer-to-chance",
    answer,
    "with" if gap(unsure) < gap(sure) else "without",
    gap_with=gap(unsure),
    gap_without=gap(sure),
)

# %% [markdown]
# ## All of them
#
# Now everything: faces, fruit, flags, houses. This is the harder task, because
# the images have so little in common. ganvas's `dcgan` has the same
# architecture. ganvas times your machine and chooses width and batch size for
# the time budget, averages the generator's weights, augments images, and a
# doctor watches. `compact` is its default, made for minutes on small machines.
# For images in colour its discriminator also looks through a network that has
# learnt to tell a thousand kinds of objects apart, and that ganvas brings along
# (Projected GAN: Sauer et al., 2021).


# %%
def trained(model: str, source: str = "emoji", **options: object) -> str:
    """Train this model, print what ganvas says, and return its folder."""
    folder = f"{FOLDER}/{model}"
    for event in ganvas.train(
        source, out=folder, model=model, size="32", seed=0, **options
    ):
        if isinstance(event, Planned | Diagnosis | Treatment):
            print(event.sentence)
    return folder


runs = {
    model: trained(model, only=WHICH, **ALL) for model in ("dcgan", "compact")
}
for model, folder in runs.items():
    lesson.show(ganvas.load(folder).sample(20, seed=0), model)

# %% [markdown]
# Twenty images easily deceive the eye. Metrics use thousands: *precision* is
# the share of generated images that lie among real ones, *coverage* the share
# of real ones that have a generated one near. A collapsed GAN can have a high
# precision, but its coverage is low. A network that taught a discriminator
# cannot judge its generator, so another one does: VGG-19.


# %%
def report(folder: str, count: int):
    *_, last = ganvas.evaluate(folder, count=count)
    return last.report


reports = {model: report(folder, SAMPLES) for model, folder in runs.items()}
rows = [
    {
        "model": model,
        "Fréchet distance": f"{r.scores.frechet:.0f}",
        "precision": f"{r.scores.precision:.2f}",
        "coverage": f"{r.scores.coverage:.2f}",
    }
    for model, r in reports.items()
]
halves = next(iter(reports.values())).ceiling
rows.append(
    {
        "model": "real ones, half against half",
        "Fréchet distance": f"{halves.frechet:.0f}",
        "precision": f"{halves.precision:.2f}",
        "coverage": f"{halves.coverage:.2f}",
    }
)
lesson.table(rows)

# %% [markdown]
# Read the table like this. The last row is what a perfect generator would get.
# Both models are far from it: a minute and a half is short. (If there is a
# lattice of dots in `dcgan`'s images, that is why: its up-convolutions have not
# learnt to be even yet.) `compact` is nearer to the real images than `dcgan`,
# and covers more of them. Its precision may be the lower of the two: it tries
# more kinds of images.
#
# ## High resolution
#
# At 32 x 32 a discriminator sees little detail, and so the generator has little
# to learn. The larger the images, the easier it is to separate real from fake
# by some detail, and the less the gradient says about the image as a whole. Two
# methods solve this.
#
# **Progressive growing** (Karras et al., 2018): start with 4 x 4 pixels, which
# show only the main colours. When those are right, add layers for 8 x 8, then
# 16 x 16, fading them in. **Multi-scale gradients** (Karnewar and Wang, 2020):
# generate at all sizes at once and show the discriminator all of them, so that
# gradients reach every layer directly. StyleGAN adds styles to the second idea.
# The [next notebook](stylegan.ipynb) shows what each is for. Here is the first:


# %%
def growth(folder: str, count: int = 10) -> list[torch.Tensor]:
    """The same images as the layers for each size generate them."""
    generator = ganvas.load(folder).generator
    latents = torch.randn(count, generator.latent)
    with torch.no_grad():
        return generator.growth(latents)


pyramid = growth(trained("progressive", "digits", **GROWING))
for view in pyramid:
    lesson.show(view, f"{view.shape[-1]} x {view.shape[-1]}")

# %% [markdown]
# The same ten images at all sizes: first where there is ink, then strokes, then
# which digit it is, if it is one. What can be read at 32 x 32 can be read at 16
# x 16; the last layers only make it smooth.
#
# Does it pay off? Not at once: such a model computes more for each image, and
# in minutes on a processor the plain architectures above are ahead. Growing is
# for larger images and longer runs than in a lesson: its authors generated
# faces of 1024 x 1024, in days.

# %% tags=["question"] question="doublings"
# How many times do the sides double from 4 x 4 to 32 x 32?
answer = None
sides = [view.shape[-1] for view in pyramid]
lesson.check("doublings", answer, len(sides) - 1, sides=sides)

# %% [markdown]
# ## Your turn
#
# * Which other kinds of emoji are there? `only="*/1f1*"` are flags,
#   `only="*/1f3*"` places and sports. Which does the DCGAN learn best in the
#   same time, and why?
# * Shift images by up to eight pixels, or by one. Which is better for so few
#   images?
# * Use a kernel of 3 in `up`, with `output_padding=1`, and look for the
#   checkerboard.

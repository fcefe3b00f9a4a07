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
# The fully connected GAN of [gan_pytorch](gan_pytorch.ipynb) joins every pixel with every unit.
# For grey images of 28 x 28 that will do. Here are its limits, what convolutions do about them,
# and then what takes over where convolutions alone do not suffice: many pixels.
#
# **Before you begin:**

# %% tags=["question"] answer="both"
# Which parts of a DCGAN have convolutions? "generator", "discriminator" or "both"
answer = None
before_1 = answer

# %% tags=["budget"] small={"STEPS": 24, "PROBLEM_STEPS": 24, "ALL": {"images": 2000}, "WHICH": "*/1f6*", "SAMPLES": 150, "GROWING": {"images": 2000}}
PROBLEM_STEPS = 750  # of the DCGAN that learns its images by heart
STEPS = 1500  # of the one that does not
ALL = {"budget": "90s"}  # of ganvas, with all emoji
WHICH = "*"  # of them
SAMPLES = 1000  # that are scored
GROWING = {"budget": "100s"}  # of the models that grow

# %%
import tempfile

import lesson
import numpy as np
import torch
from torch import nn

import ganvas
from ganvas.events import Diagnosis, Planned, Treatment

torch.manual_seed(42)
FOLDER = tempfile.mkdtemp()

# %% [markdown]
# ## Why convolutions?
#
# A fully connected layer has a weight for every pair of pixel and unit, and what it learns about a
# corner it has to learn again for every other corner. A convolution looks at a few neighbouring
# pixels with the same few weights everywhere: neighbours belong together, and an eye is an eye
# wherever it is.


# %%
def weights(layer: nn.Module) -> int:
    return sum(weight.numel() for weight in layer.parameters())


rows = []
for side in 28, 64, 128:
    dense, convolution = nn.Linear(3 * side * side, 512), nn.Conv2d(3, 64, 4, 2, 1)
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
# A discriminator's convolutions with a *stride* of 2 look at every other place: the sides are
# halved. A generator needs the opposite. An **up-convolution** (transposed convolution) takes one
# number and generates with it: the number times a small pattern, its *footprint*, is laid down on the
# larger image, the next number two pixels further, and where footprints overlap they add up.
#
# Left, the footprint of one number. In the middle, how many footprints lie on each pixel with a
# kernel of 3 and a stride of 2: one, two or four, by turns. A generator has to work against that
# pattern, and where it does not quite succeed there is a checkerboard in the image. Right, with
# a kernel of 4, a multiple of the stride: inside, four everywhere. That is why a DCGAN's kernels
# are 4 x 4.

# %%
import matplotlib.pyplot as plt


def footprints(kernel: int, places: torch.Tensor) -> np.ndarray:
    """How often each pixel is generated on, if these places (H, W) hold a number."""
    layer = nn.ConvTranspose2d(1, 1, kernel, stride=2, padding=1, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        return layer(places[None, None])[0, 0].numpy()


single = torch.zeros(5, 5)
single[2, 2] = 1
generated_images = {
    "one number, kernel 4": footprints(4, single),
    "all numbers, kernel 3": footprints(3, torch.ones(5, 5)),
    "all numbers, kernel 4": footprints(4, torch.ones(5, 5)),
}
figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
for axis, (title, counts) in zip(axes, generated_images.items()):
    axis.imshow(counts, cmap="Blues", vmin=0, vmax=4)
    axis.set(title=title, xticks=[], yticks=[])
    for (row, column), count in np.ndenumerate(counts):
        axis.text(column, row, f"{count:g}", ha="center", va="center", fontsize=7)
plt.show()

# %% tags=["question"] answer=16
# How many pixels does one number generate on with a kernel of 4 x 4?
answer = None
lesson.check(answer, int((generated_images["one number, kernel 4"] > 0).sum()), "four by four.")

# %% [markdown]
# <details><summary>The answer</summary>
# 16, of which it shares all but those at the very edge with its neighbours.
# </details>
#
# ## One kind of image: people
#
# The emoji are 3,391 small images of everything. A GAN has an easier task when all images are
# of one kind, so here are the people first: `only` chooses by file name, and 1f468, 1f469 and
# 1f9d1 are the codes of a man, a woman and a person.

# %%
people = np.concatenate(
    [ganvas.images("emoji", size="32", only=f"*/{code}*") for code in ("1f468", "1f469", "1f9d1")]
)
lesson.show(people[:: len(people) // 20][:20], f"{len(people)} people")

# %% [markdown]
# ## A DCGAN, written out
#
# The guidelines of Radford, Metz and Chintala (2016): convolutions with strides in place of
# pooling, batch normalisation in both players but not at the image itself, ReLU in the generator
# and LeakyReLU in the discriminator, no fully connected layers but at the ends, weights that begin
# small.

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
    """A generator and a discriminator that have learnt nothing yet."""
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
    name: sum(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in network)
    for name, network in {"generator": generator, "discriminator": discriminator}.items()
}
print("convolutions:", kinds)
lesson.check(
    before_1,
    "both" if all(kinds.values()) else "one",
    "one generates with them, the other looks with them.",
)

# %% [markdown]
# The game is that of the first notebook. Only what the discriminator is shown can be varied first,
# which is needed in a moment. The verdicts are kept: how likely it thinks real images to be
# real, and generated ones.

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
    """The game: the verdicts at every step, and images of the same latents at four moments."""
    generator, discriminator = players
    optimizer_g = torch.optim.Adam(generator.parameters(), rate, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), rate, betas=(0.5, 0.999))
    verdicts, shown = {"real": [], "generated": []}, {}
    moments = {steps * quarter // 4 for quarter in (1, 2, 3, 4)}
    for step in range(1, steps + 1):
        real = images[torch.randint(len(images), (batch,))]
        fake = generator(torch.randn(batch, LATENT))
        on_real, on_fake = discriminator(varied(real)), discriminator(varied(fake.detach()))
        # softplus(-s) and softplus(s) are binary cross-entropy of a score s with 1 and with 0.
        loss = (softplus(-on_real) + softplus(on_fake)).mean() / 2
        optimizer_d.zero_grad()
        loss.backward()
        optimizer_d.step()
        loss = softplus(-discriminator(varied(fake))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        verdicts["real"].append(on_real.sigmoid().mean().item())
        verdicts["generated"].append(on_fake.sigmoid().mean().item())
        if step in moments:
            generator.eval()
            with torch.no_grad():
                shown[step] = generator(FIXED)
            generator.train()
    return verdicts, shown


# %% [markdown]
# ## A problem: few images
#
# Five hundred images are few. The discriminator soon knows every one of them by heart, and then
# it is **too strong**: whatever it does not know must be generated, it is sure of that, and a
# generator learns little from someone who is always sure.


# %%
def unvaried(images: torch.Tensor) -> torch.Tensor:
    return images


few = torch.from_numpy(people).permute(0, 3, 1, 2)
sure, shown = play((generator, discriminator), few, PROBLEM_STEPS, unvaried)
lesson.plot(sure, "probability of being real", {"guessing": 0.5}, smoothed=30, ylim=(0, 1))
lesson.show(shown[PROBLEM_STEPS], f"step {PROBLEM_STEPS:,}")

# %% [markdown]
# ## The cure: vary what the discriminator is shown
#
# Each image is moved by up to four pixels before the discriminator sees it, real ones and
# generated ones alike, so that it rarely sees the same twice. (*Both* kinds, and in the
# generator's step as well: otherwise a generator would learn to generate moved images.) That is
# Zhao and others' idea of 2020. ganvas does so by itself below 5,000 images; `--augment
# shift+colour` varies colours too, and `--augment-target` only as many images as it takes.


# %%
def moved(images: torch.Tensor, most: int = 4) -> torch.Tensor:
    """Every image moved by up to so many pixels; the edge is repeated."""
    side = images.shape[-1]
    padded = pad(images, (most,) * 4, mode="replicate")
    places = torch.randint(0, 2 * most + 1, (len(images), 2))
    return torch.stack(
        [p[:, y : y + side, x : x + side] for p, (y, x) in zip(padded, places.tolist())]
    )


unsure, shown = play(players(), few, STEPS, moved)
lesson.plot(unsure, "probability of being real", {"guessing": 0.5}, smoothed=30, ylim=(0, 1))
for step, images in shown.items():
    lesson.show(images, f"step {step:,}")

# %% tags=["question"] answer="varied"
# Whose discriminator is nearer to guessing in the end: the "unvaried" one's or the "varied" one's?
answer = None


def gap(verdicts: dict[str, list[float]]) -> float:
    """What lies between its verdicts on real and on generated images, after PROBLEM_STEPS."""
    last = slice(PROBLEM_STEPS * 3 // 4, PROBLEM_STEPS)
    return float(np.mean(verdicts["real"][last]) - np.mean(verdicts["generated"][last]))


lesson.check(
    answer,
    "varied" if gap(unsure) < gap(sure) else "unvaried",
    f"its verdicts are {gap(unsure):.2f} apart, the other's {gap(sure):.2f}.",
)

# %% [markdown]
# <details><summary>The answer</summary>
# The one whose images vary. It knows what people have in common, and not each of them.
# </details>
#
# ## All of them
#
# Now everything: faces, fruit, flags, houses. That is the harder task, since there is so little in
# common. ganvas's `dcgan` is the same architecture; what it adds is around it: it times your
# machine and chooses width and batch for the time, averages the generator's weights over time,
# varies images, and a doctor watches. `compact` is its default, which is made for minutes on
# small machines.


# %%
def trained(model: str, source: str = "emoji", **options: object) -> str:
    """The folder of a run of this model, after telling what it planned and what went wrong."""
    folder = f"{FOLDER}/{model}"
    for event in ganvas.train(source, out=folder, model=model, size="32", seed=0, **options):
        if isinstance(event, Planned | Diagnosis | Treatment):
            print(event.sentence)
    return folder


runs = {model: trained(model, only=WHICH, **ALL) for model in ("dcgan", "compact")}
for model, folder in runs.items():
    lesson.show(ganvas.load(folder).sample(20, seed=0), model)

# %% [markdown]
# The eye is easily deceived by twenty images. A score looks at thousands: *precision* is the
# share of generated images that lie among real ones, *coverage* the share of real ones that have
# a generated one near. A GAN that has collapsed can be precise, but covers nothing.


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
# ## Many pixels
#
# At 32 x 32 a discriminator cannot see much, and so the generator has to learn little. The larger
# the images, the easier it is to tell both kinds apart from some detail, and the less does the
# gradient say about the image as a whole. Two cures go round that.
#
# **Progressive growing** (Karras et al., 2018): begin with 4 x 4 pixels, where there is nothing
# but the main colours, and when those are right, add layers for 8 x 8, then 16 x 16, fading them
# in. **Multi-scale gradients** (Karnewar and Wang, 2020): generate at all sizes at once, let the
# discriminator see all, and let gradients reach every layer directly. In ganvas they are `--model
# progressive` and `--model msg`; `--model stylegan` adds styles to the second idea.


# %%
def growth(folder: str, count: int = 10) -> list[torch.Tensor]:
    """The same images as the layers for each size generate them, from 4 x 4 on."""
    generator = ganvas.load(folder).generator
    latents = torch.randn(count, generator.latent)
    with torch.no_grad():
        return generator.growth(latents)


pyramid = growth(trained("progressive", "digits", **GROWING))
for view in pyramid:
    lesson.show(view, f"{view.shape[-1]} x {view.shape[-1]}")

# %% [markdown]
# The same ten digits at all sizes: where there is ink, then strokes, then which digit it is. A 3
# is a 3 at 16 x 16, and the last layers only make it smooth.
#
# And people, by multi-scale gradients:

# %%
for view in growth(trained("msg", only="*/1f46[89]*", **GROWING)):
    lesson.show(view, f"{view.shape[-1]} x {view.shape[-1]}")

# %% [markdown]
# Colours are chosen at 4 x 4. Does it pay? Not at once: what grows computes more for each image,
# and in minutes on a processor the plain architectures above are ahead. These are for images and
# times larger than a lesson's; the people who thought of them generated faces of 1024 x 1024 with
# them, in days.

# %% tags=["question"] answer=3
# How many times do the sides double from 4 x 4 to 32 x 32?
answer = None
sides = [view.shape[-1] for view in pyramid]
lesson.check(answer, len(sides) - 1, f"it generates {sides}.")

# %% [markdown]
# <details><summary>The answer</summary>
# Three times: 4, 8, 16, 32.
# </details>
#
# ## Your turn
#
# * Which other kinds of emoji are there? `only="*/1f1*"` are flags, `only="*/1f3*"` places and
#   sports. Which does the DCGAN learn best in the same time, and why?
# * Move images by up to eight pixels, or by one. Which suits so few?
# * Put a kernel of 3 into `up`, with `output_padding=1`, and look for the checkerboard.

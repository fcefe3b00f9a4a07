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
# # Growing, and styles
#
# The [notebook about convolutions](dcgan.ipynb) ends with high resolution: the
# more pixels, the easier it is to separate real from fake by some detail, and
# the less the generator learns about the image as a whole. Three ideas made
# faces of 1024 x 1024 pixels possible. Here you see each of them do what it is
# for, on images that a processor can learn in a few minutes. At the end a
# variational autoencoder, which came first, gets the same data and the same
# time.
#
# **Before you begin**, two questions. Guess; the code will check your answers.

# %% tags=["question"] question="growing-starts"
# With how many pixels a side does progressive growing start?
answer = None
before_1 = answer

# %% tags=["question"] question="blurred"
# Whose images are more blurred after the same time, those of the GAN or of the
# VAE? "GAN" or "VAE"
answer = None
before_2 = answer

# %% tags=["budget"]
GROWING = {"budget": "2m"}  # of training the model that grows
SCALES = {"budget": "3m"}  # of the one with multi-scale gradients
STYLES = {"budget": "6m"}  # of the one with styles
COMPARED = {"budget": "60s"}  # of a GAN and of a VAE
MIXED = 40  # pairs of images whose styles are mixed
COARSE = 4  # layers of 8 with the styles of the first image of a pair

# %% tags=["set-up"]
import os
import sys
import tempfile
from pathlib import Path

import torch
from torch.nn.functional import adaptive_avg_pool2d, pdist

import ganvas
from ganvas import lesson
from ganvas.evaluation.features import DigitsClassifier
from ganvas.evaluation.metrics import frechet_distance
from ganvas.events import Diagnosis, Planned, Treatment
from ganvas.generate.style_mixing import cross

torch.manual_seed(42)
FOLDER = tempfile.mkdtemp()
os.chdir(FOLDER)  # everything below is written here
beside = Path(sys.executable).parent  # the command `ganvas`, for the shell
os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ['PATH']}"
digits = torch.from_numpy(ganvas.images("digits", size="32"))
digits = digits.permute(0, 3, 1, 2)


def trained(model: str, source: str = "digits", **options: object) -> str:
    """Train this model, print what ganvas says, and return its folder."""
    folder = f"{FOLDER}/{model}"
    for event in ganvas.train(
        source, out=folder, model=model, size="32", seed=0, **options
    ):
        if isinstance(event, Planned | Diagnosis | Treatment):
            print(event.sentence)
    return folder


# %% tags=["diagram"]
lesson.diagram("growing")

# %% [markdown]
# ## Progressive growing
#
# Start with images so small that they hold only the main colours, and both
# players learn them quickly. Then add layers for twice the side, and fade them
# in: at first the new layers' output counts for little, at the end for all
# (Karras et al., 2018). At every size the large shapes are already right, and
# only the new detail has to be learnt. Most of the training happens at small
# sizes, so it is faster, too.

# %%
growing = trained("progressive", **GROWING)

# %% [markdown]
# The film shows the same latents during training. Squares become strokes, and
# strokes become digits; where the size doubles, the picture gets sharper.

# %%
lesson.film(f"{growing}/progress.gif")

# %%
grown = ganvas.load(growing).growth([*range(10)])
for view in grown:
    lesson.show(view, f"{view.shape[-1]} x {view.shape[-1]}")

# %% tags=["check"]
lesson.check("growing-starts", before_1, grown[0].shape[-1])

# %% [markdown]
# ## Multi-scale gradients
#
# Growing has settings of its own: how long each size lasts, and how long it
# takes to fade in. Multi-scale gradients (Karnewar and Wang, 2020) need none.
# The generator outputs an image at every size, all the time, and the
# discriminator sees all of them. So the gradient reaches every layer directly,
# and not through all the layers above it. Here are people among the emoji:

# %%
scales = trained("msg", "emoji", only="*/1f46[89]*", **SCALES)
views = ganvas.load(scales).growth([*range(10)])
for view in views:
    lesson.show(view, f"{view.shape[-1]} x {view.shape[-1]}")

# %% [markdown]
# The image of 4 x 4 is light and dark where the one of 32 x 32 is. Its colours
# can still differ: after so short a training the sizes agree only roughly.
# Nothing forces the sizes to agree, except that the discriminator sees them
# together.
#
# ## Styles
#
# In the generators so far the latent enters at the bottom, and everything else
# follows. StyleGAN (Karras et al., 2019) puts it in at *every* size. First a
# *mapping network* turns the latent into a style: a vector that need not be
# distributed like the latents, so that directions in it can mean something.
# Then, at each layer, the style says how strong each channel is. Noise, added
# at each layer as well, is for details that are chance: the exact place of a
# hair, or the edge of a stroke.

# %%
styles = ganvas.load(trained("stylegan", **STYLES))
lesson.show(styles.sample(20, seed=0), "stylegan")

# %% [markdown]
# ### Mixing styles
#
# If every layer gets a style, then not all of them need to get the same one. In
# the grid below, the coarse layers of each row have the style of the image at
# its left, and the fine layers of each column that of the image at its top.

# %%
left, top = styles.styles([*range(4)]), styles.styles([*range(4, 12)])
layers = left.shape[1]
mixed = cross(left, top, range(layers // 2, layers))
blank = torch.ones_like(styles.from_styles(left[:1]))
rows = [torch.cat([blank, styles.from_styles(top)])]
for own, row in zip(styles.from_styles(left), mixed):
    rows.append(torch.cat([own[None], styles.from_styles(row)]))
lesson.show(torch.cat(rows), "rows: shape; columns: strokes", columns=9)

# %% [markdown]
# Along a row the shape stays nearly the same, and in its place. What the
# columns change is the stroke. Which layers hold what can be measured: mix many
# pairs, and compare the result with both, reduced to 4 x 4 pixels.

# %%
a = styles.styles([*range(100, 100 + MIXED)])
b = styles.styles([*range(500, 500 + MIXED)])
both = torch.cat([a[:, :COARSE], b[:, COARSE:]], 1)
coarse = [
    adaptive_avg_pool2d(styles.from_styles(each), 4) for each in (both, a, b)
]
of_a, of_b = (
    (coarse[0] - other).square().mean().sqrt().item() for other in coarse[1:]
)
print(f"distance from A, of the coarse styles: {of_a:.2f}; from B: {of_b:.2f}")

# %% tags=["question"] question="coarse-styles"
# Styles of the coarsest layers come from image A, all others from image B. From
# which does the result take its shape? "A" or "B"
answer = None
lesson.check(
    "coarse-styles", answer, "A" if of_a < of_b else "B", of_a=of_a, of_b=of_b
)

# %% [markdown]
# ### Truncation
#
# A style can be moved towards the mean of all styles. At 1 it stays; at 0 every
# image is that of the mean style. In between images are more typical, which
# mostly means cleaner, and more alike.

# %%
distances = {}
for truncation in (1.0, 0.7, 0.4, 0.0):
    images = styles.generate([*range(200)], truncation=truncation)
    distances[truncation] = pdist(images.flatten(1)).mean().item()
    lesson.show(
        images[:10],
        f"truncation {truncation:g}: two images differ by"
        f" {distances[truncation]:.1f} on average",
    )

# %% tags=["question"] question="truncation"
# Does stronger truncation give images that differ more or less? "more" or
# "less"
answer = None
lesson.check(
    "truncation",
    answer,
    "less" if distances[0.4] < distances[1.0] else "more",
    full=distances[1.0],
    truncated=distances[0.4],
)

# %% [markdown]
# That is the same trade as between precision and coverage: truncation raises
# the first and lowers the second. Figures that were made with truncation are
# not comparable with figures that were not.
#
# ## And a variational autoencoder
#
# A VAE (Kingma and Welling, 2014) also turns latents into images. It has no
# opponent: an *encoder* turns each image into a distribution of latents, the
# *decoder* turns latents back into the image, and the loss is the difference of
# the two images, plus a term that keeps the latents near N(0, 1). It trains
# steadily, and its loss falls. The same digits and the same time, for both:

# %%
makers = {
    name: ganvas.load(trained(name, **COMPARED)) for name in ("compact", "vae")
}
of_gan, of_vae = (maker.sample(2000, seed=0) for maker in makers.values())
lesson.show(of_gan[:20], "a GAN: compact")
lesson.show(of_vae[:20], "a VAE")

# %%
eye = DigitsClassifier.load()


def roughness(images: torch.Tensor) -> float:
    """The mean difference of neighbouring pixels; blurred images have less."""
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    return ((across + down) / 2).item()


seen = eye.features(digits)
sets = {"real": digits[:2000], "GAN": of_gan, "VAE": of_vae}
rough = {name: roughness(images) for name, images in sets.items()}
frechet = {
    name: frechet_distance(seen, eye.features(images))
    for name, images in sets.items()
}
lesson.table(
    [
        {
            "images": name,
            "difference of neighbours": f"{rough[name]:.3f}",
            "Fréchet distance": f"{frechet[name]:.1f}",
        }
        for name in sets
    ]
)

# %% tags=["check"]
lesson.check(
    "blurred",
    before_2,
    min(("GAN", "VAE"), key=rough.get),
    gan=rough["GAN"],
    vae=rough["VAE"],
    real=rough["real"],
)

# %% [markdown]
# A VAE's images are blurred, because the image nearest to several possible ones
# is their mean. What it has and a GAN lacks is the encoder: it can find the
# latent of an image that you give it.
#
# ## With more time
#
# What you have seen took minutes. ganvas brings along a generator of emoji that
# learnt for longer, on a small machine as well; the
# [gallery](../docs/gallery/index.md) says how long. A walk leads through its
# latents, from one image to the next:

# %%
emoji = ganvas.load("emoji")
lesson.show(emoji.sample(30, seed=1), "the generator of emoji", columns=10)

# %% language="bash"
# ganvas walk emoji --seeds 3,14,15,92 --frames 24 --out walk.gif

# %%
lesson.film("walk.gif")

# %% [markdown]
# ## Your turn
#
# * Mix other layers: `ganvas mix RUN --layers 0-1` takes the coarsest from the
#   columns. What do the middle ones hold?
# * Train `--model stylegan` on your own portraits, for a night.
# * Which of the four models is best on your images in ten minutes? `ganvas
#   evaluate` compares them.

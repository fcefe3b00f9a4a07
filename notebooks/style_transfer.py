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
# # Style transfer
#
# A photograph and a painting go in; an image comes out that shows what the
# photograph shows, in the style of the painting. No network is trained for it.
# A pretrained classifier only extracts features, and what changes is the image:
# pixel by pixel, until its features are the wanted ones (Gatys, Ecker and
# Bethge, 2016).

# %% [markdown]
# **Before you begin:**

# %% tags=["question"] question="what-changes"
# What does gradient descent change in style transfer? "network", "image" or
# "painting"
answer = None
before_1 = answer

# %% tags=["budget"]
SIDE = 192  # pixels, of the longer side
LARGE = 384  # the same, for the large images at the end
ITERATIONS = 100  # of every stage
SHOWN = 5  # images of each, as it evolves

# %% tags=["set-up"]
import time

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import ganvas
from ganvas import lesson
from ganvas.pretrained.examples import EXAMPLES
from ganvas.pretrained.vgg19 import VGG19

torch.manual_seed(42)
WHOLE = {
    name: Image.open(path).convert("RGB") for name, path in EXAMPLES.items()
}


def resized(image: Image.Image, side: int) -> Tensor:
    """An image (1, 3, H, W) in [0, 1] with this longer side."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(lesson.pixels(small)).permute(2, 0, 1)[None]


photograph, painting = (
    resized(WHOLE["moose"], SIDE),
    resized(WHOLE["night_cafe"], SIDE),
)
lesson.row({"the photograph": photograph, "the painting": painting})

# %% tags=["diagram"]
lesson.diagram("style-losses")

# %% [markdown]
# ## What a network sees
#
# VGG-19 was trained to classify a thousand kinds of objects (Simonyan and
# Zisserman, 2014). Each layer responds to something else: the first one to
# edges and colours, exactly where they are; deeper ones to textures, then to
# parts of objects, less and less exactly localised. Here are the first channels
# of some of its layers for the photograph.

# %%
network = VGG19.load()
seen = network(photograph, ("relu1_1", "relu2_1", "relu3_1", "relu4_2"))
figure, axes = plt.subplots(
    len(seen), 6, figsize=(8, 4.4), layout="constrained"
)
for row, (layer, activations) in zip(axes, seen.items()):
    for axis, channel in zip(row, activations[0]):
        axis.imshow(channel, cmap="magma")
        axis.set_axis_off()
    _, channels, height, width = activations.shape
    row[0].set_title(
        f"{layer}: {channels} channels of {height} x {width}",
        fontsize=8,
        loc="left",
    )
plt.show()

# %% [markdown]
# ## The image is what is optimised
#
# One loop serves everything that follows: compute the loss of an image, and
# take a gradient step on its pixels. After each step the pixels are clipped to
# [0, 1]. Otherwise values leave the range during the optimisation, and the
# saved image is not the one that was optimised.


# %%
def optimise(
    start: Tensor, loss, iterations: int = ITERATIONS, rate: float = 0.02
) -> tuple[Tensor, list[float], dict[str, Tensor]]:
    """Minimise a loss over pixels; return result, losses, and images."""
    canvas = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([canvas], rate)
    moments = {iterations * n // (SHOWN - 1) for n in range(SHOWN)}
    losses, evolution = [], {"0": start}
    for iteration in range(1, iterations + 1):
        optimizer.zero_grad()
        value = loss(canvas)
        value.backward()
        optimizer.step()
        with torch.no_grad():
            canvas.clamp_(0, 1)
        losses.append(value.item())
        if iteration in moments:
            evolution[f"{iteration}"] = canvas.detach().clone()
    return canvas.detach(), losses, evolution


NOISE = torch.rand(photograph.shape, generator=torch.Generator().manual_seed(0))

# %% [markdown]
# ## Content
#
# Two images show the same things when a deep layer has nearly the same
# activations for both. The **content loss** is the mean squared difference of
# these activations. Starting from noise, it alone reconstructs the photograph,
# but not every pixel of it: noise that the layer does not see stays.


# %%
def content_loss(layer: str, photograph: Tensor = photograph):
    """The distance from the photograph in a layer's activations."""
    wanted = network(photograph, (layer,))[layer].detach()
    return lambda canvas: F.mse_loss(network(canvas, (layer,))[layer], wanted)


weights_before = network.convolutions[0].weight.clone()
by_content, losses, evolution = optimise(NOISE, content_loss("relu4_2"))
lesson.row(evolution, "content alone, iteration by iteration")
same = torch.equal(weights_before, network.convolutions[0].weight)
moved = not torch.equal(by_content, NOISE)

# %% tags=["check"]
lesson.check("what-changes", before_1, "image" if same and moved else "network")

# %% [markdown]
# Which layer? A shallow one fixes every pixel and leaves no room for style. A
# deep one leaves the freedom that style needs.

# %%
by_layer = {
    layer: optimise(NOISE, content_loss(layer))[0]
    for layer in ("relu1_1", "relu2_1", "relu3_1")
}
by_layer["relu4_2"] = by_content
lesson.row(by_layer, "content at four layers")
errors = {
    layer: F.mse_loss(image, photograph).item()
    for layer, image in by_layer.items()
}
for layer, error in errors.items():
    print(f"{layer}: mean squared error of the pixels {error:.4f}")

# %% tags=["question"] question="exact-layer"
# Which layer reconstructs the photograph most exactly?
answer = None
lesson.check("exact-layer", answer, min(errors, key=errors.get))

# %% [markdown]
# ## Style
#
# Style is what remains when *where* things are is ignored: which features
# occur, and which occur together. A **Gram matrix** measures that. It has a
# number for every pair of channels: the mean of their product over all
# positions. Yellow next to swirls gives a large number wherever it is in the
# image.


# %%
def gram(activations: Tensor) -> Tensor:
    """(1, C, H, W) to (C, C): how much channels occur together."""
    flat = activations[0].flatten(1)
    return flat @ flat.T / flat.shape[1]


STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
grams = {
    name: gram(network(p, ("relu2_1",))["relu2_1"])[:48, :48]
    for name, p in {"photograph": photograph, "painting": painting}.items()
}
grams["their difference"] = grams["painting"] - grams["photograph"]
for axis, (name, matrix) in zip(axes, grams.items()):
    edge = matrix.abs().quantile(0.98).item()
    axis.imshow(matrix, cmap="coolwarm", vmin=-edge, vmax=edge)
    axis.set(title=f"{name}, relu2_1", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# The [theory](../docs/lesson/theory.md#style-transfer-three-losses) computes
# one square by square. The **style loss** compares the Gram matrices of an
# image with those of the painting, at several layers. Alone, it gives a texture
# that has everything of the painting, and nothing in its place.


# %%
def style_loss(
    layers: tuple[str, ...] = STYLE,
    photograph: Tensor = photograph,
    painting: Tensor = painting,
):
    """The distance of Gram matrices from the painting's; 1: the photograph."""
    wanted = {
        layer: gram(a).detach()
        for layer, a in network(painting, layers).items()
    }
    plain = {
        layer: F.mse_loss(gram(a), wanted[layer]).item()
        for layer, a in network(photograph, layers).items()
    }

    def loss(canvas: Tensor) -> Tensor:
        found = network(canvas, layers)
        return sum(
            F.mse_loss(gram(found[layer]), wanted[layer]) / plain[layer]
            for layer in layers
        ) / len(layers)

    return loss


textures = {
    f"up to {layers[-1]}": optimise(NOISE, style_loss(layers))[0]
    for layers in (STYLE[:1], STYLE[:2], STYLE[:3], STYLE)
}
lesson.row(textures, "style alone, with more and more layers")

# %% [markdown]
# The first layer alone holds colours and grain, in dots. With relu2_1 come
# strokes. The last three textures look much alike: at this size, and after so
# few iterations, the deeper layers add little that you can see.

# %% [markdown]
# ## Content and style together
#
# The losses are added, each with a weight. The weights balance style and
# content, and there is no right value: this is the **sensitivity** to settings
# again. Three weights of style, everything else equal:

# %%
content, style = content_loss("relu4_2"), style_loss()
unrelated = content(NOISE).item()  # so that noise has a content loss of 1


def both(weight: float, content=content, style=style):
    return lambda canvas: content(canvas) / unrelated + weight * style(canvas)


by_weight = {
    f"style x {weight:g}": optimise(photograph, both(weight))[0]
    for weight in (0.1, 1, 10)
}
lesson.row(by_weight)

# %% [markdown]
# And from noise, where the content has to be reconstructed too. That needs less
# style:

# %%
FAINT = 0.3  # weight of style from noise
mixed, losses, evolution = optimise(NOISE, both(FAINT))
lesson.row(evolution, "content and style, from noise")
lesson.plot({f"content + {FAINT:g} x style": losses}, "the loss", yscale="log")
mixed_losses = losses

# %% [markdown]
# Unlike a GAN's, this loss falls: there is no opponent.
#
# ## And smoothness
#
# From noise, specks remain: no layer penalises a pixel much for differing from
# its neighbours. The **total-variation loss** does. It is the mean absolute
# difference of neighbouring pixels.


# %%
def variation(canvas: Tensor) -> Tensor:
    across = canvas[..., 1:] - canvas[..., :-1]
    down = canvas[..., 1:, :] - canvas[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def all_three(weight: float, content=content, style=style):
    return lambda canvas: (
        both(weight, content, style)(canvas) + 3 * variation(canvas)
    )


smooth, losses, evolution = optimise(NOISE, all_three(FAINT))
lesson.row(evolution, "all three losses, from noise")
began = time.monotonic()
from_photograph, _, _ = optimise(photograph, all_three(3))
seconds = time.monotonic() - began
lesson.row(
    {
        "without variation loss": mixed,
        "with it": smooth,
        "from the photograph, style x 3": from_photograph,
    }
)

# %% tags=["question"] question="variation"
# Do neighbouring pixels differ more or less with the third loss? "more" or
# "less"
answer = None
without, having = variation(mixed).item(), variation(smooth).item()
lesson.check(
    "variation",
    answer,
    "less" if having < without else "more",
    without=without,
    having=having,
)

# %% [markdown]
# ## A large image
#
# High **resolution** is a problem here, too. The layers see a few dozen pixels
# at once, however large the image is, so brush strokes keep their size in
# pixels: in a large image they are tiny. The same painting, the same weights,
# and twice as many pixels each way:

# %%
wide_photograph, wide_painting = (
    resized(WHOLE["moose"], LARGE),
    resized(WHOLE["night_cafe"], LARGE),
)
wide_content = content_loss("relu4_2", wide_photograph)
wide_style = style_loss(STYLE, wide_photograph, wide_painting)
began = time.monotonic()
wide, _, _ = optimise(wide_photograph, all_three(3, wide_content, wide_style))
wide_seconds = time.monotonic() - began
lesson.row({f"{SIDE} pixels": from_photograph, f"{LARGE} pixels": wide})

# %% [markdown]
# ## What ganvas does
#
# * **Size.** It works coarse to fine: first a small image, where brush strokes
#   are large, then larger ones that start from it.
# * **Weights** depend on image and size. ganvas measures its losses in units of
#   the photograph's own distance, so that one strength suits every pair.
# * **Gram matrices** mix up the mean of a feature and its variation. ganvas
#   compares means and covariances separately, by the Wasserstein distance of
#   Gaussians.
#
# The same images, with only the size set:


# %%
def repainted(side: int) -> tuple[Tensor, float]:
    """The photograph, stylized by ganvas, and the seconds that it took."""
    began = time.monotonic()
    *_, last = ganvas.stylize(
        resized(WHOLE["moose"], side)[0],
        resized(WHOLE["night_cafe"], side)[0],
        size=side,
    )
    return last.image[None], time.monotonic() - began


(by_ganvas, ganvas_seconds), (wide_ganvas, wide_ganvas_seconds) = map(
    repainted, (SIDE, LARGE)
)
lesson.row({f"{SIDE} pixels": by_ganvas, f"{LARGE} pixels": wide_ganvas})

# %% [markdown]
# The same metrics for all of them: the style loss above, of the image reduced
# to the small size (1 for the photograph, 0 for the painting), and how much of
# the photograph a deep layer still sees (the cosine similarity of its
# activations, 1 for the photograph itself). At the small size the loop written
# out here is at an advantage, because it minimises exactly that style loss.


# %%
def score(image: Tensor) -> tuple[float, float]:
    """Its style loss, and the cosine similarity of its content."""
    image = F.interpolate(
        image, photograph.shape[2:], mode="bilinear", antialias=True
    )
    (found,) = network(image, ("relu4_2",)).values()
    (wanted,) = network(photograph, ("relu4_2",)).values()
    return style(image).item(), F.cosine_similarity(found, wanted).mean().item()


compared = {
    (SIDE, "the photograph"): (photograph, 0.0),
    (SIDE, "written out above"): (from_photograph, seconds),
    (SIDE, "ganvas.stylize"): (by_ganvas, ganvas_seconds),
    (LARGE, "written out above"): (wide, wide_seconds),
    (LARGE, "ganvas.stylize"): (wide_ganvas, wide_ganvas_seconds),
}
scores = {which: score(image) for which, (image, _) in compared.items()}
lesson.table(
    [
        {
            "pixels": side,
            "": name,
            "seconds": f"{took:.0f}" if took else "",
            "style, lower is better": f"{scores[side, name][0]:.3f}",
            "content, higher is better": f"{scores[side, name][1]:.3f}",
        }
        for (side, name), (_, took) in compared.items()
    ]
)

# %% [markdown]
# Read the table like this. In these two numbers the loop is ahead: it minimises
# exactly that style loss at the small size, and at both sizes it keeps a little
# more of the content. ganvas takes less time. What the numbers do not say is
# how large brush strokes are. Look at both large images again: the loop's
# strokes are half as large as in its small image, and those of ganvas are not.
#
# ## Your turn
#
# * Repaint a photograph of yours:
#   `resized(Image.open("photo.jpg").convert("RGB"), SIDE)`.
# * Take content from two layers at once. What changes?
# * Start from the painting instead of the photograph.

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
# # Your own images
#
# The whole workflow, with the commands that you would type: from a folder of
# images through training to new images, and then style transfer on one of them.
# Put your folder into the next cell; without one, the people among the emoji
# stand in.
#
# **Before you begin:**

# %% tags=["question"] question="hundred-images"
# A hundred images of one kind: are they few, good or plenty for a GAN? "few",
# "good" or "plenty"
answer = None
before_1 = answer

# %% tags=["budget"]
MY_IMAGES = None  # such as "/home/me/images"
LENGTH = "--for 3m"  # of training
BADLY_CHOSEN = "--for 40s"  # of training with a badly chosen learning rate
STYLE_SIZE = 192  # pixels, of the image that is repainted

# %% tags=["set-up"]
import os
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

from ganvas import lesson
from ganvas.config.resolve import FEW
from ganvas.data import DataSettings, prepare, report
from ganvas.events import result_of
from ganvas.pretrained.examples import EXAMPLES
from ganvas.runtime.assets import ASSETS

os.chdir(tempfile.mkdtemp())  # everything below is written here
beside = Path(sys.executable).parent  # the command `ganvas`, for the shell
os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ['PATH']}"


def emoji_of_people(folder: Path) -> Path:
    """A folder like yours: images, and a few files that are none."""
    folder.mkdir()
    with ZipFile(ASSETS / "emoji.zip") as archive:
        for name in archive.namelist():
            if Path(name).name[:5] in ("1f468", "1f469", "1f9d1"):
                (folder / Path(name).name).write_bytes(archive.read(name))
    (folder / "notes.txt").write_text("remember to sort these")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut by a full disk")
    return folder


images = Path(MY_IMAGES or emoji_of_people(Path("my-images")))
os.environ |= {
    "IMAGES": str(images),
    "LENGTH": LENGTH,
    "BADLY_CHOSEN": BADLY_CHOSEN,
    "STYLE_SIZE": str(STYLE_SIZE),
    "PAINTING": str(EXAMPLES["night_cafe"]),
}

# %% [markdown]
# ## 1. Look at them
#
# `ganvas data` counts the usable images and names the files that are not
# usable, before you spend time on training. The sheet shows images as the
# networks will see them: square, and small.

# %% language="bash"
# ganvas data "$IMAGES" --size 32 --sheet sheet.png

# %%
lesson.files([Path("sheet.png")], columns=1)

# %% tags=["question"] question="unusable-files"
# How many files of the stand-in folder cannot be used?
answer = None
prepared = result_of(prepare(images, DataSettings(size="32")))
refused = report(prepared).as_json()["refused"]
lesson.check("unusable-files", answer, len(refused))

# %% [markdown]
# What helps at this stage, before training:
#
# * **One kind of image.** All portraits, or all landscapes. A GAN that sees
#   both spends its time on the difference.
# * **Enough images.** A hundred are few: the discriminator soon memorises each.
#   A thousand are good. `--mirror` doubles them, if left and right do not
#   matter.
# * **A small size first.** 32 or 64 pixels show within minutes whether it works
#   at all; four times the pixels take four times as long.

# %% [markdown]
# ## 2. Train
#
# ganvas times a few steps on your machine and chooses the network that makes
# the most of the time. It writes samples and checkpoints as it goes; Ctrl-C
# saves, and `--resume` continues.

# %% language="bash"
# ganvas train "$IMAGES" --out my-run --size 32 $LENGTH

# %%
lesson.files([Path("my-run/losses.png")], columns=1)

# %% [markdown]
# Top: the losses. They vary from step to step (the thin, pale lines), and their
# means (the thick ones) drift. Neither goes to 0, and the score at the bottom
# falls, fast at first and then slowly or not at all: that is a healthy run. The
# generator's loss is the larger one because it has more terms: two
# discriminators judge its images. Below, the mean difference of the logits of
# real and generated images, which is what this loss compares, and a quick score
# of samples, where lower is better.
#
# The samples are always of the same latents, so that you can follow one image
# from noise to the end:

# %%
lesson.film("my-run/progress.gif")

# %% [markdown]
# ## 3. Read the doctor's report
#
# A doctor has watched the run. It reports what it detected, what it did, and
# whether that helped; or that nothing was wrong.

# %% language="bash"
# ganvas doctor my-run

# %% [markdown]
# And this is its report when something *is* wrong: a learning rate of 1 for the
# discriminator, where 0.02 is usual.

# %% language="bash"
# ganvas train "$IMAGES" --out too-fast --size 32 $BADLY_CHOSEN --lr-d 1

# %% language="bash"
# ganvas doctor too-fast

# %% [markdown]
# ## 4. How good is it?

# %% language="bash"
# ganvas evaluate my-run --count 500

# %% [markdown]
# Beside every score stands that of one half of the real images against the
# other: the best that you can hope for. The doctor looks at thumbnails, in
# which more samples pass for real; it says whether training goes wrong, and the
# scores say how far it has come. The [glossary](../docs/lesson/glossary.md)
# explains each of them.
#
# * `precision` is far below that of real images: to the network that judges,
#   most samples do not look like real ones yet. More time raises it.
# * `coverage` says how many of the real images have a sample near them. If it
#   is low and precision high, the generator makes a few things well.
# * `copies`: hardly a sample is nearer to a real image than other real ones
#   are. The generator has not learnt images by heart.
# * `frechet` needs thousands of images. With five hundred it is for comparing
#   two runs on the same images, and for nothing else.
#
# The strip shows the pairs that are most alike: a sample above, and the real
# image that is nearest to it below. Are they copies, or something new?

# %%
lesson.files([Path("my-run/nearest.png")], columns=1)

# %% tags=["check"]
lesson.check(
    "hundred-images", before_1, "few" if FEW > 100 else "good", few=FEW
)

# %% [markdown]
# ## 5. New images
#
# Each image has a seed. The walk interpolates from one to the next.

# %% language="bash"
# ganvas sample my-run --count 30 --grid --out new
# ganvas walk my-run --seeds 1,2,3,4 --frames 24 --out walk.gif
# ganvas sample my-run --seeds 7 --out one

# %%
lesson.files([*Path("new").iterdir()], columns=1)

# %%
lesson.film("walk.gif")

# %% [markdown]
# ## 6. Repaint one
#
# A sample is an image like any other: repaint it in the style of Van Gogh's
# night café.

# %%
from PIL import Image

sample = next(Path("one").iterdir())
with Image.open(sample) as small:
    small.convert("RGB").resize(
        (STYLE_SIZE, STYLE_SIZE), Image.Resampling.BICUBIC
    ).save("large.png")

# %% language="bash"
# ganvas style large.png "$PAINTING" --size $STYLE_SIZE --out styled.png

# %%
lesson.files([Path("large.png"), Path("styled.png")], columns=2)

# %% [markdown]
# ## 7. Keep it, give it away
#
# One small file, data and no code: anyone with ganvas can generate with it, or
# fine-tune it.

# %% language="bash"
# ganvas export my-run --out people.safetensors
# ganvas sample people.safetensors --count 4 --grid --out again

# %% [markdown]
# ## Your turn
#
# * Put your folder into the cell at the top, and run everything again.
# * Continue training with `--resume --for 10m`. Which scores improve?
# * Add `--from emoji` to a run with few images, and compare after the same
#   time.

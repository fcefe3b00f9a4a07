"""Train generative image models on your own images, and repaint images in a style.

for event in ganvas.train("images/", out="run", budget="10m"): ...
images = ganvas.load("run").sample(16, seed=0)      # (16, C, H, W) in [-1, 1]
for event in ganvas.evaluate("run"): ...    # the last holds the report
for event in ganvas.stylize("photo.jpg", "painting.jpg"): ...    # the last holds the image
arrays = ganvas.images("images/", size="64")      # (N, H, W, C) in [-1, 1]
"""

# Written by tools/stubs.py from the settings; do not edit.

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.events import Evaluated, Event
from ganvas.generate.pipeline import Pipeline

__version__: str
__all__ = ["__version__", "evaluate", "images", "load", "stylize", "train"]

def train(
    source: str | Path | None = None,
    out: str | Path = "run",
    *,
    resume: bool = False,
    dry_run: bool = False,
    given: dict[str, Any] | None = None,
    model: Literal["fc", "dcgan", "compact", "progressive", "msg", "stylegan", "vae"] | None = None,
    size: int | str | None = None,
    channels: Literal["auto", "1", "3", "4"] | None = None,
    background: str | None = None,
    fit: Literal["crop", "pad", "stretch"] | None = None,
    mirror: bool | None = None,
    only: str | None = None,
    labels: Literal["none", "folders"] | None = None,
    include_generated: bool | None = None,
    latent: int | None = None,
    width: int | None = None,
    variant: Literal["pytorch", "keras"] | None = None,
    norm: Literal["batch", "none"] | None = None,
    spectral_norm: bool | None = None,
    blocks: int | None = None,
    upsampling: Literal["filtered", "learnt"] | None = None,
    combine: Literal["simple", "lin-cat", "cat-lin"] | None = None,
    mapping: int | None = None,
    mixing: float | None = None,
    loss: Literal["bce", "saturating", "least-squares", "hinge", "wasserstein", "relativistic", "relativistic-hinge"] | None = None,
    lr_g: float | None = None,
    lr_d: float | None = None,
    d_steps: int | None = None,
    skip_d_below: float | None = None,
    label_smoothing: float | None = None,
    instance_noise: float | None = None,
    augment: Literal["none", "shift", "colour", "shift+colour"] | None = None,
    augment_share: float | None = None,
    augment_target: float | None = None,
    r1: float | None = None,
    r2: float | None = None,
    gp: float | None = None,
    path_length: float | None = None,
    penalty_every: int | None = None,
    penalty_end: float | None = None,
    freeze: int | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    weight_decay: float | None = None,
    decay_from: float | None = None,
    lr: float | None = None,
    beta: float | None = None,
    budget: float | str | None = None,
    images: int | str | None = None,
    start: str | Path | None = None,
    trials: int | None = None,
    batch: int | None = None,
    accumulate: int | None = None,
    memory: float | str | None = None,
    ema: float | None = None,
    seed: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] | None = None,
    threads: int | None = None,
    samples: int | None = None,
    save_every: float | str | None = None,
    keep: int | None = None,
    keep_best: bool | None = None,
    doctor: Literal["treat", "advise", "off"] | None = None,
    probe_every: int | None = None,
    evaluate_every: float | str | None = None,
    features: str | Path | None = None,
    evaluate_count: int | None = None,
) -> Iterator[Event]:
    """Train a model on the images of `source` and leave everything in the directory `out`.

    `source` is a folder, a .zip, or a built-in name; `options` are those of the command line, with
    underscores (`model="dcgan"`, `budget="10m"`, `size="64x96"`, `lr_g=1e-3`); `given` is a nested
    description as in run.yaml, which options override. A generator of events: iterate over it to
    the end, or stop early for whatever reason, and the run is saved, at the latest when Python
    ends. Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again.

    A folder that is there comes before a built-in set of the same name, which `builtin:NAME` names.
    With `resume`, `source` may be another place where the same images lie now. With `dry_run`,
    everything is decided and nothing is trained or written: the last event is Configured.

    Raises ArgumentError, SettingsError, RunError, NoImagesError, CheckpointError, PlaceError,
    UnsuitableSizeError, UnsuitableStartError and DivergedError, each with one sentence that says
    what to do.

    Options:
        model: fc: fully connected: the lesson's, for small images; dcgan: convolutional, 16 to 256
            pixels a side; compact: small, residual, quick to learn; progressive: grows from 4x4 to
            the image; msg: multi-scale gradients: all sizes at once; stylegan: styles steer every
            layer; vae: variational autoencoder: never fails, blurs [default: compact]
        size: height x width, such as 64 or 64x96; unset: the source's usual size
        channels: 1 grey, 3 colour, 4 with transparency; auto: 1 if all are grey, else 3 [default:
            auto]
        background: colour behind transparent images and of added borders [default: white]
        fit: other shapes: crop to the centre, pad with borders, or stretch [default: crop]
        mirror: show mirror images of all images too [default: no]
        only: use only images with matching names, such as cats/*
        labels: class labels of the images: none, or their folders [default: none]
        include_generated: use images that ganvas itself has generated too [default: no]
        latent: numbers in a latent vector [default: 100]
        width: channels of the finest layer, or units of fc's first layer [default: 256]
        variant: which of the lesson's two notebooks [default: pytorch] (fc)
        norm: normalisation in the generator [default: batch] (fc)
        spectral_norm: spectral normalisation of the discriminator [default: no] (dcgan, compact,
            progressive, msg, stylegan)
        blocks: resolutions with a residual block, from the coarsest [default: 2] (compact)
        upsampling: upsampling in all but the last layer; unset: by budget and channels [default:
            filtered] (compact)
        combine: how images are merged into the discriminator: concatenated, with a 1x1 convolution
            before (lin-cat) or after (cat-lin), or without (simple) [default: simple] (msg)
        mapping: layers of the mapping network [default: 2] (stylegan)
        mixing: style mixing probability in training [default: 0.9] (stylegan)
        loss: adversarial loss [default: bce] (fc, dcgan, compact, progressive, msg, stylegan)
        lr_g: learning rate of the generator [default: by image size, 0.002 at 32x32, where the
            model has none] (fc, dcgan, compact, progressive, msg, stylegan)
        lr_d: learning rate of the discriminator [default: by image size, 0.002 at 32x32, where the
            model has none] (fc, dcgan, compact, progressive, msg, stylegan)
        d_steps: discriminator steps per generator step [default: 1] (fc, dcgan, compact,
            progressive, msg, stylegan)
        skip_d_below: skip the discriminator's step while its loss is below this [default: 0] (fc,
            dcgan, compact, progressive, msg, stylegan)
        label_smoothing: one-sided label smoothing: 1 minus this is real [default: 0] (fc, dcgan,
            compact, progressive, msg, stylegan)
        instance_noise: standard deviation of noise on the discriminator's input, fading [default:
            0] (fc, dcgan, compact, progressive, msg, stylegan)
        augment: differentiable augmentation of what the discriminator sees [default: shift for
            fewer than 5,000 images, otherwise none] (fc, dcgan, compact, progressive, msg,
            stylegan)
        augment_share: augmentation probability [default: 1] (fc, dcgan, compact, progressive, msg,
            stylegan)
        augment_target: ADA's target for r_t, 0.6 in its paper; 0: a fixed probability [default: 0]
            (fc, dcgan, compact, progressive, msg, stylegan)
        r1: weight of the R1 gradient penalty, on real images [default: by image size for few images
            and relativistic losses, otherwise 0] (fc, dcgan, compact, progressive, msg, stylegan)
        r2: weight of the R2 gradient penalty, on generated images [default: that of R1 for
            relativistic losses, otherwise 0] (fc, dcgan, compact, progressive, msg, stylegan)
        gp: weight of the gradient penalty of WGAN-GP [default: 0] (fc, dcgan, compact, progressive,
            msg, stylegan)
        path_length: path-length regularisation weight (StyleGAN) [default: 0] (fc, dcgan, compact,
            progressive, msg, stylegan)
        penalty_every: steps from one regularisation to the next (lazy) [default: 4] (fc, dcgan,
            compact, progressive, msg, stylegan)
        penalty_end: share of the penalties' weights left at the end of the run [default: 1] (fc,
            dcgan, compact, progressive, msg, stylegan)
        freeze: number of discriminator layers to freeze, with --from [default: 0] (fc, dcgan,
            compact, progressive, msg, stylegan)
        beta1: Adam's beta 1 [default: 0.5] (fc, dcgan, compact, progressive, msg, stylegan)
        beta2: Adam's beta 2 [default: 0.999] (fc, dcgan, compact, progressive, msg, stylegan)
        weight_decay: Adam's L2 penalty [default: 0] (fc, dcgan, compact, progressive, msg,
            stylegan)
        decay_from: fraction of the run after which learning rates decay [default: 1]
        lr: learning rate of the autoencoder [default: 0.001] (vae)
        beta: weight of the latents' divergence [default: 1] (vae)
        budget: wall time to use, such as 60s, 10m or 2h
        images: real images to show, such as 200k, if not limited by time
        start: a run, a checkpoint, a generator's file, or digits or emoji, to go on from
        trials: number of trials of a hyperparameter search before the run
        batch: images in a step [default: 64]
        accumulate: micro-batches of a step, whose gradients are accumulated [default: as few as fit
            into --memory]
        memory: memory to stay within, such as 800MB or 8GB
        ema: half-life of averaged weights, as a share of what was seen [default: 0.05]
        seed: where all random numbers start [default: 0]
        precision: bits of convolutions: bf16 where it is fast, or fp32 [default: auto]
        device: where to compute [default: auto]
        threads: processor threads; unset: as many as pay on this machine, now
        samples: sample grids over the whole run [default: 24]
        save_every: time between checkpoints, such as 60s [default: 60]
        keep: newest checkpoints to keep [default: 3]
        keep_best: keep the checkpoint of best score too [default: yes]
        doctor: treat what goes wrong, only say it (advise), or do not look (off) [default: treat]
            (fc, dcgan, compact, progressive, msg, stylegan)
        probe_every: steps from one look at the images to the next [default: 256] (fc, dcgan,
            compact, progressive, msg, stylegan)
        evaluate_every: time from one score to the next, such as 5m: distances, realism and variety
            go into metrics.jsonl, and the best checkpoint is kept; unset: no scores
        features: the network that scores, as in ganvas evaluate [default: lite0]
        evaluate_count: images that are generated for a score [default: 1000]
    """
    ...

def load(
    run: str | Path,
) -> Pipeline:
    """Load a trained generator: of a run, a checkpoint, an exported file, or a built-in name.

    Raises CheckpointError when there is none or it is damaged, and ArgumentError when `run` is
    neither a name nor a path. Warns (FallbackWarning) when the newest checkpoint is damaged and an
    older one is used.
    """
    ...

def evaluate(
    run: str | Path,
    against: str | Path | None = None,
    *,
    count: int = 5000,
    features: str | Path = "lite0",
    seed: int = 1_000_000,
) -> Generator[Event, None, Evaluated]:
    """Score what a trained model generates against the images that it learnt from, or `against`.

    `run` is the folder of a run or a checkpoint, a generator's file, or a name that comes with
    ganvas; `features` is one of `ganvas.evaluation.features.FEATURES`, or a TorchScript or ONNX
    file. The images of `count` seeds from `seed` on are scored. A generator of events, the last
    of which is Evaluated, which it also returns; a Notice says so where the images are not those
    that the model learnt from. What the network sees in real images is kept in the cache.

    Raises ArgumentError, CheckpointError, EvaluationError, FeaturesError, UnknownNameError,
    PlaceError, and whatever preparing the images raises, each with one sentence that says what to
    do.
    """
    ...

def stylize(
    content: str | Path | Image.Image | Tensor,
    styles: str | Path | Image.Image | Tensor | Sequence[str | Path | Image.Image | Tensor],
    masks: Sequence[tuple[str | Path, str | Path | None]] = (),
    features: str | Path | None = None,
    *,
    preset: Literal["default", "draft", "fine", "lesson", "gatys"] | None = None,
    size: int | str | None = None,
    strength: float | None = None,
    weights: str | None = None,
    style_scale: float | None = None,
    colours: Literal["style", "content", "luminance"] | None = None,
    start: str | Path | None = None,
    optimiser: Literal["adam", "lbfgs"] | None = None,
    content_layer: str | None = None,
    style_layers: str | None = None,
    style_loss: Literal["w2", "gram"] | None = None,
    tv: float | None = None,
    iterations: int | None = None,
    seed: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] | None = None,
) -> Generator[Event, None, None]:
    """Repaint `content` in the style of one or more images; the last event has the result.

    Images are files, Pillow images, or tensors (3, H, W) in [0, 1]; results are tensors if
    `content` is one, and Pillow images otherwise. The options are the fields of StyleSettings.
    Every StyleIteration has the image as it stands, so you can stop iterating at any time and keep
    it. Each of `masks` is a pair of files: where the first is white, the image gets the style of
    the white part of the second, or of the whole style image if the second is None; the rest gets
    the style of the rest. `features` is a file with other weights of VGG-19.

    Raises ArgumentError and SettingsError at once, and during iteration ImageError,
    UnreadableImageError, PlaceError, WeightsError, TooLargeError, UnavailableDeviceError and
    StyleError.

    Options:
        preset: default: the best image for its time; draft: a preview in seconds; fine: more
            iterations at every size; lesson: content alone, then with style, then with all three
            losses, as the lesson does; gatys: one size, Gram matrices and L-BFGS, as Gatys, Ecker
            and Bethge did [default: default]
        size: longer side in pixels, or original [default: 512]
        strength: 0: almost the photograph; 1: almost only style [default: 0.5]
        weights: weight of each style, such as 2,1; unset: all alike
        style_scale: size of the styles: 2 gives larger brush strokes [default: 1]
        colours: those of the style; of the content; or luminance: style transfer of brightness
            alone, with the content's own colours [default: style]
        start: the image before the first iteration; unset: the preset's
        optimiser: adam or lbfgs; unset: the preset's
        content_layer: content layers, such as relu4_2 or relu3_1,relu4_2:2 with weights
        style_layers: style layers, such as relu1_1,relu3_1:0.5 with weights
        style_loss: w2: Wasserstein distance of Gaussians, or gram; unset: the preset's
        tv: total-variation weight at strength 0.5; unset: the preset's
        iterations: at the smallest size, fewer at larger ones; unset: the preset's
        seed: random seed [default: 0]
        precision: of convolutions: bf16 where it is fast, or fp32 [default: auto]
        device: where to compute [default: auto]
    """
    ...

def images(
    source: str | Path,
    *,
    size: int | str | None = None,
    channels: Literal["auto", "1", "3", "4"] | None = None,
    background: str | None = None,
    fit: Literal["crop", "pad", "stretch"] | None = None,
    mirror: bool | None = None,
    only: str | None = None,
    labels: Literal["none", "folders"] | None = None,
    include_generated: bool | None = None,
) -> NDArray[np.float32]:
    """All images of a source, (N, height, width, channels) in [-1, 1], in the order of names.

    `source` is a folder, a .zip, or a built-in name; `options` are the fields of DataSettings, as
    on the command line: `size="64x96"`, `channels=1`, `only="cats/*"`. Files that cannot be used
    are left out: `ganvas data` names them. A value takes four bytes: 10,000 colour images of 64x64
    take 0.5 GB.

    Raises ArgumentError, SettingsError, UnknownNameError, BadArchiveError, NoImagesError,
    CacheError, PlaceError or TooManyImagesError.

    Options:
        size: height x width, such as 64 or 64x96; unset: the source's usual size
        channels: 1 grey, 3 colour, 4 with transparency; auto: 1 if all are grey, else 3 [default:
            auto]
        background: colour behind transparent images and of added borders [default: white]
        fit: other shapes: crop to the centre, pad with borders, or stretch [default: crop]
        mirror: show mirror images of all images too [default: no]
        only: use only images with matching names, such as cats/*
        labels: class labels of the images: none, or their folders [default: none]
        include_generated: use images that ganvas itself has generated too [default: no]
    """
    ...

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
    requeue: bool = False,
    dry_run: bool = False,
    given: dict[str, Any] | None = None,
    model: Literal["fc", "dcgan", "compact", "progressive", "msg", "stylegan", "vae"] | None = None,
    size: int | str | None = None,
    channels: Literal["auto", "1", "3", "4"] | None = None,
    background: str | None = None,
    fit: Literal["crop", "pad", "stretch"] | None = None,
    mirror: bool | None = None,
    only: str | None = None,
    max_aspect: float | None = None,
    ignore_smaller: bool | None = None,
    distinct: bool | None = None,
    labels: Literal["none", "folders"] | None = None,
    include_generated: bool | None = None,
    latent: int | None = None,
    width: int | None = None,
    blocks: int | None = None,
    upsampling: Literal["filtered", "learnt"] | None = None,
    doublings: int | None = None,
    spectral_norm: bool | None = None,
    loss: Literal["bce", "saturating", "least-squares", "hinge", "wasserstein", "relativistic", "relativistic-hinge"] | None = None,
    lr_g: float | None = None,
    lr_d: float | None = None,
    discriminator: Literal["own", "pretrained", "both"] | None = None,
    lr_heads: float | None = None,
    match: float | None = None,
    heads_noise: float | None = None,
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
    budget: float | str | None = None,
    images: int | str | None = None,
    start: str | Path | None = None,
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
    variant: Literal["pytorch", "keras"] | None = None,
    norm: Literal["batch", "none"] | None = None,
    combine: Literal["simple", "lin-cat", "cat-lin"] | None = None,
    mapping: int | None = None,
    mixing: float | None = None,
    lr: float | None = None,
    beta: float | None = None,
) -> Iterator[Event]:
    """Train a model on the images of `source` and write everything to the folder `out`.

    `source` is a folder, a .zip, or a built-in name; `options` are those of the command line, with
    underscores (`model="dcgan"`, `budget="10m"`, `size="64x96"`, `lr_g=1e-3`); `given` is a nested
    dictionary as in run.yaml, which options override. A generator of events: iterate over it to
    the end, or stop early for whatever reason, and the run is saved, at the latest when Python
    ends. Ctrl-C, SIGTERM and SIGHUP finish the step, save, and are raised again.

    A folder takes precedence over a built-in set of its name; `builtin:NAME` is the built-in set.
    With `resume`, `source` may be the new path of the same images; with `requeue` the same call
    begins a run, and goes on with it where it has begun. Processes that `torchrun` starts train one
    run together. With `dry_run`, all settings are decided; nothing is trained or written: the last
    event is Configured.

    Raises ArgumentError, SettingsError, RunError, NoImagesError, CheckpointError, PlaceError,
    UnsuitableSizeError, UnsuitableStartError and DivergedError, each with one sentence that says
    what to do.

    Options:
        model: fc: fully connected: the lesson's, for small images; dcgan: convolutional, 16 to 256
            pixels a side; compact: small, residual, quick to learn; progressive: grows from 4x4 to
            the image; msg: multi-scale gradients: all sizes at once; stylegan: styles steer every
            layer; vae: variational autoencoder: stable, blurs [default: compact]
        size: Image size, height x width, such as 64 or 64x96. [default: by the source]
        channels: 1: grey, 3: colour, 4: with transparency; auto: grey or colour. [default: auto]
        background: Colour behind transparent images and of padding. [default: white]
        fit: How images of another shape are fitted. [default: crop]
        mirror: Also show the mirror image of each image. [default: no]
        only: Pattern that file names must match, such as cats/*.
        max_aspect: Leave out images whose sides have a larger ratio, such as 2.
        ignore_smaller: Leave out images that are smaller than --size. [default: no]
        distinct: Leave out images that are nearly the same as another. [default: no]
        labels: Class labels: none, or the names of the images' folders. [default: none]
        include_generated: Also use images that ganvas has generated. [default: no]
        latent: Size of a latent vector. [default: by model]
        width: Number of channels of the finest layer. [default: by model]
        blocks: Number of resolutions with a residual block, from the coarsest. [default: 0 or 2, by
            time budget] (compact)
        upsampling: Upsampling in all layers but the last. [default: filtered or learnt, by time
            budget] (compact)
        doublings: How often images double in size during training. [default: by image size: 2 from
            128x128, otherwise 0; 0 for --discriminator own] (compact)
        spectral_norm: Spectral normalisation of the discriminator. [default: no] (dcgan, compact,
            progressive, msg, stylegan)
        loss: Adversarial loss. [default: by model] (fc, dcgan, compact, progressive, msg, stylegan)
        lr_g: Learning rate of the generator. [default: by model] (fc, dcgan, compact, progressive,
            msg, stylegan)
        lr_d: Learning rate of the discriminator. [default: by model] (fc, dcgan, compact,
            progressive, msg, stylegan)
        discriminator: Discriminator: the model's own, one on a pretrained network, or both.
            [default: by model] (fc, dcgan, compact, progressive, msg, stylegan)
        lr_heads: Learning rate of the heads on the pretrained network. [default: 0.001] (fc, dcgan,
            compact, progressive, msg, stylegan)
        match: Weight of matching real images as the pretrained network sees them. [default: 3] (fc,
            dcgan, compact, progressive, msg, stylegan)
        heads_noise: Standard deviation of noise before the pretrained network; decays to 0.
            [default: 0.3] (fc, dcgan, compact, progressive, msg, stylegan)
        d_steps: Number of discriminator steps per generator step. [default: 1] (fc, dcgan, compact,
            progressive, msg, stylegan)
        skip_d_below: Discriminator loss below which its step is skipped. [default: 0] (fc, dcgan,
            compact, progressive, msg, stylegan)
        label_smoothing: One-sided label smoothing: the target for real is 1 minus this. [default:
            0] (fc, dcgan, compact, progressive, msg, stylegan)
        instance_noise: Standard deviation of noise on the discriminator's input; decays to 0.
            [default: 0] (fc, dcgan, compact, progressive, msg, stylegan)
        augment: Differentiable augmentation of the discriminator's input. [default: by model] (fc,
            dcgan, compact, progressive, msg, stylegan)
        augment_share: Augmentation probability. [default: 1] (fc, dcgan, compact, progressive, msg,
            stylegan)
        augment_target: ADA target for r_t, 0.6 in the paper; 0: fixed probability. [default: 0]
            (fc, dcgan, compact, progressive, msg, stylegan)
        r1: Weight of the R1 gradient penalty, on real images. [default: by model] (fc, dcgan,
            compact, progressive, msg, stylegan)
        r2: Weight of the R2 gradient penalty, on generated images. [default: that of R1 for
            relativistic losses, otherwise 0] (fc, dcgan, compact, progressive, msg, stylegan)
        gp: Weight of the WGAN-GP gradient penalty. [default: 0] (fc, dcgan, compact, progressive,
            msg, stylegan)
        path_length: Weight of path-length regularisation (StyleGAN). [default: by model] (fc,
            dcgan, compact, progressive, msg, stylegan)
        penalty_every: Number of steps between lazy regularisations. [default: by model] (fc, dcgan,
            compact, progressive, msg, stylegan)
        penalty_end: Fraction of the penalty weights left at the end. [default: 1] (fc, dcgan,
            compact, progressive, msg, stylegan)
        freeze: Number of discriminator layers to freeze, with --from. [default: 0] (fc, dcgan,
            compact, progressive, msg, stylegan)
        beta1: Adam's beta 1. [default: by model] (fc, dcgan, compact, progressive, msg, stylegan)
        beta2: Adam's beta 2. [default: by model] (fc, dcgan, compact, progressive, msg, stylegan)
        weight_decay: Adam's L2 penalty. [default: by model] (fc, dcgan, compact, progressive, msg,
            stylegan)
        decay_from: Fraction of the run after which learning rates decay to 0. [default: by model]
        budget: Training time, such as 60s, 10m or 2h. [default: 10m, unless --images is given]
        images: Training length in images shown, such as 200k.
        start: Model to fine-tune: a run, checkpoint, exported file, digits or emoji.
        batch: Batch size, in images. [default: by model]
        accumulate: Number of micro-batches per step, for gradient accumulation. [default: as few as
            fit into memory]
        memory: Memory limit, such as 800MB or 8GB. [default: what is free]
        ema: Half-life of the averaged weights, as a fraction of images seen. [default: 0.05]
        seed: Random seed. [default: 0]
        precision: Precision of convolutions; auto is bf16 where that is fast. [default: auto]
        device: Device; auto is the fastest one available. [default: auto]
        threads: Number of processor threads. [default: measured at the start]
        samples: Number of sample grids written during the run. [default: 24]
        save_every: Time between checkpoints, such as 5m. [default: 60s]
        keep: Number of newest checkpoints to keep. [default: 3]
        keep_best: Also keep the checkpoint with the best score. [default: yes]
        doctor: Treat issues, only report them, or do not watch. [default: treat] (fc, dcgan,
            compact, progressive, msg, stylegan)
        probe_every: Number of steps between probes of the samples. [default: 256] (fc, dcgan,
            compact, progressive, msg, stylegan)
        evaluate_every: Time between evaluations, such as 5m; the best checkpoint is kept. [default:
            never]
        features: Feature network for evaluation. [default: vgg19]
        evaluate_count: Number of images generated for an evaluation. [default: 1000]
        variant: Which of the lesson's two notebooks to follow. [default: pytorch] (fc)
        norm: Normalisation in the generator. [default: batch] (fc)
        combine: How the discriminator merges each image with its activations. [default: simple]
            (msg)
        mapping: Number of layers of the mapping network. [default: 2] (stylegan)
        mixing: Style mixing probability during training. [default: 0.9] (stylegan)
        lr: Learning rate of the autoencoder. [default: 0.001] (vae)
        beta: Weight of the KL divergence of the latents. [default: 1] (vae)
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
    features: str | Path = "vgg19",
    seed: int = 1_000_000,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> Generator[Event, None, Evaluated]:
    """Score the samples of a trained model against its training images, or `against`.

    `run` is the folder of a run or a checkpoint, a generator's file, or a name that comes with
    ganvas; `features` is one of `ganvas.evaluation.features.FEATURES`, or a TorchScript or ONNX
    file, and computes on `device`. The images of `count` seeds from `seed` on are scored.

    A generator of events, the last of which is Evaluated, which it also returns. A Notice says if
    the images are not the training images of the model, another if it has learnt through the
    network that scores it. Features of real images are cached.

    Raises ArgumentError, CheckpointError, EvaluationError, FeaturesError, UnknownNameError,
    PlaceError, UnavailableDeviceError, and whatever preparing the images raises, each with one
    sentence that says what to do.
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
        preset: Preset for the settings below that you omit. [default: default]
        size: Longer side in pixels, or original. [default: 512]
        strength: Strength of the style, from 0 to 1. [default: 0.5]
        weights: Weight of each style, such as 2,1. [default: equal]
        style_scale: Scale of the style images; 2 gives larger brush strokes. [default: 1]
        colours: Colours of the style, of the content, or luminance transfer alone. [default: style]
        start: Initial image. [default: by --preset]
        optimiser: Optimiser. [default: by --preset]
        content_layer: Content layers, such as relu3_1,relu4_2:2 with weights. [default: by
            --preset]
        style_layers: Style layers, such as relu1_1,relu3_1:0.5 with weights. [default: by --preset]
        style_loss: Style loss: Wasserstein distance of Gaussians (w2) or Gram matrices. [default:
            by --preset]
        tv: Weight of the total-variation loss at strength 0.5. [default: by --preset]
        iterations: Iterations at the smallest size; fewer follow at larger ones. [default: by
            --preset]
        seed: Random seed. [default: 0]
        precision: Precision of convolutions; auto is bf16 where that is fast. [default: auto]
        device: Device; auto is the fastest one available. [default: auto]
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
    max_aspect: float | None = None,
    ignore_smaller: bool | None = None,
    distinct: bool | None = None,
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
        size: Image size, height x width, such as 64 or 64x96. [default: by the source]
        channels: 1: grey, 3: colour, 4: with transparency; auto: grey or colour. [default: auto]
        background: Colour behind transparent images and of padding. [default: white]
        fit: How images of another shape are fitted. [default: crop]
        mirror: Also show the mirror image of each image. [default: no]
        only: Pattern that file names must match, such as cats/*.
        max_aspect: Leave out images whose sides have a larger ratio, such as 2.
        ignore_smaller: Leave out images that are smaller than --size. [default: no]
        distinct: Leave out images that are nearly the same as another. [default: no]
        labels: Class labels: none, or the names of the images' folders. [default: none]
        include_generated: Also use images that ganvas has generated. [default: no]
    """
    ...

"""The doctor: what can go wrong with a run, how it is detected, and what helps.

To add an issue, write a detector file with a `detect` function and add a line to ISSUES. The order
matters: the first issue that is detected and was not reported recently is treated.
"""

from ganvas.config.doctor import DoctorSettings
from ganvas.doctor import treatments as t
from ganvas.doctor.detectors import (
    at_chance,
    bad_data,
    divergence,
    leaking,
    memorising,
    mode_collapse,
    oscillation,
    plateau,
    too_fast,
    too_few,
    too_strong,
    upside_down,
)
from ganvas.doctor.issue import Issue

ISSUES = {
    "bad-data": Issue(
        bad_data.detect,
        "blank or repeated images, or colour and grey ones mixed",
        (),
        "Look at the images with ganvas data --sheet, and delete what does not belong.",
        lasting=True,
    ),
    "too-few": Issue(
        too_few.detect,
        "fewer than a hundred images",
        (),
        "Add images of the same kind, start from a trained model with --from, or use --mirror "
        "where left and right do not matter.",
        lasting=True,
    ),
    "too-fast": Issue(
        too_fast.detect,
        "a learning rate that is too high",
        (t.as_fast_as_usual, t.went_back_slower),
        "Lower the learning rate of that player (--lr-g or --lr-d), or leave it out.",
    ),
    "divergence": Issue(
        divergence.detect,
        "losses or gradients that grow without bound or are not finite",
        (t.went_back, t.went_back_slower, t.went_back_slower, t.went_back_slower),
        "Lower both learning rates (--lr-g, --lr-d).",
        fatal=True,
    ),
    "upside-down": Issue(
        upside_down.detect,
        "a discriminator that learns the wrong labels",
        (),
        "Swap the arguments of its loss: real images first, then generated ones.",
        fatal=True,
    ),
    "at-chance": Issue(
        at_chance.detect,
        "a discriminator at chance level, or one that does not learn",
        (
            t.moving_discriminator,
            t.rougher_discriminator,
            t.rougher_discriminator,
            t.faster_discriminator,
            t.slower_generator,
            t.slower_generator,
        ),
        "Leave out --skip-d-below, lower --r1, raise --lr-d, or lower --lr-g.",
    ),
    "too-strong": Issue(
        too_strong.detect,
        "a discriminator that separates real from fake perfectly",
        (
            t.smoother_discriminator,
            t.slower_discriminator,
            t.resting_discriminator,
            t.softer_labels,
            t.noisier,
        ),
        "Raise --r1, lower --lr-d, or skip its steps with --skip-d-below 0.3.",
    ),
    "mode-collapse": Issue(
        mode_collapse.detect,
        "samples that are all alike, or modes that are never generated",
        (t.began_again, t.new_discriminator, t.slower_both),
        "Raise --r1 and --r2, take a larger --batch, or lower --lr-g.",
        windows=80,
    ),
    "oscillation": Issue(
        oscillation.detect,
        "players that oscillate without progress",
        (t.slower_both, t.smoother_discriminator, t.slower_both),
        "Lower both learning rates (--lr-g, --lr-d), or raise --r1.",
    ),
    "memorising": Issue(
        memorising.detect,
        "overfitting to the training images",
        (t.more_augmentation, t.smoother_discriminator, t.noisier),
        "Add images, augment them with --augment shift, or raise --r1.",
        windows=128,
    ),
    "leaking": Issue(
        leaking.detect,
        "augmentation that has leaked into the samples",
        (t.less_augmentation, t.less_augmentation),
        "Lower --augment-share.",
        windows=128,
    ),
    "plateau": Issue(
        plateau.detect,
        "images that have stopped improving",
        (t.fresher_average, t.slower_both, t.larger_batch),
        "Lower both learning rates (--lr-g, --lr-d), or take a wider network with --width.",
        windows=256,
    ),
}

__all__ = ["ISSUES", "DoctorSettings", "Issue"]

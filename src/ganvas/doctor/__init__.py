"""The doctor: what can go wrong with a run, how it is seen, and what helps.

To add an issue, write its file with a `detect` and add its line to ISSUES: the first that is
seen, and was not spoken of lately, is treated.
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
        "images that show nothing, are all the same, or are of two kinds",
        (),
        "Look at the images with ganvas data --sheet, and sort them.",
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
        "numbers that grow without bound, or are none any more",
        (t.went_back, t.went_back_slower, t.went_back_slower, t.went_back_slower),
        "Lower both learning rates (--lr-g, --lr-d).",
        fatal=True,
    ),
    "upside-down": Issue(
        upside_down.detect,
        "a discriminator that learns the wrong labels",
        (),
        "Exchange what its loss is given: real images first, generated ones after.",
        fatal=True,
    ),
    "at-chance": Issue(
        at_chance.detect,
        "a discriminator that guesses, or does not learn at all",
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
        "a discriminator that tells everything, and teaches nothing",
        (
            t.smoother_discriminator,
            t.slower_discriminator,
            t.resting_discriminator,
            t.softer_labels,
            t.noisier,
        ),
        "Raise --r1, lower --lr-d, or let it rest with --skip-d-below 0.3.",
    ),
    "mode-collapse": Issue(
        mode_collapse.detect,
        "samples that are all alike, or kinds of image that are never generated",
        (t.began_again, t.new_discriminator, t.slower_both),
        "Raise --r1 and --r2, take a larger --batch, or lower --lr-g.",
        windows=80,
    ),
    "oscillation": Issue(
        oscillation.detect,
        "players that push each other to and fro",
        (t.slower_both, t.smoother_discriminator, t.slower_both),
        "Lower both learning rates (--lr-g, --lr-d), or raise --r1.",
    ),
    "memorising": Issue(
        memorising.detect,
        "images learnt by heart",
        (t.more_augmentation, t.smoother_discriminator, t.noisier),
        "Add images, vary them with --augment shift, or raise --r1.",
        windows=128,
    ),
    "leaking": Issue(
        leaking.detect,
        "variations that have leaked into the samples",
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

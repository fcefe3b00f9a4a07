"""The doctor as a callback: it sees what is wrong, says it once, and changes nothing."""

from math import log

import numpy as np
import pytest

from ganvas.doctor.signals import WINDOW
from ganvas.integrations.keras import Doctor, Record
from ganvas.training.callbacks.log import read

USUAL = {"d_loss": 0.55, "g_loss": 1.2}
LONG = 26 * WINDOW


def issues(doctor):
    return {diagnosis.issue for diagnosis in doctor.diagnoses}


@pytest.fixture
def moving(players):
    """Both players move a little in every step, as if they learnt."""

    def move(step):
        for player in players:
            for weight in player.trainable_weights:
                weight.assign_add(np.full(weight.shape, 1e-3 * (-1) ** step, np.float32))

    return move


@pytest.fixture
def watching(players, real, monkeypatch):
    """A doctor of players whose images and verdicts are as they are said to be."""

    def make(fake=None, verdicts=None, **options):
        module = "ganvas.integrations.keras.doctor"
        if fake is not None:
            monkeypatch.setattr(
                f"{module}.generated_images", lambda generator, latents: fake[: len(latents)]
            )
        if verdicts is not None:
            monkeypatch.setattr(f"{module}.discriminate", verdicts)
        return Doctor(*players, real, **options)

    return make


def alike(real):
    """An image that is none of them, again and again."""
    return np.repeat(-real[:1], 256, 0)


def knows(real):
    """A discriminator that is sure, and right."""
    known = {image.tobytes() for image in real}

    def discriminate(discriminator, images):
        found = [image.tobytes() in known for image in images]
        return np.where(found, 0.999, 0.001).astype(np.float32)

    return discriminate


def undecided(discriminator, images):
    """Half of the images are taken for real."""
    return (0.5 + 0.1 * (-1.0) ** np.arange(len(images))).astype(np.float32)


def test_nothing_is_said_of_a_healthy_game(loop, watching, moving, real):
    doctor = watching(real[::-1], undecided)
    loop([doctor], LONG, USUAL, moving)
    assert doctor.diagnoses == []
    assert {"spread_real", "spread_fake", "r_t", "update_d", "update_g"} <= {
        name for entry in doctor.signals.entries for name in entry.values
    }


def test_samples_that_are_alike(loop, watching, moving, real):
    doctor = watching(alike(real), undecided)
    loop([doctor], LONG, USUAL, moving)
    assert issues(doctor) == {"mode-collapse"}


def test_a_discriminator_that_is_too_strong(loop, watching, moving, real):
    noise = np.random.default_rng(1).uniform(-1, 1, real.shape).astype(np.float32)
    doctor = watching(noise + real, knows(real))
    loop([doctor], LONG, USUAL | {"d_loss": 0.01}, moving)
    assert "too-strong" in issues(doctor)


def test_a_discriminator_that_never_learns(loop, watching, real):
    doctor = watching(real, undecided)
    loop([doctor], LONG, USUAL)
    assert "at-chance" in issues(doctor)
    assert "moves its weights by 0.0e+00" in doctor.diagnoses[0].sentence


def test_a_frozen_discriminator_is_measured_as_well(loop, players, watching, moving, real):
    players[1].trainable = False
    doctor = watching(real, undecided)

    def push(step):
        for weight in players[1].weights:
            weight.assign(weight + 0.01)

    loop([doctor], 2 * WINDOW, USUAL, push)
    assert doctor.signals.last("update_d", 1)[0] > 1e-3


def test_a_learning_rate_that_is_too_high(loop, players, watching, real):
    def leap(step):
        for weight in players[0].trainable_weights:
            weight.assign(-weight)

    doctor = watching(real, undecided)
    loop([doctor], 2 * WINDOW, USUAL, leap)
    assert "too-fast" in issues(doctor)


def test_losses_that_are_no_numbers(loop, watching, real):
    doctor = watching(real, undecided)
    loop([doctor], 8, USUAL | {"d_loss": np.nan})
    assert issues(doctor) == {"divergence"}


def test_swapped_labels(loop, watching, moving, real):
    def wrong(discriminator, images):
        return 1 - knows(real)(discriminator, images)

    doctor = watching(-real, wrong)
    loop([doctor], LONG, USUAL | {"d_loss": 0.05}, moving)
    assert "upside-down" in issues(doctor)


def test_few_images_and_bad_ones(loop, players, real):
    few = Doctor(*players, real[:40])
    loop([few], WINDOW, USUAL)
    assert "too-few" in issues(few)
    bad = Doctor(*players, np.zeros_like(real))
    loop([bad], WINDOW, USUAL)
    assert "bad-data" in issues(bad)


def test_images_that_are_known_by_heart(loop, watching, moving, real):
    doctor = watching(real[::-1], knows(real[:200]), held_out=real[200:])
    doctor.images = real[:200]
    loop([doctor], 4 * 256, USUAL, moving)
    assert "memorising" in issues(doctor)


def test_logits_and_sums_of_losses(loop, watching, moving, real):
    def sure(discriminator, images):
        return 14 * (knows(real)(discriminator, images) - 0.5)

    doctor = watching(-real, sure, logits=True, chance=2 * log(2))
    loop([doctor], LONG, USUAL | {"d_loss": 0.1}, moving)
    assert "too-strong" in issues(doctor)
    assert doctor.signals.last("d_real", 1)[0] == pytest.approx(1 / (1 + np.exp(-14 * 0.499)), 1e-3)


def test_it_is_said_once_written_down_and_logged(
    loop, players, watching, moving, real, tmp_path, caplog
):
    record = Record(players[0], tmp_path, batch=4)
    doctor = watching(alike(real), undecided, record=record)
    loop([record, doctor], 2 * LONG, USUAL, moving)
    assert [d.issue for d in doctor.diagnoses] == ["mode-collapse"]
    told = [line for line in caplog.messages if "mode-collapse" in line]
    assert len(told) == 1
    assert told[0].startswith(f"Step {doctor.diagnoses[0].step:,}, mode-collapse: All samples")
    events = [line for line in read(tmp_path / "metrics.jsonl") if "event" in line]
    assert [event["issue"] for event in events] == ["mode-collapse"]
    assert any("d_real" in line for line in read(tmp_path / "metrics.jsonl"))


def test_nothing_is_changed(loop, players, real):
    before = [np.array(weight) for player in players for weight in player.get_weights()]
    loop([Doctor(*players, real)], LONG, USUAL)
    after = [np.array(weight) for player in players for weight in player.get_weights()]
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_images_without_an_axis_for_grey(loop, players, real):
    import keras

    generator, discriminator = players
    flat = keras.Sequential([generator, keras.layers.Reshape((16, 16))])
    looks = keras.Sequential(
        [keras.layers.Input((16, 16)), keras.layers.Reshape((16, 16, 1)), discriminator]
    )
    flat.build((None, 4))
    doctor = Doctor(flat, looks, real)
    loop([doctor], 2 * WINDOW, USUAL)
    assert doctor.signals.last("spread_fake", 1)

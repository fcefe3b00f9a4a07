"""The doctor as a callback: it diagnoses training, and changes nothing."""

import logging
from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np
import torch

from ganvas.config.doctor import DoctorSettings
from ganvas.data.arrays import Arrays
from ganvas.doctor import ISSUES, detection
from ganvas.doctor.detectors.divergence import IN_A_ROW
from ganvas.doctor.incidents import Incident, Incidents
from ganvas.doctor.probes import LOOKED_AT, Probe, gap, of_data
from ganvas.doctor.signals import WINDOW, RunFacts, SignalsWindow
from ganvas.events import Diagnosis
from ganvas.integrations.keras.backend import keras
from ganvas.integrations.keras.logs import USUAL, Losses
from ganvas.integrations.keras.networks import (
    Array,
    channels_first,
    discriminate,
    generated_images,
    latents,
    weights,
)
from ganvas.integrations.keras.record import Record
from ganvas.runtime.validation import ArgumentError, check_whole
from ganvas.training.callbacks.checkpoints import thumbnails
from ganvas.training.signals import due, spread, update_ratio

SAMPLED_EVERY = 8  # steps between two measurements on a few images: two in each window
SAMPLED = 64  # images in each of them
STREAM = 7  # number of the random stream for latents and images
LOGGER = logging.getLogger("ganvas.integrations.keras")


class Doctor(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Monitors a GAN as `ganvas train --doctor advise` does, and gives advice.

    `images` (N, height, width, channels) in [-1, 1] are the training images, `held_out` images that
    are not trained on, if there are any. The discriminator returns probabilities, or logits with
    `logits=True`. `chance` is the discriminator loss in `logs` at chance level: ln 2 if `logs` hold
    the mean of both halves of binary cross-entropy, 2 ln 2 if they hold the sum. Diagnoses are
    logged to "ganvas.integrations.keras", written into `record`, and kept in `diagnoses`.

    Your own loop must call on_train_batch_begin too, or learning rates are not monitored.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        images: Array,
        *,
        held_out: Array | None = None,
        logits: bool = False,
        chance: float = log(2),
        losses: Losses = USUAL,
        probe_every: int = DoctorSettings.probe_every,
        record: Record | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_whole("Doctor", WINDOW, probe_every=probe_every)
        check_whole("Doctor", 0, seed=seed)
        if not isinstance(images, np.ndarray) or images.ndim != 4 or not len(images):
            raise ArgumentError("Doctor: images are an array (N, height, width, channels).")
        self.generator, self.discriminator = generator, discriminator
        self.images, self.held_out = images, held_out
        self.undecided = 0.0 if logits else 0.5
        self.losses, self.probe_every, self.record = losses, probe_every, record
        self.random = np.random.default_rng((seed, STREAM))
        self.latents = latents(generator, LOOKED_AT, seed)
        learnt = Arrays(images)
        self.probe = Probe.of(learnt, Arrays(images[:0]), seed)
        self.signals = SignalsWindow(RunFacts(len(images), chance))
        self.signals.add_probe(0, 0, of_data(learnt, seed))
        self.incidents = Incidents()
        self.step = 0
        self.before: dict[str, list[torch.Tensor]] = {}

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """The diagnoses so far."""
        return [incident.diagnosis for incident in self.incidents.all]

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Copy the weights before a step whose update is to be measured."""
        if due(self.step):
            self.before = self._weights()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the step in the signals window; when the window is full, run the detectors."""
        scalars = self.losses.of(logs)
        if scalars:
            scalars |= self._moved() | self._sampled()
        self.step += 1
        if self.record is not None:
            self.record.beside |= scalars
        full = self.signals.record(self.step, self.step, scalars)  # no detector uses image counts
        if full and self.step % self.probe_every < WINDOW:
            self.signals.add_probe(self.step, self.step, self._probed())
        if full or self.signals.dropped == IN_A_ROW:
            self._look()

    def _weights(self) -> dict[str, list[torch.Tensor]]:
        _ = self.model  # with the JAX backend, this writes the trained weights to the variables
        players = {"update_g": self.generator, "update_d": self.discriminator}
        return {name: weights(player) for name, player in players.items()}

    def _moved(self) -> dict[str, float]:
        """The relative size of the step's update for both networks, if it was to be measured."""
        if not self.before:
            return {}
        before, self.before = self.before, {}
        after = self._weights()
        return {name: float(update_ratio(before[name], after[name])) for name in before}

    def _sampled(self) -> dict[str, float]:
        """Signals from a few real and fake images, every SAMPLED_EVERY steps."""
        if self.step % SAMPLED_EVERY:
            return {}
        _ = self.model
        few = self.random.permutation(LOOKED_AT)[:SAMPLED]
        real = self.images[self.random.integers(0, len(self.images), SAMPLED)]
        fake = generated_images(self.generator, self.latents[few])
        on_real, on_fake = (
            discriminate(self.discriminator, real),
            discriminate(self.discriminator, fake),
        )
        return {
            "spread_real": float(spread(channels_first(real))),
            "spread_fake": float(spread(channels_first(fake))),
            "d_real": float(_probability(on_real, self.undecided).mean()),
            "d_fake": float(_probability(on_fake, self.undecided).mean()),
            "r_t": float(np.sign(on_real - self.undecided).mean()),
        }

    def _probed(self) -> dict[str, float]:
        _ = self.model
        fake = generated_images(self.generator, self.latents)
        found = self.probe.compare(thumbnails(channels_first(fake)))
        if self.held_out is None:
            return found
        count = min(LOOKED_AT, len(self.held_out), len(self.images))
        known = self.images[self.random.permutation(len(self.images))[:count]]
        scores = (discriminate(self.discriminator, part) for part in (known, self.held_out[:count]))
        return found | {"gap": gap(*map(torch.from_numpy, scores))}

    def _look(self) -> None:
        seen = detection.detect_issues(ISSUES, self.signals, self.incidents)
        name = detection.first_new(seen, self.incidents, self.step)
        if name is None:
            return
        diagnosis = detection.diagnosis(self.step, name, seen[name], ISSUES[name])
        self.incidents.add(Incident(diagnosis))
        LOGGER.warning("Step %s, %s: %s", f"{self.step:,}", name, diagnosis.sentence)
        if self.record is not None:
            self.record.note(diagnosis)


def _probability(scores: Array, undecided: float) -> Array:
    return scores if undecided else (1 / (1 + np.exp(-scores))).astype(np.float32)

"""One step of variational training: encode, sample latents, decode.

Auto-Encoding Variational Bayes (Kingma and Welling, 2014), algorithm 1 with one sample an image.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.optim import Adam

from ganvas.config.variational import VariationalSettings
from ganvas.data.loader import Batch, Loader
from ganvas.losses.vae import divergence, reconstruction
from ganvas.models import EncodingModel, GenerativeModel, generate
from ganvas.models.buffers import buffers_restored
from ganvas.runtime.precision import Precision
from ganvas.runtime.rng import Stream
from ganvas.training.optim import MicroBatchLoss, Scalars, optimize, set_lr
from ganvas.training.schedules import learning_rate
from ganvas.training.state import Purpose, TrainingState


@dataclass(frozen=True)
class VariationalTrainer:
    """Training of a variational autoencoder; what changes is in the state."""

    settings: VariationalSettings
    precision: Precision
    round: int = 1

    def start(self, model: GenerativeModel, seed: int) -> TrainingState:
        """The state before the first step."""
        optimizer = Adam(model.parameters(), fused=True)
        live = {"lr": self.settings.lr, "beta": self.settings.beta}
        return TrainingState(model, {"autoencoder": optimizer}, live, seed)

    def step(self, state: TrainingState, loader: Loader, fraction: float) -> Scalars:
        """Make one step, and return what to log; raises NonFiniteError without any effect."""
        model = _encoder(state.model)
        decay = learning_rate(fraction, self.settings.decay_from)
        set_lr(state.optimizers["autoencoder"], state.live["lr"] * decay)
        with buffers_restored(model, on_failure_only=True):
            losses = (self._loss(state, model, batch) for batch in state.next_batch(loader))
            return optimize(state.optimizers["autoencoder"], losses)

    def _loss(self, state: TrainingState, model: EncodingModel, batch: Batch) -> MicroBatchLoss:
        """The loss of a micro-batch: reconstruction plus beta times the KL divergence."""
        stream = state.stream(Purpose.ENCODING, batch.images.device, batch.total, batch.rows)
        with self.precision.autocast():
            mean, log_variance = model.encode(batch.images)
            rebuilt = generate(model.generator, _draw(mean, log_variance, stream))
        distance = reconstruction(rebuilt, batch.images)
        cost = divergence(mean, log_variance)
        loss = distance + state.live["beta"] * cost
        scalars = {"loss": loss, "reconstruction": distance, "divergence": cost}
        detached = {name: value.detach() for name, value in scalars.items()}
        return MicroBatchLoss(batch.share, loss, detached)


def _draw(mean: Tensor, log_variance: Tensor, stream: Stream) -> Tensor:
    """The reparametrisation trick (section 2.4): gradients reach mean and spread, not the noise."""
    noise = stream.normal(*mean.shape)
    return mean + noise * (log_variance / 2).exp()


def _encoder(model: GenerativeModel) -> EncodingModel:
    assert isinstance(model, EncodingModel)  # a model's spec names its trainer
    return model

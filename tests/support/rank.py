"""One process of several that train small models together; run as a script by a test.

`python rank.py OUT STEPS [CASE ...]` trains some cases, or all, for so many steps as its
environment (RANK, WORLD_SIZE) says, and the first process writes all weights to OUT, and what was
logged to OUT.json.
"""

import json
import sys
from dataclasses import dataclass, field

import numpy as np
import torch
from safetensors.torch import save_file
from torch.optim import SGD

from ganvas.config.resolve import GAMES
from ganvas.data.loader import Loader
from ganvas.models import MODELS, build
from ganvas.models.projected import ProjectedDiscriminator
from ganvas.runtime.distributed import joined, together
from ganvas.training import TRAINERS, Precision

CPU = torch.device("cpu")
BATCH, SHAPE = 18, (3, 16, 16)


class Waves:
    """Forty smooth images of two classes."""

    shape, usable, classes, key, source = SHAPE, 40, ("up", "down"), "waves", "waves"

    def __len__(self) -> int:
        return self.usable

    def batch(self, positions: np.ndarray) -> np.ndarray:
        """The images (N, H, W, C) at these positions."""
        rows = np.arange(SHAPE[1])[:, None] * (0.1 + 0.02 * positions[:, None, None])
        columns = np.arange(SHAPE[2])[None, :] * 0.3 * (positions[:, None, None] % 2)
        grey = np.sin(rows + columns + positions[:, None, None])
        colours = np.stack([grey, -grey, grey**2 - 0.5], 3)
        return np.ascontiguousarray((127.5 + 100 * colours).astype(np.uint8))

    def labels(self, positions: np.ndarray) -> np.ndarray:
        """One-hot labels (N, 2)."""
        return np.eye(2, dtype=np.float32)[positions % 2]


@dataclass(frozen=True)
class Case:
    """A model, rules of its game, and how its weights are optimised."""

    model: str
    rules: dict[str, object] = field(default_factory=dict)
    micro_batches: int = 1
    sgd: float | None = None
    """The learning rate of plain gradient descent, instead of Adam's."""


AUGMENTED = {"augment": "shift+colour", "augment_share": 0.5, "augment_target": 0.6}
HINGES: dict[str, object] = {"loss": "relativistic-hinge", "gp": 1.0}
CASES = {
    **{name: Case(name) for name in MODELS},
    # Adam divides a gradient by its size. Where that is nothing but rounding, as of a bias before
    # batch normalisation, no other order of additions gives the same step.
    "fc": Case("fc", sgd=1e-3),
    "msg": Case("msg", sgd=1e-3),
    "dcgan, means": Case("dcgan", HINGES, sgd=1e-3),
    "dcgan, micro-batches": Case("dcgan", micro_batches=2),
    "dcgan, skipping": Case("dcgan", {"skip_d_below": 1.0, "d_steps": 2}),
    "compact, augmented": Case("compact", {**AUGMENTED, "instance_noise": 0.1, "r1": 0.5}),
    "stylegan, penalties": Case("stylegan", {"r1": 1.0, "r2": 0.5, "path_length": 1.0}, 2),
    # A hinge at each of so many places: larger steps meet a kink, from which the smallest
    # difference grows.
    "compact, both": Case("compact", {"discriminator": "both", "match": 3.0}, sgd=1e-4),
    "compact, pretrained": Case("compact", {"discriminator": "pretrained"}, sgd=1e-4),
}


def trained(case: Case, steps: int) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    """The weights after all steps, and what each step has logged."""
    torch.manual_seed(0)
    spec, rules = MODELS[case.model], case.rules
    classes = 2 if spec.trainer == "adversarial" else 0
    model = build(case.model, spec.settings(latent=8, width=4), SHAPE, classes)
    if spec.trainer == "adversarial":
        usual: dict[str, object] = {"lr_g": 1e-3, "lr_d": 1e-3, "r1": 0.0, "r2": 0.0}
        usual |= {"augment": "none", "augment_share": 1.0, "augment_target": 0.0}
        rules = usual | rules
    if rules.get("discriminator", "own") != "own":
        projected = ProjectedDiscriminator(SHAPE[1:], 2, latent=8)
        projected.measure([2 * torch.rand(40, *SHAPE) - 1])
        model.look_through(projected, alone=rules["discriminator"] == "pretrained")
    trainer = TRAINERS[spec.trainer](GAMES[spec.trainer](**rules), Precision(CPU, bf16=False))
    state = trainer.start(model, seed=0)
    if case.sgd is not None:
        state.live |= dict.fromkeys(("lr_g", "lr_d"), case.sgd)
        for name, adam in state.optimizers.items():
            state.optimizers[name] = SGD(adam.param_groups, lr=case.sgd)
    state.accumulate, logged = case.micro_batches, []
    loader = Loader(Waves(), BATCH, CPU)  # type: ignore[arg-type]
    for step in range(steps):
        with together():
            scalars = trainer.step(state, loader, step / steps)
        logged.append({key: float(value) for key, value in scalars.items()})
        state.step += 1
    return dict(model.state_dict()), logged


def main(out: str, steps: str, *only: str) -> None:
    """Train these cases, or all, and write what became of them."""
    torch.set_num_threads(1)
    weights, logged = {}, {}
    with joined() as here:
        for name in only or CASES:
            found, logged[name] = trained(CASES[name], int(steps))
            weights |= {f"{name}|{key}": value.clone() for key, value in found.items()}
    if not here.rank:
        save_file(weights, out)
        with open(f"{out}.json", "w") as file:
            json.dump(logged, file)


if __name__ == "__main__":
    main(*sys.argv[1:])

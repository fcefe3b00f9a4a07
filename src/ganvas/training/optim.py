"""One optimiser step of one player: gradients, a check that they are finite, the step.

This is the only place that calls `backward`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvas.models import GenerativeModel
from ganvas.runtime import distributed
from ganvas.training import signals

Scalars = dict[str, Tensor]


class NonFiniteError(ArithmeticError):
    """A loss or a gradient is NaN or infinite; the step was not made."""


@dataclass(frozen=True)
class MicroBatchLoss:
    """The loss of a micro-batch, its share of the batch, and what to log of it."""

    share: float
    loss: Tensor | None  # None, in the last one: the step is skipped
    scalars: Scalars


def optimize(
    optimizer: Optimizer,
    losses: Iterable[MicroBatchLoss],
    player: str = "",
    measured: bool = False,
) -> Scalars:
    """Accumulate the gradients of a batch's micro-batches, make a step, and return what to log.

    That is the mean of every scalar, the gradient norm and, if `measured`, the update-to-weight
    ratio. The names of the last two end in `player`.

    Each micro-batch is backpropagated before the next is computed, so that only one of them holds
    its activations at a time. Raises NonFiniteError before stepping.
    """
    optimizer.zero_grad(set_to_none=True)
    logged, totals = list[MicroBatchLoss](), list[Tensor]()
    for one in losses:
        logged.append(MicroBatchLoss(one.share, None, one.scalars))
        if one.loss is None:
            optimizer.zero_grad(set_to_none=True)
            return _over_processes(logged)
        loss = one.share * one.loss
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        totals.append(loss.detach())
    scalars = _over_processes(logged)
    distributed.sum_gradients(_gradients(optimizer))
    norm = nn.utils.get_total_norm(_gradients(optimizer))
    total = distributed.summed(torch.stack(totals).sum())
    if not torch.isfinite(norm + total):
        optimizer.zero_grad(set_to_none=True)
        what = "loss" if not torch.isfinite(total) else "gradient"
        raise NonFiniteError(f"the {what} is not a finite number")
    weights = _weights(optimizer) if measured else []
    before = signals.copies(weights)
    optimizer.step()
    scalars = scalars | {f"gradient{player}": norm}
    return scalars | (
        {f"update{player}": signals.update_ratio(before, weights)} if measured else {}
    )


def _over_processes(losses: list[MicroBatchLoss]) -> Scalars:
    """Each scalar's mean over the whole batch."""
    return distributed.means(_means(losses), sum(one.share for one in losses))


def _means(losses: list[MicroBatchLoss]) -> Scalars:
    """Each scalar's mean over the micro-batches that have it, weighted by their shares."""
    if len(losses) == 1:
        return losses[0].scalars
    means: Scalars = {}
    for name in dict.fromkeys(name for one in losses for name in one.scalars):
        having = [one for one in losses if name in one.scalars]
        total = sum(one.share for one in having)
        means[name] = torch.stack([o.scalars[name] * (o.share / total) for o in having]).sum()
    return means


def parameter_groups(model: GenerativeModel, player: nn.Module) -> list[dict[str, Any]]:
    """The trainable parameters of a player, in one group for each learning-rate multiplier."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    multipliers, groups = model.lr_multipliers(), dict[float, list[nn.Parameter]]()
    for parameter in player.parameters():
        if not parameter.requires_grad:
            continue
        groups.setdefault(multipliers.get(names[parameter], 1.0), []).append(parameter)
    return [{"params": found, "multiplier": multiplier} for multiplier, found in groups.items()]


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate of each group to `lr` times the group's multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("multiplier", 1.0)


def _gradients(optimizer: Optimizer) -> list[Tensor]:
    return [p.grad for p in _parameters(optimizer) if p.grad is not None]


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [p.detach() for p in _parameters(optimizer)]


def _parameters(optimizer: Optimizer) -> Iterator[nn.Parameter]:
    return (p for group in optimizer.param_groups for p in group["params"])

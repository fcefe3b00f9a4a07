"""One move of one player: gradients, a check that they are numbers, an optimiser step.

The only place that calls `backward`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvas.models import GenerativeModel
from ganvas.training import signals

Scalars = dict[str, Tensor]


class NonFiniteError(ArithmeticError):
    """A loss or a gradient is NaN or infinite: the move was not made."""


@dataclass(frozen=True)
class Portion:
    """What a share of a batch says."""

    share: float
    loss: Tensor | None  # None: nothing is learnt from it
    seen: Scalars


def descend(
    optimizer: Optimizer, portions: Iterable[Portion], player: str = "", measured: bool = False
) -> Scalars:
    """Step down the gradient of a batch's loss; the means of what was seen, and a gradient norm.

    `player` is the ending of the names of what is seen here; `measured`, how far its weights moved
    is among it.

    The loss of a portion is followed back before the next is computed, so that only one of them
    needs its activations at a time. Raises NonFiniteError before stepping.
    """
    optimizer.zero_grad(set_to_none=True)
    gone_through, losses = list[Portion](), list[Tensor]()
    for portion in portions:
        gone_through.append(Portion(portion.share, None, portion.seen))
        if portion.loss is not None:
            loss = portion.share * portion.loss
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            losses.append(loss.detach())
    seen = _means(gone_through)
    if not losses:
        return seen
    norm = nn.utils.get_total_norm(_gradients(optimizer))
    total = torch.stack(losses).sum()
    if not torch.isfinite(norm + total):
        optimizer.zero_grad(set_to_none=True)
        what = "loss" if not torch.isfinite(total) else "gradient"
        raise NonFiniteError(f"the {what} is not a finite number")
    weights = _weights(optimizer) if measured else []
    before = signals.copies(weights)
    optimizer.step()
    seen = seen | {f"gradient{player}": norm}
    return seen | ({f"update{player}": signals.moved(before, weights)} if measured else {})


def _means(portions: list[Portion]) -> Scalars:
    """Each scalar's mean over the portions that have it, by their shares."""
    if len(portions) == 1:
        return portions[0].seen
    found: Scalars = {}
    for key in dict.fromkeys(key for portion in portions for key in portion.seen):
        having = [portion for portion in portions if key in portion.seen]
        total = sum(portion.share for portion in having)
        found[key] = torch.stack([p.seen[key] * (p.share / total) for p in having]).sum()
    return found


def groups_by_rate(model: GenerativeModel, player: nn.Module) -> list[dict[str, Any]]:
    """The parameters of a player for an optimiser: together those that learn alike."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    rates, groups = model.rates(), dict[float, list[nn.Parameter]]()
    for parameter in player.parameters():
        if not parameter.requires_grad:
            continue
        groups.setdefault(rates.get(names[parameter], 1.0), []).append(parameter)
    return [{"params": parameters, "share": share} for share, parameters in groups.items()]


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Use this learning rate from now on, or each group its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)


def _gradients(optimizer: Optimizer) -> list[Tensor]:
    return [p.grad for p in _parameters(optimizer) if p.grad is not None]


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [p.detach() for p in _parameters(optimizer)]


def _parameters(optimizer: Optimizer) -> Iterator[nn.Parameter]:
    return (p for group in optimizer.param_groups for p in group["params"])

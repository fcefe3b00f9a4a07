"""One move of one player: gradients, a check that they are numbers, an optimiser step.

The only place that calls `backward`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvas.models import GenerativeModel

Scalars = dict[str, Tensor]


class NonFiniteError(ArithmeticError):
    """A loss or a gradient is NaN or infinite: the move was not made."""


def descend(optimizer: Optimizer, loss: Tensor) -> Tensor:
    """Step down the gradient of `loss`; its norm. Raises NonFiniteError before stepping."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch
    norm = nn.utils.get_total_norm(_gradients(optimizer))
    if not torch.isfinite(norm + loss.detach()):
        optimizer.zero_grad(set_to_none=True)
        what = "loss" if not torch.isfinite(loss.detach()) else "gradient"
        raise NonFiniteError(f"the {what} is not a finite number")
    optimizer.step()
    return norm


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


@contextmanager
def restored_unless_finite(model: nn.Module) -> Iterator[None]:
    """Put running statistics back when a move fails: the forward pass has already spoilt them."""
    before = [buffer.clone() for buffer in model.buffers()]
    try:
        yield
    except NonFiniteError:
        for buffer, old in zip(model.buffers(), before, strict=True):
            buffer.copy_(old)
        raise


def _gradients(optimizer: Optimizer) -> list[Tensor]:
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    return [p.grad for p in parameters if p.grad is not None]

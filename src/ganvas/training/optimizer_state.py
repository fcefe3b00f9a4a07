"""The moments of optimisers by parameter name: written, checked and restored."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

from ganvas.models import GenerativeModel
from ganvas.models.description import not_finite, same_kind

Tensors = dict[str, Tensor]
STEP, SQUARES = "step", "exp_avg_sq"
OF_ADAM = {STEP, "exp_avg", SQUARES}


def moments(model: GenerativeModel, optimizer: Optimizer) -> Tensors:
    """All moments, by the name `parameter:moment`."""
    names = _names(model)
    return {
        f"{names[parameter]}:{key}": value
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
    }


def by_parameter(saved: Mapping[str, Tensor]) -> dict[str, Tensors]:
    """Group what `moments` returned by parameter name."""
    found: dict[str, Tensors] = {}
    for key, value in saved.items():
        name, _, moment = key.rpartition(":")
        found.setdefault(name, {})[moment] = value
    return found


def misfit_of_moments(
    model: GenerativeModel, optimizer: Optimizer, saved: Mapping[str, Tensors], finite: bool
) -> str | None:
    """Why these cannot be the optimiser's moments; None where they can.

    A parameter that was never updated has none.
    """
    names = _names(model)
    known = {names[parameter]: parameter for parameter in _parameters(optimizer)}
    for name, found in saved.items():
        if name not in known:
            return f"there is no parameter {name[:60]!r}"
        if found.keys() != OF_ADAM:
            return f"{name} does not have Adam's moments"
        for key, tensor in found.items():
            wanted = torch.Size() if key == STEP else known[name].shape
            if tensor.shape != wanted or not same_kind(tensor, known[name]):
                return f"the {key} of {name} does not fit it"
        if finite and (broken := not_finite(found)):
            return f"the {broken} of {name} is not finite"
        if any(bool((found[key] < 0).any()) for key in (STEP, SQUARES)):
            return f"the moments of {name} cannot be negative"
    return None


def restore_moments(model: GenerativeModel, optimizer: Optimizer, saved: Tensors) -> None:
    """Restore the moments of an optimiser from what `moments` returned."""
    names, found = _names(model), by_parameter(saved)
    optimizer.load_state_dict(
        {
            "state": {
                i: {k: _laid_out_like(p, v) for k, v in found[names[p]].items()}
                for i, p in enumerate(_parameters(optimizer))
                if names[p] in found  # absent if it was never updated
            },
            "param_groups": optimizer.state_dict()["param_groups"],
        }
    )


def _names(model: GenerativeModel) -> dict[Tensor, str]:
    return {parameter: name for name, parameter in model.named_parameters()}


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _laid_out_like(parameter: Tensor, moment: Tensor) -> Tensor:
    # A fused optimiser reads parameters and moments in memory order: strides must agree.
    if moment.shape != parameter.shape:
        return moment
    return torch.empty_like(parameter, requires_grad=False).copy_(moment)

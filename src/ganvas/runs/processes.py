"""What the processes of a run tell each other: at its beginning, and between two steps.

The first process leads. It alone has callbacks, commands, a clock and a run directory; the others
follow (runs/follower.py), and need neither.
"""

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

import ganvas
from ganvas.checkpoints.checkpoint import Tensors
from ganvas.checkpoints.metadata import StateMetadata
from ganvas.config import Request
from ganvas.runs.plan import Plan
from ganvas.runtime.distributed import ElsewhereError, ProcessesError, heard, place, told
from ganvas.runtime.signals import HELD
from ganvas.training import TrainingState

GO_ON, WAIT, OVER = "go on", "wait", "over"
FAILED = "failed"


def check_alike(request: Request, asked: dict[str, Any]) -> None:
    """Raises ProcessesError unless all processes run the same code and were asked for the same.

    Where the images lie may differ from machine to machine.
    """
    if place().count < 2:
        return
    mine = {
        "host": platform.node(),
        "ganvas": ganvas.__version__,
        "torch": torch.__version__.partition("+")[0],
        "code": _code(),
        "settings": {"model": request.model, **asked, **request.values},
    }
    first, *others = heard(json.loads(json.dumps(mine, default=str)))
    for rank, other in enumerate(others, 1):
        if difference := _difference(first, other):
            sentence = (
                f"process {rank} on {other['host']} is unlike the first on {first['host']}: "
                f"{difference}; start the same version with the same command everywhere."
            )
            raise (ElsewhereError if place().rank else ProcessesError)(sentence)


def _difference(first: dict[str, Any], other: dict[str, Any]) -> str | None:
    for what in ("ganvas", "torch"):
        if first[what] != other[what]:
            return f"it has {what} {other[what]}, not {first[what]}"
    if first["code"] != other["code"]:
        return "its ganvas has other code of the same version"
    before, after = _flat(first["settings"]), _flat(other["settings"])
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            return f"{name} is {after.get(name)}, not {before.get(name)}"
    return None


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {}
        flat |= {} if isinstance(value, dict) else {name: value}
    return flat


def _code() -> str:
    """A checksum of the package's source files."""
    folder, found = Path(ganvas.__file__).parent, sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@contextmanager
def leading() -> Iterator[None]:
    """Say to the other processes, which wait for the run to be opened, if that fails."""
    try:
        yield
    except ElsewhereError:
        raise
    except BaseException as fault:
        told({FAILED: str(fault) or type(fault).__name__})
        raise


@dataclass(frozen=True)
class Introduction:
    """What the others must know of a run before they can follow."""

    config: dict[str, Any]
    images: int
    threads: int
    micro_batches: int
    key: str  # of the images

    @classmethod
    def of(cls, plan: Plan) -> "Introduction":
        """Of a run as planned."""
        dataset = plan.build.dataset
        return cls(
            plan.config.as_nested(), plan.images, plan.threads, plan.micro_batches, dataset.key
        )


def introduce(plan: Plan, state: TrainingState) -> None:
    """Tell the other processes what they train, and give them the state that it begins with.

    Raises ProcessesError where one of them cannot follow.
    """
    if place().count < 2:
        return
    told(asdict(Introduction.of(plan)))
    for _ in range(2):  # the first processes of other machines prepare the images, then the rest
        check_faults(heard())
    hand_over(state)


def check_faults(faults: list[str | None]) -> None:
    """Raises ProcessesError if a process has said that it cannot follow."""
    for rank, fault in enumerate(faults):
        if fault is not None:
            sentence = f"process {rank} cannot take part: {fault}"
            raise (ElsewhereError if place().rank else ProcessesError)(sentence)


def hand_over(state: TrainingState) -> None:
    """Give the other processes the whole state; they `take_over` it."""
    parts = state.tensors()
    forms = {
        part: {name: [list(t.shape), str(t.dtype), t.device.type] for name, t in tensors.items()}
        for part, tensors in parts.items()
    }
    told({"forms": forms, "state": asdict(state.metadata())})
    for tensors in parts.values():
        for tensor in tensors.values():
            dist.broadcast(tensor.detach().contiguous(), src=0)


def take_over(state: TrainingState) -> None:
    """Take the whole state from the first process."""
    said, parts = told(), dict[str, Tensors]()
    for part, forms in said["forms"].items():
        for name, (shape, dtype, device) in forms.items():
            kind = getattr(torch, dtype.removeprefix("torch."))
            where = state.device if device != "cpu" else torch.device("cpu")
            tensor: Tensor = torch.empty(shape, dtype=kind, device=where)
            dist.broadcast(tensor, src=0)
            parts.setdefault(part, {})[name] = tensor
        parts.setdefault(part, {})
    state.restore(parts, StateMetadata(**said["state"]))


@dataclass
class Leader:
    """The first process's side between two steps; with one process it does nothing."""

    state: TrainingState
    _rewritten: int = field(init=False)
    _has_heard: bool = False
    _over: bool = False

    def __post_init__(self) -> None:
        self._rewritten = self.state.rewritten

    def hear(self) -> str | None:
        """The signal that asked another process to end, if one did."""
        if place().count < 2 or self._over:
            return None
        self._has_heard = True
        return interrupted(None)

    def wait(self) -> str | None:
        """Let the others wait a little longer."""
        if place().count < 2:
            return None
        told({"kind": WAIT})
        return self.hear()

    def say(self, reason: str | None) -> None:
        """Let the others make the next step with the state that has been decided on, or end."""
        if place().count < 2 or self._over:
            return
        self._over, self._has_heard = reason is not None, False
        rewritten, self._rewritten = self._rewritten, self.state.rewritten
        fresh = rewritten != self._rewritten
        kind = OVER if self._over else GO_ON
        told({"kind": kind, "state": asdict(self.state.metadata()), "weights": fresh})
        if fresh and not self._over:
            hand_over(self.state)

    def dismiss(self, reason: str) -> None:
        """Let the others end, whatever they wait for, if they have not been told."""
        if place().count < 2 or self._over:
            return
        if not self._has_heard:
            self.hear()
        self.say(reason)


def interrupted(signal: int | None) -> str | None:
    """The name of a signal that asked any of the processes to end; `signal` is this one's."""
    numbers = torch.tensor([0 if signal is None else int(signal)])
    dist.all_reduce(numbers, dist.ReduceOp.MAX)
    (number,) = numbers.tolist()
    return next((held.name for held in HELD if held == number), None)

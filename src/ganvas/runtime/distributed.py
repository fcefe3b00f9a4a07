"""Several processes that train one run: what they share, and what they agree on.

`torchrun` and others start the processes, and tell each by its environment who it is. Each holds a
copy of the networks and takes its rows of every batch. Whatever depends on several images of a
batch is reduced over all processes here, so that their number changes no result. With one process
all of this does nothing.
"""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from math import prod
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganvas.errors import GanvasError

REACHED = timedelta(seconds=50)  # within which every process must have been reached at first
PARTED = timedelta(seconds=25)  # launchers kill what takes longer than 30
ANSWERED = timedelta(minutes=30)  # within which it must answer later: the first may be scoring

_together: ContextVar[bool] = ContextVar("together", default=False)


class ProcessesError(GanvasError, RuntimeError):
    """Processes of a run cannot be reached, or do not agree on what they train."""


class ElsewhereError(ProcessesError):
    """What went wrong in another process, which has said so itself."""


@dataclass(frozen=True)
class Place:
    """Who this process is among those of a run, as its environment says."""

    rank: int
    count: int
    local_rank: int  # among those of its machine
    local_count: int

    @classmethod
    def of_environment(cls) -> "Place":
        """What `torchrun` has said; raises ProcessesError for what is no number."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        said = {name: os.environ.get(name) for name in names}
        if said["WORLD_SIZE"] is None or said["RANK"] is None:
            return cls(0, 1, 0, 1)
        try:
            rank, count = int(said["RANK"]), int(said["WORLD_SIZE"])
            local = int(said["LOCAL_RANK"] or 0)
            here = int(said["LOCAL_WORLD_SIZE"] or min(count, local + 1))
        except ValueError:
            found = ", ".join(f"{name}={value}" for name, value in said.items() if value)
            raise ProcessesError(
                f"the environment does not say which process of a run this is ({found}); start it "
                "with torchrun, or unset RANK and WORLD_SIZE."
            ) from None
        return cls(rank, count, local, here)


ALONE = Place(0, 1, 0, 1)


def place() -> Place:
    """Who this process is among those that have joined; alone outside `joined`."""
    return _joined if dist.is_initialized() else ALONE


_joined = ALONE


@contextmanager
def joined() -> Iterator[Place]:
    """Meet the other processes of the run, and part from them after the block.

    Raises ProcessesError where they cannot be reached, or one is lost while the block runs.
    """
    global _joined
    here = Place.of_environment()
    if here.count < 2 or dist.is_initialized():  # one who calls as a library may have met them
        _joined = here if dist.is_initialized() else ALONE
        yield _joined
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(here.local_rank % torch.cuda.device_count())
    try:
        with lost_peers(f"not all {here.count} processes of the run could be reached"):
            _meet(here)
        _joined = here
        with lost_peers("another process of the run has ended, or cannot be reached any more"):
            try:
                yield here
            except Exception:
                raise
            except BaseException:  # a signal that has been obeyed: all have made the same step
                _part(here)
                raise
            _part(here)
    finally:
        _joined = ALONE
        if dist.is_initialized():
            dist.destroy_process_group()


def _meet(here: Place) -> None:
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store, rank, count = next(iter(rendezvous("env://", here.rank, here.count, timeout=REACHED)))
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True" and here.local_count == count:
        # The launcher's store outlives the processes: it still has the addresses of the last ones.
        # Launchers of several machines count restarts each for itself; `ganvas launch` has them
        # begin a new store each time.
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.distributed_c10d.PrefixStore(f"attempt/{attempt}", store)
    dist.init_process_group(backend, timeout=REACHED, rank=rank, world_size=count, store=store)
    dist.barrier()  # connections are made here
    dist.distributed_c10d._set_pg_timeout(ANSWERED)


def _part(here: Place) -> None:
    """Wait until the first process has saved everything, and that until all others are done.

    Who ends before may take the others down: launchers end all when one has ended by a signal.
    """
    store = dist.distributed_c10d._get_default_store()
    others = [0] if here.rank else range(1, here.count)
    with suppress(RuntimeError):  # one of them is lost: there is nothing to wait for
        store.set(f"parted/{here.rank}", "")
        store.wait([f"parted/{other}" for other in others], PARTED)


@contextmanager
def lost_peers(what: str) -> Iterator[None]:
    """Say in one sentence that processes are not reached."""
    try:
        yield
    except (dist.DistError, dist.DistNetworkError, dist.DistStoreError) as fault:
        raise ProcessesError(_unreached(what)) from fault
    except RuntimeError as fault:
        if isinstance(fault, GanvasError) or not _of_network(fault):
            raise
        raise ProcessesError(_unreached(what)) from fault


def _unreached(what: str) -> str:
    address = f"{os.environ.get('MASTER_ADDR', '?')}:{os.environ.get('MASTER_PORT', '?')}"
    return (
        f"{what} (process {Place.of_environment().rank} on {platform.node()}, first process "
        f"at {address}); the same command goes on from the last checkpoint with --requeue."
    )


def _of_network(fault: RuntimeError) -> bool:
    said = str(fault)
    return any(word in said for word in ("gloo", "NCCL", "Connection", "Broken pipe", "Timed out"))


@contextmanager
def together() -> Iterator[None]:
    """Reduce over all processes what depends on several images of a batch, while the block runs.

    Each process runs the same block, on its rows of the same batch.
    """
    token = _together.set(dist.is_initialized() and dist.get_world_size() > 1)
    try:
        yield
    finally:
        _together.reset(token)


def sharing() -> int:
    """How many processes share the batch that is worked on."""
    return dist.get_world_size() if shared() else 1


def shared() -> bool:
    """Whether the batch that is worked on is shared with other processes."""
    return _together.get()


class _Sum(torch.autograd.Function):
    """The sum over processes; gradients are summed too, so that it may be differentiated twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # In another thread on a GPU, which knows no `together`.
        total: Tensor = _Sum.apply(gradient)  # type: ignore[no-untyped-call]  # torch
        return total


def summed(x: Tensor) -> Tensor:
    """The sum of x, of one shape, over the processes that share a batch; differentiable.

    The loss of which it is a part is the sum of all processes' losses.
    """
    if not shared():
        return x
    found: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]  # torch
    return found


def gathered(x: Tensor) -> tuple[Tensor, slice]:
    """The rows (N, ...) of all processes that share a batch, and which of them are this one's."""
    if not shared():
        return x, slice(0, len(x))
    counts = torch.zeros(dist.get_world_size(), dtype=torch.int64)
    counts[dist.get_rank()] = len(x)
    dist.all_reduce(counts)
    first = int(counts[: dist.get_rank()].sum())
    rows = slice(first, first + len(x))
    before = x.new_zeros(first, *x.shape[1:])
    after = x.new_zeros(int(counts.sum()) - rows.stop, *x.shape[1:])
    return summed(torch.cat([before, x, after])), rows


def moments(x: Tensor, dims: tuple[int, ...] = (0,)) -> tuple[float, Tensor, Tensor]:
    """How many numbers there are, their mean, and their variance (divided by that number), over
    some dimensions of x and over all processes that share a batch."""
    count = float(prod(x.shape[dim] for dim in dims))
    if shared():
        count = float(summed(torch.tensor(count, dtype=torch.float64)))
    mean = summed(x.sum(dims, keepdim=True)) / count
    variance = summed((x - mean).square().sum(dims, keepdim=True)) / count
    return count, mean.squeeze(dims), variance.squeeze(dims)


def sum_gradients(gradients: list[Tensor]) -> None:
    """Replace gradients by their sums over the processes that share a batch, in place."""
    if not shared() or not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))


def means(scalars: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Means over the processes that share a batch, of which this one has `share`."""
    if not shared() or not scalars:
        return dict(scalars)
    values = torch.stack([value.detach().float() for value in scalars.values()])
    weighed = summed(torch.cat([share * values, values.new_tensor([share])]))
    return dict(zip(scalars, weighed[:-1] / weighed[-1], strict=True))


def rows_of(total: int) -> slice:
    """Which of `total` rows are this process's: those of all follow each other."""
    here = place() if shared() else ALONE
    return slice(total * here.rank // here.count, total * (here.rank + 1) // here.count)


def told(value: Any = None) -> Any:
    """What the first process says: JSON; the others' value is not looked at."""
    if not dist.is_initialized():
        return value
    said = [json.dumps(value) if place().rank == 0 else None]
    dist.broadcast_object_list(said, src=0, device=torch.device("cpu"))
    return json.loads(said[0] or "null")


def heard(value: Any = None) -> list[Any]:
    """What every process says, by rank."""
    if not dist.is_initialized():
        return [value]
    said: list[Any] = [None] * place().count
    dist.all_gather_object(said, json.dumps(value))
    return [json.loads(one) for one in said]


def copied(tensors: list[Tensor]) -> None:
    """Replace tensors by those of the first process, in place."""
    if not dist.is_initialized():
        return
    for tensor in tensors:
        whole = tensor.detach().contiguous()
        dist.broadcast(whole, src=0)
        tensor.data.copy_(whole)

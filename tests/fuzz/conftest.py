"""Mutations of what ganvas reads back: of values, of bytes, and of tensors; and the smallest run.

Every mutation is a function of its number, so that a failure can be made again.
"""

import json
import math
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import DatasetMetadata, ModelMetadata, RunMetadata, ScoredMetadata
from ganvas.config.resolve import GAMES as SETTINGS
from ganvas.doctor.incidents import Incident, Incidents
from ganvas.doctor.signals import RunFacts, SignalsWindow
from ganvas.events import Diagnosis
from ganvas.models import MODELS, build
from ganvas.training import TRAINERS, Precision

CPU = torch.device("cpu")
NETWORK = {"latent": 4, "width": 4}
SHAPE = (1, 8, 8)


def deep(levels: int = 100_000) -> str:
    return "[" * levels + "]" * levels


class Mutator:
    """Mutations by number."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)

    def value(self) -> object:
        """Something hostile."""
        return self.random.choice(
            [
                None, True, False, 0, -1, 1, 2.5, -0.0, math.nan, math.inf, -math.inf, 1e308,
                1e-308, 10**400, -(10**400), 2**31, 2**53, 2**63, -(2**63), 10**9, 10**12, 1000, 64,
                "", "x", "1", "\0", "a\0b", "..", "../../etc/passwd", "/etc/passwd", "C:\\x",
                "é\ud800", "\u202e\x1b[2J\n", "y" * 10_000, [], {}, [[]], [None], {"": None},
                {"a": {"b": [1]}}, [1, 2, 3], ["a"] * 50, [0.1] * 50,
                json.loads("[" * 40 + "]" * 40),
            ]
        )  # fmt: skip

    def tree(self, content: object) -> object:
        """JSON content with one to three things in it changed."""
        changed = json.loads(json.dumps(content))
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            changed = self._once(changed)
        return changed

    def _once(self, content: object) -> object:
        places = [*_places(content)]
        if not places or self.random.random() < 0.03:
            return self.value()
        holder, key = self.random.choice(places)
        action = self.random.choice(["value"] * 5 + ["nudge", "drop", "add", "swap", "rename"])
        if action == "value":
            holder[key] = self.value()
        elif action == "nudge":
            holder[key] = self._nudged(holder[key])
        elif action == "drop":
            del holder[key]
        elif action == "add" and isinstance(holder, dict):
            holder[self.random.choice(["new", "", "a/b", "\0", "..", "width"])] = self.value()
        elif action == "rename" and isinstance(holder, dict):
            holder[f"{key}{self.random.choice(['x', '/', chr(0)])}"] = holder.pop(key)
        else:
            other, at = self.random.choice(places)
            held = json.loads(json.dumps(other.get(at) if isinstance(other, dict) else 0))
            holder[key] = held
        return content

    def _nudged(self, value: object) -> object:
        if isinstance(value, bool) or value is None:
            return not value
        if isinstance(value, int | float):
            return self.random.choice([-value, value + 1, value * 1000, value // 3, str(value)])
        if isinstance(value, str):
            return self.random.choice([value[:-1], value + "x", value.upper(), [value]])
        return [value]

    def data(self, content: bytes) -> bytes:
        """Bytes with some of them changed."""
        data, some = bytearray(content), self.random
        place = some.randrange(len(data)) if data else 0
        match some.randrange(6):
            case 0:
                for _ in range(some.choice([1, 1, 1, 4])):
                    at = some.randrange(len(data))
                    data[at] ^= 1 << some.randrange(8)
            case 1:
                del data[place:]
            case 2:
                data[place:place] = some.randbytes(some.choice([1, 8, 300]))
            case 3:
                end = place + some.randrange(1, 200)
                data[place:end] = bytes(len(data[place:end]))
            case 4:
                del data[place : place + some.randrange(1, 50)]
            case _:
                at = some.randrange(len(data))
                data[place : place + 30] = data[at : at + 30]
        return bytes(data)

    def text(self, content: object) -> bytes:
        """JSON content, changed as content or as bytes."""
        kind = self.random.random()
        if kind < 0.01:
            return deep().encode()
        if kind < 0.7:
            return json.dumps(self.tree(content)).encode()
        return self.data(json.dumps(content).encode())

    def tensors(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors of which one or more are changed."""
        changed = {name: tensor.clone() for name, tensor in tensors.items()}
        for _ in range(self.random.choice([1, 1, 2])):
            if not changed:
                break
            name = self.random.choice([*changed])
            tensor = changed[name]
            match self.random.randrange(9):
                case 0:
                    del changed[name]
                case 1:
                    changed[self.random.choice(["new", "", "a:b", name + "x", "\0"])] = (
                        tensor.clone()
                    )
                case 2:
                    changed[name] = torch.zeros(
                        self.random.choice([(), (0,), (3,), (2, 0), (5, 5)])
                    )
                case 3:
                    changed[name] = tensor.to(self.random.choice(KINDS))
                case 4:
                    changed[name] = tensor.flatten()
                case 5:
                    changed[name] = tensor[None]
                case 6 if tensor.is_floating_point() and tensor.numel():
                    odd = self.random.choice([math.nan, math.inf, -math.inf])
                    tensor.view(-1)[self.random.randrange(tensor.numel())] = odd
                case 7 if tensor.is_floating_point():
                    changed[name] = -tensor - 1
                case _ if tensor.is_floating_point():
                    changed[name] = tensor * self.random.choice([1e38, 1e-38, 0])
        return changed


KINDS = [
    torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int8, torch.bool, torch.uint16,
    torch.complex64, torch.float8_e4m3fn,
]  # fmt: skip


def _places(content: object):
    if isinstance(content, dict):
        for key, inner in list(content.items()):
            yield content, key
            yield from _places(inner)
    if isinstance(content, list):
        for number, inner in enumerate(content[:8]):
            yield content, number
            yield from _places(inner)


@pytest.fixture(scope="session")
def mutator():
    return Mutator


@pytest.fixture
def fresh():
    """A game and a state of the smallest run, before its first step."""

    def make():
        usual = {"lr_g": 1e-3, "lr_d": 1e-3, "r1": 0.0, "r2": 0.0, "augment": "none"}
        usual |= {"augment_share": 1.0, "augment_target": 0.0}
        game = TRAINERS["adversarial"](SETTINGS["adversarial"](**usual), Precision(CPU, False))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = build("fc", MODELS["fc"].settings(**NETWORK), SHAPE, 0)
        return game, game.start(model, seed=0)

    return make


def doctor_record() -> dict[str, object]:
    """What a doctor leaves in a checkpoint."""
    signals = SignalsWindow(RunFacts(200, 1.386, True))
    names = ("loss_d", "loss_g", "spread_real", "spread_fake", "r_t", "update_d", "update_g")
    for step in range(1, 16 * 25 + 5):
        signals.record(step, 8 * step, dict.fromkeys(names, 0.1 + 0.001 * (step % 7)))
    found = ("score", "floor", "spread", "coverage", "missing", "uneven", "duplicates", "nearest")
    for step in range(0, 400, 32):
        signals.add_probe(step, 8 * step, dict.fromkeys((*found, "moved", "gap"), 0.3))
    incidents = Incidents()
    for step, name in ((32, "too-fast"), (64, "mode-collapse"), (128, "too-fast")):
        seen = Diagnosis(step, name, "It is seen.", {"share": 0.3}, "Do this.")
        incidents.add(
            Incident(seen, "Done." if step != 64 else None, 1, True if step == 32 else None)
        )
    return {
        "signals": signals.as_plain(),
        "incidents": incidents.as_plain(),
        "treated_at": 128,
    }


@pytest.fixture
def plain_doctor():
    return doctor_record()


@pytest.fixture
def about(fresh):
    """The metadata of a checkpoint of that run, but for its state."""
    from dataclasses import asdict

    game, _ = fresh()
    return RunMetadata(
        ganvas="0.1.0",
        torch="2.10",
        model=ModelMetadata("fc", dict(NETWORK), SHAPE),
        dataset=DatasetMetadata("key", "/somewhere", 20),
        config={"game": asdict(game.settings), "training": {"precision": "fp32"}},
        records={"doctor": doctor_record()},
        score=0.5,
        scored=ScoredMetadata(8, 64, "digits", 100, 100, 0, {"kernel": 0.5, "precision": 0.1}),
    )


@pytest.fixture
def saved(tmp_path, fresh, about, blobs):
    """RUN/checkpoints with two of a run that has made two steps."""
    from ganvas.data.loader import Loader

    game, state = fresh()
    loader = Loader(blobs(SHAPE, count=20), 8, CPU)
    for number in (1, 2):
        game.step(state, loader, 0.1)
        state.step += 1
        checkpoint.write(
            tmp_path / "run" / "checkpoints" / f"step-{number:09d}",
            state.tensors(),
            replace(about, state=state.metadata()),
        )
    return tmp_path / "run" / "checkpoints"


@pytest.fixture(scope="session")
def copied():
    def copy(folder: Path, to: Path) -> Path:
        shutil.rmtree(to, ignore_errors=True)
        return Path(shutil.copytree(folder, to))

    return copy

"""Mutated files of every kind that ganvas reads back, and never a traceback.

Whatever is read is right, or refused by a GanvasError. A case is a number: `Mutator(number)` makes
it again, and GANVAS_FUZZ_FROM=2000 tries others. `make test` tries 200 of each, `make test-all`
2,000.
"""

import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import settings

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import RunMetadata, StateMetadata
from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.doctor import _strips
from ganvas.data.loader import Loader
from ganvas.doctor import ISSUES, detection
from ganvas.doctor.page import page
from ganvas.doctor.report import History, condition, describe_incident, next_steps
from ganvas.errors import GanvasError
from ganvas.generate import export
from ganvas.generate.trained import find_trained
from ganvas.training import Goal, train
from ganvas.training.callbacks import curves, log
from ganvas.training.callbacks.checkpoints import best
from ganvas.training.callbacks.samples import grids, write_progress

CPU = torch.device("cpu")
FIRST = int(os.environ.get("GANVAS_FUZZ_FROM", "0"))  # other numbers are other mutations
SHAPE = (1, 8, 8)
LONGEST = 400  # characters of a message, beside paths


def tracebacks(case):
    """What else than a GanvasError came of the cases, and the share that was refused."""
    found, refused, count = [], 0, settings().max_examples
    for number in range(FIRST, FIRST + count):
        try:
            case(number)
        except GanvasError as fault:
            refused += 1
            said = str(fault)
            if "\n" in said or not said.isprintable() or len(said) > LONGEST + 3 * len(str(Path())):
                found.append(f"{number}: says {said[:300]!r}")
        except Exception as fault:
            found.append(f"{number}: {type(fault).__name__} {str(fault)[:200]!r}")
    return found[:10], refused / count


def test_exported_generators(tmp_path, saved, mutator):
    whole = find_trained(saved.parent)
    path = tmp_path / "g.safetensors"
    export.write(path, whole.average, whole.metadata)
    with safetensors.safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["ganvas"])
    tensors, data = export.read(path)[0], path.read_bytes()

    def case(number):
        change = mutator(number)
        if number % 4 == 0:
            path.write_bytes(change.data(data))
        else:
            described = change.text(facts) if number % 4 < 3 else json.dumps(facts).encode()
            kept = tensors if number % 4 < 3 else change.tensors(tensors)
            metadata = {"format": "2", "ganvas": described.decode("utf-8", "replace")}
            path.write_bytes(safetensors.torch.save(kept, metadata))
        assert ganvas.load(path).sample(1).shape[0] == 1

    found, refused = tracebacks(case)
    assert not found
    assert refused > 1 / 2


def test_manifests(saved, mutator):
    folder = saved / "step-000000002"
    path, manifest = folder / "manifest.json", json.loads((folder / "manifest.json").read_bytes())

    def case(number):
        path.write_bytes(mutator(number).text(manifest))
        found, _ = checkpoint.newest(saved)  # there is an older one, and it is whole
        assert found.state.step in (1, 2)
        found.all_tensors()
        assert best(saved) is not None

    assert tracebacks(case) == ([], 0)


def resumed(saved, fresh, loader):
    """What a run does with its newest checkpoint, and a step of it."""
    found, _ = checkpoint.newest(saved)
    game, state = fresh()
    state.restore(found.all_tensors(), found.state)
    history = History.of(found.metadata)
    assert history is None or told_in_full(history)
    next(iter(train(game, state, loader, Goal(state.images + 100), 0.05)))


def told_in_full(history):
    lines = [line for incident in history.incidents.all for line in describe_incident(incident)]
    detection.detect_issues(ISSUES, history.signals, history.incidents)
    detection.first_new(ISSUES, history.incidents, history.step)
    for _ in range(17):
        history.signals.record(history.step, history.images, {"loss_d": 1.0, "r_t": 0.1})
    text = page("title", history, None, {})
    text.encode()
    return [*lines, *condition(history), *next_steps(history), text]


@pytest.mark.filterwarnings("ignore::ganvas.generate.pipeline.FallbackWarning")
def test_facts_that_were_signed_again(saved, mutator, signed, fresh, blobs):
    folder, loader = saved / "step-000000002", Loader(blobs(SHAPE, count=20), 8, CPU)
    facts = json.loads((folder / "metadata.json").read_bytes())

    def case(number):
        change = mutator(number)
        small = {k: v for k, v in facts.items() if k != "records"} if number % 2 else facts
        signed(folder, metadata=change.text(small))
        if number % 3 == 0:
            ganvas.load(folder).sample(1)
            ganvas.load(saved.parent).sample(1)
        resumed(saved, fresh, loader)
        best(saved)

    found, refused = tracebacks(case)
    assert not found
    assert refused


def test_tensors_that_were_signed_again(saved, mutator, signed, fresh, blobs, copied, tmp_path):
    loader = Loader(blobs(SHAPE, count=20), 8, CPU)
    kept = copied(saved / "step-000000002", tmp_path / "kept")
    whole = checkpoint.read(kept)
    parts = whole.all_tensors()
    folder = copied(kept, tmp_path / "other" / "checkpoints" / "step-000000002")

    def case(number):
        change, part = mutator(number), [*parts][number % len(parts)]
        before = (kept / f"{part}.safetensors").read_bytes()
        if number % 7 == 0:
            data = change.data(before)
        else:
            data = safetensors.torch.save(change.tensors(parts[part]))
        signed(folder, **{part.replace("-", "__"): data})
        try:
            ganvas.load(folder).sample(1)
            resumed(folder.parent, fresh, loader)
        finally:
            signed(folder, **{part.replace("-", "__"): before})

    found, refused = tracebacks(case)
    assert not found
    assert refused > 1 / 2


LINES = [
    {"step": 10, "images": 80, "seconds": 0.5, "dropped": 0, "loss_d": 1.3, "loss_g": 0.7,
     "d_real": 0.5, "d_fake": 0.5},
    {"step": 20, "images": 160, "seconds": 1.0, "dropped": 0, "loss_d": 1.2, "loss_g": 0.8,
     "d_real": 0.6, "d_fake": 0.4},
    {"event": "diagnosis", "step": 20, "issue": "too-fast", "sentence": "It is.",
     "figures": {"update_d": 0.4}, "advice": "Do this."},
    {"event": "treatment", "step": 20, "issue": "too-fast", "sentence": "Done."},
    {"step": 20, "images": 160, "score": 0.4},
    {"event": "scored", "step": 30, "images": 240, "features": "digits", "samples": 100,
     "reals": 100, "seed": 0, "kernel": 0.4, "precision": 0.5, "recall": 0.4, "coverage": 0.3},
    {"step": 30, "images": 240, "score": 0.3, "loss_d": 1.1, "loss_g": 0.9},
    {"event": "scored", "step": 40, "images": 320, "features": "digits", "samples": 100,
     "reals": 100, "seed": 0, "kernel": 0.3, "precision": 0.5, "recall": 0.4, "coverage": 0.3},
]  # fmt: skip


def remembering(record):
    """The metadata of a run that a doctor watched."""
    state = StateMetadata(seed=0, rank=0, step=1000, images=8000, seconds=1.0, dropped=0, live={})
    return RunMetadata(state=state, records={"doctor": record})


def test_metrics_log(tmp_path, mutator, plain_doctor):
    folder = RunDir(tmp_path)
    history = History.of(remembering(plain_doctor))
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)

    def case(number):
        change = mutator(number)
        if number % 3:
            lines = [json.dumps(line).encode() for line in LINES]
            lines[number % len(LINES)] = change.text(LINES[number % len(LINES)])
            data = b"\n".join(lines)
        else:
            data = change.data(whole)
        folder.metrics_log.write_bytes(data)
        lines = log.read(folder.metrics_log)
        assert len(lines) >= len(LINES) / 2 or number % 3 == 0
        for name in {name for names in curves.PANELS.values() for name in names}:
            curves._without_spikes([line[name] for line in lines if name in line])
        curves._comparable([line for line in lines if "images" in line])
        if number % 200 == 0:
            curves.draw(folder.metrics_log, folder.curves)
        _strips(folder, history)
        log.MetricsLog.of_run(folder.metrics_log, 100).append({"step": 41, "mark": number})
        assert log.read(folder.metrics_log)[-1] == {"step": 41, "mark": number}
        log.forget_after(folder.metrics_log, 15)
        assert all(line["step"] <= 15 for line in log.read(folder.metrics_log))

    assert tracebacks(case) == ([], 0)


def test_records_of_the_doctor(mutator, plain_doctor):
    def case(number):
        try:
            record = json.loads(mutator(number).text(plain_doctor))
        except (ValueError, RecursionError):
            return  # facts are never read from what is no JSON
        history = History.of(remembering(record))
        assert (history is None) == (record is None)
        assert history is None or told_in_full(history)

    found, refused = tracebacks(case)
    assert not found
    assert refused > 1 / 10


def test_grids_of_samples(tmp_path, mutator):
    from ganvas.imaging.write import write_png

    folder = tmp_path / "samples"
    folder.mkdir()
    pixels = torch.randint(0, 256, (20, 30, 3), dtype=torch.uint8).numpy()
    for images in (100, 200):
        write_png(folder / f"{images:010d}.png", pixels, {"images": str(images)})
    whole = (folder / "0000000200.png").read_bytes()

    def case(number):
        (folder / "0000000200.png").write_bytes(mutator(number).data(whole))
        found = grids(folder)
        assert folder / "0000000100.png" in found or len(found) == 1
        if number % 10 == 0:
            assert write_progress(folder, tmp_path / "progress.gif")

    assert tracebacks(case) == ([], 0)

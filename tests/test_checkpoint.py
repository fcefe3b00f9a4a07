"""Checkpoints: complete or not there, whatever happens while they are written or afterwards."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganvas import checkpoint
from ganvas.checkpoint import CheckpointError

TENSORS = {
    "model": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)},
    "average": {"weight": torch.randn(4, 4).to(torch.bfloat16)},
}
FILES = ["model.safetensors", "average.safetensors", "facts.json", "manifest.json"]


@pytest.fixture
def saved(tmp_path):
    """A folder with checkpoints of steps 1 and 2."""
    for step in (1, 2):
        checkpoint.write(tmp_path / f"step-{step:09d}", TENSORS, {"step": step})
    return tmp_path


def test_what_was_written_is_read_back(saved):
    found, passed_over = checkpoint.newest(saved)
    assert passed_over == []
    assert found.facts == {"step": 2}
    for name, tensors in found.all_tensors().items():
        for key, tensor in tensors.items():
            assert torch.equal(tensor, TENSORS[name][key])
            assert tensor.dtype == TENSORS[name][key].dtype


def test_strides_of_channels_last_tensors_do_not_matter(tmp_path):
    weight = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    checkpoint.write(tmp_path / "step-1", {"model": {"w": weight}}, {})
    assert torch.equal(checkpoint.read(tmp_path / "step-1").tensors("model")["w"], weight)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing"])
def test_damage_is_named_and_the_one_before_is_used(saved, name, damage):
    path = saved / "step-000000002" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        changed = bytes([data[middle] ^ 1])
        path.write_bytes(
            {
                "flipped": data[:middle] + changed + data[middle + 1 :],
                "cut": data[:-3],
                "empty": b"",
            }[damage]
        )
    found, passed_over = checkpoint.newest(saved)
    assert found.facts == {"step": 1}
    assert len(passed_over) == 1
    assert "step-000000002" in passed_over[0]
    assert "the checkpoint before it is used instead" in passed_over[0].lower()


def test_nothing_whole_is_an_error_that_names_every_fault(saved):
    for folder in saved.iterdir():
        (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint below .* is whole.*damaged.*damaged"):
        checkpoint.newest(saved)


def test_no_checkpoint_at_all_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="has the run been saved yet"):
        checkpoint.newest(tmp_path / "checkpoints")


def test_a_newer_format_is_refused(saved):
    path = saved / "step-000000002" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": checkpoint.FORMAT + 1}))
    with pytest.raises(CheckpointError, match="update ganvas"):
        checkpoint.read(path.parent)


def test_an_older_format_is_patched_step_by_step(saved, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 3)
    patches = {1: lambda f: f | {"one": True}, 2: lambda f: f | {"two": "one" in f}}
    monkeypatch.setattr(checkpoint, "PATCHES", patches)
    assert checkpoint.read(saved / "step-000000002").facts == {"step": 2, "one": True, "two": True}


def test_a_full_disk_leaves_the_one_before_and_nothing_else(saved, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"the disk is full.*untouched"):
        checkpoint.write(saved / "step-000000003", TENSORS, {"step": 3})
    monkeypatch.undo()
    assert checkpoint.newest(saved)[0].facts == {"step": 2}
    assert sorted(path.name for path in saved.iterdir()) == ["step-000000001", "step-000000002"]


KILLED = """
import os, sys, torch
from pathlib import Path
from ganvas import checkpoint
left = int(sys.argv[2])
def deadly(function):
    def run(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return function(*arguments, **named)
    return run
os.fsync, os.replace, os.mkdir = deadly(os.fsync), deadly(os.replace), deadly(os.mkdir)
Path.open = deadly(Path.open)
tensors = {"model": {"weight": torch.ones(3)}, "average": {"weight": torch.ones(3)}}
checkpoint.write(Path(sys.argv[1]) / "step-000000002", tensors, {"step": 2, "again": True})
"""


def test_death_at_any_moment_of_writing_leaves_a_good_checkpoint(tmp_path):
    checkpoint.write(tmp_path / "step-000000001", TENSORS, {"step": 1})
    outcomes, moment = [], 0
    while not outcomes or outcomes[-1] != 0:
        arguments = [sys.executable, "-c", KILLED, str(tmp_path), str(moment)]
        outcomes.append(subprocess.run(arguments, check=False).returncode)
        found, passed_over = checkpoint.newest(tmp_path)
        assert found.facts["step"] in (1, 2)
        assert passed_over == []
        moment += 1
        assert moment < 40
    assert len(outcomes) > 8  # it died at every open, flush and rename before it came through
    assert found.facts == {"step": 2, "again": True}
    checkpoint.prune(tmp_path, keep=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000001", "step-000000002"]


def test_the_newest_and_one_more_are_kept(tmp_path):
    for step in range(5):
        checkpoint.write(tmp_path / f"step-{step}", TENSORS, {})
    checkpoint.prune(tmp_path, keep=2, spared=tmp_path / "step-1")
    assert [path.name for path in checkpoint.listed(tmp_path)] == ["step-4", "step-3", "step-1"]
    checkpoint.prune(tmp_path, keep=1)
    assert [path.name for path in checkpoint.listed(tmp_path)] == ["step-4"]


def test_writing_the_same_step_again_replaces_it(saved):
    checkpoint.write(saved / "step-000000002", TENSORS, {"step": 2, "again": True})
    assert checkpoint.newest(saved)[0].facts["again"]
    assert len(list(saved.iterdir())) == 2


def test_a_file_of_another_kind_is_refused_before_it_is_parsed(tmp_path: Path):
    folder = tmp_path / "step-1"
    folder.mkdir()
    (folder / "manifest.json").write_text("[1, 2]")
    with pytest.raises(CheckpointError, match="is damaged"):
        checkpoint.read(folder)

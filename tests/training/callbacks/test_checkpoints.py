"""What is kept of a run while it goes on: the newest, the best, nothing damaged."""

import shutil

import pytest
import torch

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import RunMetadata
from ganvas.data.loader import Loader
from ganvas.training.callbacks.checkpoints import Checkpointer, best
from ganvas.training.callbacks.log import MetricsLog

CPU = torch.device("cpu")
SHAPE = (1, 16, 16)


@pytest.fixture
def checkpointer(tmp_path, begin, small, blobs):
    """Saves the smallest run, after a step at a time."""
    game, state = begin("fc", small("fc"))
    loader = Loader(blobs(SHAPE, count=20), 8, CPU)
    metrics_log = MetricsLog.of_run(tmp_path / "metrics.jsonl", 1000)
    made = Checkpointer(
        tmp_path / "checkpoints", 1e9, 1, True, RunMetadata(), torch.zeros(8, 64), metrics_log
    )

    def save():
        game.step(state, loader, 0.1)
        state.step += 1
        return made.save(state).path

    made.after_a_step = save
    return made


def names(checkpointer):
    return [path.name for path in checkpoint.list_checkpoints(checkpointer.folder)]


def damage(path):
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def test_saves_after_a_damaged_newest_one_are_kept(checkpointer):
    first = checkpointer.after_a_step()
    shutil.copytree(first, checkpointer.folder / "step-000000999")
    damage(checkpointer.folder / "step-000000999")
    for _ in range(4):
        path = checkpointer.after_a_step()
        assert path.exists()
        assert checkpoint.newest(checkpointer.folder)[0].folder == path
        assert (checkpointer.folder / "step-000000999").exists()
        assert len(names(checkpointer)) <= 3  # with the best one


def test_a_damaged_best_one_is_no_best_one(tmp_path):
    for step, score in ((1, 0.1), (2, 0.5), (3, 0.7)):
        weights = {"model": {"w": torch.ones(9)}}
        checkpoint.write(tmp_path / f"step-{step}", weights, RunMetadata(score=score))
    assert best(tmp_path) == tmp_path / "step-1"
    damage(tmp_path / "step-1")
    assert best(tmp_path) == tmp_path / "step-2"
    checkpoint.prune(tmp_path, 1, best(tmp_path))
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-3", "step-2"]


def test_a_copy_of_ones_own_is_neither_the_best_nor_the_newest(checkpointer):
    path = checkpointer.after_a_step()
    names = ("step-best", f"{path.name}-good", f"{path.name} (1)")
    copies = [checkpointer.folder / name for name in names]
    for copy in copies:
        shutil.copytree(path, copy)
    for _ in range(3):
        newest = checkpointer.after_a_step()
    assert checkpoint.newest(checkpointer.folder)[0].folder == newest
    assert best(checkpointer.folder) not in copies
    assert all((copy / "manifest.json").exists() for copy in copies)


def test_a_score_that_is_no_number_is_not_the_best(tmp_path):
    for step, score in ((1, float("nan")), (2, 0.5), (3, float("inf"))):
        checkpoint.write(tmp_path / f"step-{step}", {}, RunMetadata(score=score))
    assert best(tmp_path) == tmp_path / "step-2"


def test_a_save_is_found_again_though_older_ones_have_higher_numbers(checkpointer):
    for step in (100, 200):
        checkpoint.write(checkpointer.folder / f"step-{step:09d}", {}, RunMetadata(score=0.0))
    path = checkpointer.after_a_step()
    assert path.exists()

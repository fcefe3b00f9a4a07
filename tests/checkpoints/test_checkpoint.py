"""Checkpoints: complete or not there, whatever happens while they are written or afterwards."""

import errno
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganvas.checkpoints import checkpoint, patches
from ganvas.checkpoints.metadata import (
    CheckpointError,
    DatasetMetadata,
    ModelMetadata,
    RunMetadata,
    StateMetadata,
)

TENSORS = {
    "model": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)},
    "average": {"weight": torch.randn(4, 4).to(torch.bfloat16)},
}


def at(step, **more):
    """The metadata of a run at this step."""
    state = StateMetadata(seed=0, rank=0, step=step, images=0, seconds=0.0, dropped=0, live={})
    return RunMetadata(state=state, **more)


FILES = ["model.safetensors", "average.safetensors", "metadata.json", "manifest.json"]


@pytest.fixture
def saved(tmp_path):
    """A folder with checkpoints of steps 1 and 2."""
    for step in (1, 2):
        checkpoint.write(tmp_path / f"step-{step:09d}", TENSORS, at(step))
    return tmp_path


def test_what_was_written_is_read_back(saved):
    found, passed_over = checkpoint.newest(saved)
    assert passed_over == []
    assert found.state.step == 2
    for name, tensors in found.all_tensors().items():
        for key, tensor in tensors.items():
            assert torch.equal(tensor, TENSORS[name][key])
            assert tensor.dtype == TENSORS[name][key].dtype


def test_strides_of_channels_last_tensors_do_not_matter(tmp_path):
    weight = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    checkpoint.write(tmp_path / "step-1", {"model": {"w": weight}}, RunMetadata())
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
    assert found.state.step == 1
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


def test_an_older_format_is_patched_step_by_step(monkeypatch):
    found = {1: lambda content: content | {"one": True}, 2: lambda c: c | {"two": "one" in c}}
    monkeypatch.setattr(patches, "FORMAT", 3)
    monkeypatch.setattr(patches, "PATCHES", found)
    assert patches.patch({"step": 2}, 1) == {"step": 2, "one": True, "two": True}
    assert patches.patch({"step": 2}, 2) == {"step": 2, "two": False}


def test_every_older_format_has_its_patch():
    assert patches.PATCHES.keys() == set(range(1, patches.FORMAT))


def test_a_full_disk_leaves_the_one_before_and_nothing_else(saved, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"the disk is full.*untouched"):
        checkpoint.write(saved / "step-000000003", TENSORS, at(3))
    monkeypatch.undo()
    assert checkpoint.newest(saved)[0].state.step == 2
    assert sorted(path.name for path in saved.iterdir()) == ["step-000000001", "step-000000002"]


KILLED = """
import os, sys, torch
from pathlib import Path
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import RunMetadata
def deadly(function):
    def run(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return function(*arguments, **named)
    return run
def write():
    os.fsync, os.replace, os.mkdir = deadly(os.fsync), deadly(os.replace), deadly(os.mkdir)
    Path.open = deadly(Path.open)
    tensors = {"model": {"weight": torch.ones(3)}, "average": {"weight": torch.ones(3)}}
    checkpoint.write(Path(sys.argv[1]) / "step-000000002", tensors, RunMetadata(ganvas="again"))
for line in sys.stdin:  # a process for each moment, of one that has imported everything
    left = int(line)
    if not (child := os.fork()):
        write()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_death_at_any_moment_of_writing_leaves_a_good_checkpoint(tmp_path):
    checkpoint.write(tmp_path / "step-000000001", TENSORS, at(1))
    outcomes, moment = [], 0
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        while not outcomes or outcomes[-1] != 0:
            process.stdin.write(f"{moment}\n")
            process.stdin.flush()
            outcomes.append(int(process.stdout.readline()))
            found, passed_over = checkpoint.newest(tmp_path)
            assert found.metadata in (at(1), RunMetadata(ganvas="again"))
            assert passed_over == []
            moment += 1
            assert moment < 40
        process.stdin.close()
    assert set(outcomes) == {0, 9}
    assert len(outcomes) > 8  # it died at every open, flush and rename before it came through
    assert found.metadata.ganvas == "again"
    checkpoint.prune(tmp_path, keep=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000001", "step-000000002"]


def test_the_newest_and_one_more_are_kept(tmp_path):
    for step in range(5):
        checkpoint.write(tmp_path / f"step-{step}", TENSORS, RunMetadata())
    checkpoint.prune(tmp_path, keep=2, spared=tmp_path / "step-1")
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == [
        "step-4",
        "step-3",
        "step-1",
    ]
    checkpoint.prune(tmp_path, keep=1)
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-4"]


def lay(root, *steps):
    """Whole checkpoints of these steps."""
    for step in steps:
        checkpoint.write(root / f"step-{step:09d}", TENSORS, at(step))


def damage(root, step):
    file = root / f"step-{step:09d}" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def steps(root):
    return [int(path.name.removeprefix("step-")) for path in checkpoint.list_checkpoints(root)]


def test_the_newest_has_the_highest_number_however_it_is_written(tmp_path):
    for name in ("step-9", "step-10", "step-0000000011", "step-000000002"):
        checkpoint.write(tmp_path / name, TENSORS, RunMetadata())
    assert steps(tmp_path) == [11, 10, 9, 2]


OWN = [
    "step-best", "step-000000003-good", "step-000000003 (1)", "step-000000003.bak", "step-",
    "Step-4", "step-٣", "step-3\n", "old", ".unfinished-step-000000020-123 (conflict)",
    ".unfinished-mine", ".unfinished-step-000000020-", ".unfinished-step-x-5",
    ".stversions", "step-1e3",
]  # fmt: skip


def test_what_is_somebodys_own_neither_counts_nor_is_deleted(tmp_path):
    lay(tmp_path, 1, 2, 3)
    for name in OWN:
        shutil.copytree(tmp_path / "step-000000003", tmp_path / name)
    (tmp_path / "step-000000009").write_text("a file")
    (tmp_path / "step-000000008").symlink_to("nowhere")
    (tmp_path / "step-000000007").symlink_to("step-best", target_is_directory=True)
    assert checkpoint.newest(tmp_path)[0].folder.name == "step-000000007"  # it is whole
    checkpoint.prune(tmp_path, keep=1)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*OWN, "step-000000009", "step-000000008", "step-000000007"}
    assert all((tmp_path / name / "model.safetensors").exists() for name in OWN)


def test_a_link_is_never_deleted(tmp_path):
    lay(tmp_path, 5, 6)
    shutil.copytree(tmp_path / "step-000000005", tmp_path / "elsewhere")
    (tmp_path / "step-000000001").symlink_to("elsewhere", target_is_directory=True)
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [6, 1]
    assert len(list((tmp_path / "elsewhere").iterdir())) == 4


def test_what_a_dead_process_left_is_deleted_and_what_a_live_one_writes_is_not(tmp_path):
    lay(tmp_path, 1)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for process in (dead.pid, os.getppid(), 999_999_999):
        (tmp_path / f".unfinished-step-000000002-{process}").mkdir()
    (tmp_path / f".unfinished-step-000000002-{10**15}").mkdir()  # of no process that can be
    (tmp_path / f".unfinished-stale-{dead.pid}").write_text("a file")
    checkpoint.prune(tmp_path, keep=1)
    left = {path.name for path in tmp_path.glob(".unfinished-step*")}
    expected = (os.getppid(), 10**15)
    assert left == {f".unfinished-step-000000002-{process}" for process in expected}


def test_damaged_ones_do_not_count_as_the_newest(tmp_path):
    lay(tmp_path, 1, 2, 3, 8, 9)
    damage(tmp_path, 8)
    damage(tmp_path, 9)
    checkpoint.prune(tmp_path, keep=2)
    assert steps(tmp_path) == [9, 8, 3, 2]  # the damaged ones may yet be rescued
    lay(tmp_path, 4)
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [9, 8, 4]
    lay(tmp_path, 10)
    checkpoint.prune(tmp_path, keep=2)
    assert steps(tmp_path) == [10, 4]


def test_where_nothing_is_whole_nothing_is_deleted(tmp_path):
    lay(tmp_path, 1, 2, 3)
    for step in (1, 2, 3):
        damage(tmp_path, step)
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [3, 2, 1]


def test_what_has_just_been_saved_stays_whatever_its_number(tmp_path):
    lay(tmp_path, 1, 7, 8, 9)  # as where somebody has put older files back
    checkpoint.prune(tmp_path, keep=1, saved=tmp_path / "step-000000001")
    assert steps(tmp_path) == [9, 1]


def test_one_of_a_newer_ganvas_is_not_deleted(tmp_path):
    lay(tmp_path, 1, 2, 3)
    path = tmp_path / "step-000000001" / "manifest.json"
    path.write_text(json.dumps({"format": 99, "files": "of another kind"}))
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [3, 1]
    with pytest.raises(CheckpointError, match=r"format 99.*update ganvas"):
        checkpoint.read(path.parent)


def test_one_that_the_disk_does_not_give_is_not_deleted(tmp_path, monkeypatch):
    lay(tmp_path, 1, 2, 3)
    read = Path.read_bytes

    def failing(path):
        if path.parent.name == "step-000000001":
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", failing)
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [3, 1]
    monkeypatch.undo()
    checkpoint.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [3]


@pytest.mark.parametrize("function", ["unlink", "rmdir", "iterdir"])
def test_what_cannot_be_deleted_ends_nothing(function, tmp_path, monkeypatch):
    lay(tmp_path, 1, 2)

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, function, refused)
    checkpoint.prune(tmp_path, keep=1)
    monkeypatch.undo()
    assert checkpoint.newest(tmp_path)[0].state.step == 2


def test_notes_in_the_folder_of_a_checkpoint_are_kept(tmp_path):
    lay(tmp_path, 1, 2)
    for step in (1, 2):
        (tmp_path / f"step-{step:09d}" / "notes.txt").write_text(f"of {step}")
        (tmp_path / f"step-{step:09d}" / "._manifest.json").write_text("of a Mac")
    checkpoint.prune(tmp_path, keep=1)
    assert [path.name for path in (tmp_path / "step-000000001").iterdir()] == ["notes.txt"]
    lay(tmp_path, 2)
    (moved,) = tmp_path.glob("step-000000002 (replaced *)")
    assert (moved / "notes.txt").read_text() == "of 2"
    checkpoint.prune(tmp_path, keep=1)
    assert moved.exists()


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_a_file_in_the_way_of_a_checkpoint_is_moved_aside(kind, tmp_path):
    place = tmp_path / "step-000000005"
    if kind == "file":
        place.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to("elsewhere" if kind == "link" else "nowhere")
    (tmp_path / "step-000000005 (replaced 1)").write_text("and this")
    lay(tmp_path, 5)
    assert checkpoint.newest(tmp_path)[0].state.step == 5
    moved = tmp_path / "step-000000005 (replaced 2)"
    assert moved.read_text() == "mine" if kind == "file" else moved.is_symlink()


def test_who_dies_between_two_renames_loses_no_checkpoint(tmp_path, monkeypatch):
    lay(tmp_path, 5)
    rename, done = os.replace, []

    def killed(old, new):
        if done:
            raise KeyboardInterrupt
        done.append(rename(old, new))

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(tmp_path / "step-000000005", TENSORS, at(5, score=1.0))
    monkeypatch.undo()
    assert checkpoint.newest(tmp_path)[0].state.step == 5
    lay(tmp_path, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000005"]


def test_what_was_found_whole_is_not_read_again(tmp_path, monkeypatch):
    lay(tmp_path, 1, 2, 3)
    checkpoint.prune(tmp_path, keep=3)
    read, count = checkpoint._bytes_of, []
    monkeypatch.setattr(checkpoint, "_bytes_of", lambda path: count.append(path) or read(path))
    checkpoint.prune(tmp_path, keep=3)
    assert not count
    damage(tmp_path, 3)
    checkpoint.prune(tmp_path, keep=3)
    assert {path.parent.name for path in count} == {"step-000000003"}
    assert checkpoint.all_whole(tmp_path) == [tmp_path / f"step-00000000{n}" for n in (2, 1)]


def test_a_root_that_is_no_folder_holds_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "nowhere"):
        assert checkpoint.list_checkpoints(root) == []
        checkpoint.prune(root, keep=1)
        with pytest.raises(CheckpointError, match="has the run been saved yet"):
            checkpoint.newest(root)
    with pytest.raises(CheckpointError, match="could not be written: a file is in the way"):
        checkpoint.write(tmp_path / "file" / "step-1", TENSORS, RunMetadata())


GOOD = {"format": 1, "files": {"metadata.json": {"bytes": 1, "sha256": "0" * 64}}}
MANIFESTS = {
    "format 0": GOOD | {"format": 0},
    "format below 0": GOOD | {"format": -1},
    "format true": GOOD | {"format": True},
    "format 1.0": GOOD | {"format": 1.0},
    "format as text": GOOD | {"format": "1"},
    "format huge": GOOD | {"format": 10**400},
    "no format": {"files": GOOD["files"]},
    "no files": {"format": 1},
    "files as a list": GOOD | {"files": ["metadata.json"]},
    "an entry is a list": GOOD | {"files": {"metadata.json": []}},
    "an entry is null": GOOD | {"files": {"metadata.json": None}},
    "no checksum": GOOD | {"files": {"metadata.json": {"bytes": 1}}},
    "a short checksum": GOOD | {"files": {"metadata.json": {"sha256": "0"}}},
    "bytes below 0": GOOD | {"files": {"metadata.json": {"bytes": -1, "sha256": "0" * 64}}},
    "a name with NUL": GOOD | {"files": {"a\0b": GOOD["files"]["metadata.json"]}},
    "a name outside": GOOD | {"files": {"../facts.json": GOOD["files"]["metadata.json"]}},
    "an absolute name": GOOD | {"files": {"/etc/passwd": GOOD["files"]["metadata.json"]}},
    "an empty name": GOOD | {"files": {"": GOOD["files"]["metadata.json"]}},
    "nothing": {},
    "null": None,
    "a number": 5,
    "nested": {"format": 1, "files": json.loads("[" * 100 + "]" * 100)},
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_of_another_form_is_a_sentence_and_the_one_before_is_used(name, saved):
    path = saved / "step-000000002" / "manifest.json"
    path.write_text(json.dumps(MANIFESTS[name]))
    with pytest.raises(CheckpointError, match=r"damaged|update ganvas") as fault:
        checkpoint.read(path.parent)
    assert len(str(fault.value)) < 200 + len(str(path))
    assert checkpoint.newest(saved)[0].state.step == 1


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"", b"1" * 5000])
def test_a_manifest_that_is_no_json_of_ours_is_damaged(data, saved):
    (saved / "step-000000002" / "manifest.json").write_bytes(data)
    assert checkpoint.newest(saved)[0].state.step == 1


STATE = {"seed": 0, "rank": 0, "step": 1, "images": 8, "seconds": 0.5, "dropped": 0, "live": {}}
MODEL = {"name": "fc", "network": {}, "shape": [1, 8, 8], "classes": []}
WRONG = {
    "state.step": [-1, 1.5, "1", None, True, 2**60, 10**400],
    "state.seconds": [-1.0, float("nan"), float("inf"), "1"],
    "state.live": [[], {"lr_g": "x"}, {"lr_g": -1.0}, {"lr_g": float("nan")}, {"d_steps": 1e9}],
    "state.accumulate": [0, 1.5, 10**9],
    "state.paired": [1, "yes"],
    "model.shape": [5, [1, 2], [1, 8, 8, 8], [2, 8, 8], [1, 8.5, 8], [1, 0, 8], [1, 8, 10**9]],
    "model.classes": [5, "ab", [1], ["a", "a"], [None]],
    "model.network": [[], 5, None],
    "model.name": [[1], 5, None],
    "records": [[], 5],
    "score": ["x"],
    "scored": [{"step": 1}, 5],
}
# What a field was called in the first format, which was flat.
IN_1 = {"model.name": "model", "state.live": "knobs"}


@pytest.mark.parametrize("path", WRONG)
def test_metadata_of_another_form_is_a_sentence(path, saved, signed):
    folder, (section, _, name) = saved / "step-000000002", path.partition(".")
    for value in WRONG[path]:
        content = {"state": STATE, "model": MODEL}
        content |= {section: content[section] | {name: value}} if name else {section: value}
        signed(folder, metadata=json.dumps(content).encode())
        with pytest.raises(CheckpointError, match=rf"metadata\.json is damaged: {path}"):
            checkpoint.read(folder)


@pytest.mark.parametrize("path", WRONG)
def test_facts_of_the_first_format_are_held_to_the_same_form(path, saved, signed):
    folder, name = saved / "step-000000002", IN_1.get(path, path.rpartition(".")[2])
    whole = {**STATE, "knobs": {}, **MODEL, "model": "fc"}
    del whole["live"], whole["name"]
    signed(folder, version=1, facts=json.dumps(whole).encode())
    assert checkpoint.read(folder).state.step == 1
    assert checkpoint.read(folder).model.name == "fc"
    for value in WRONG[path]:
        signed(folder, version=1, facts=json.dumps(whole | {name: value}).encode())
        with pytest.raises(CheckpointError, match=rf"facts\.json is damaged: {path}"):
            checkpoint.read(folder)


def test_what_is_missing_is_a_sentence_when_it_is_asked_for(saved):
    found = checkpoint.newest(saved)[0]
    assert found.metadata.model is None
    with pytest.raises(CheckpointError, match="does not say its 'model'"):
        _ = found.model


def test_what_a_newer_ganvas_adds_is_passed_over(saved, signed):
    content = {"state": STATE, "new": [1, {"a": None}], "dataset": {"key": "k", "more": 1}}
    signed(saved / "step-000000002", metadata=json.dumps(content).encode())
    assert checkpoint.read(saved / "step-000000002").metadata.dataset.key == "k"


def test_names_that_are_no_text_are_kept(tmp_path):
    model = ModelMetadata("fc", {}, (1, 8, 8), ("caf\udce9",))
    metadata = RunMetadata(model=model, dataset=DatasetMetadata("k", "/caf\udce9"))
    checkpoint.write(tmp_path / "step-1", TENSORS, metadata)
    assert checkpoint.read(tmp_path / "step-1").metadata == metadata


def test_tensors_that_torch_does_not_know_are_a_sentence(saved):
    header = json.dumps({"a": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}).encode()
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        checkpoint.unpack(struct.pack("<Q", len(header)) + header + b"\0", saved / "a")
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        checkpoint.unpack(struct.pack("<Q", 10**15) + b"{}", saved / "a")


def test_many_faults_are_not_all_told(tmp_path):
    lay(tmp_path, *range(8))
    for step in range(8):
        damage(tmp_path, step)
    with pytest.raises(CheckpointError, match="And so for 5 more"):
        checkpoint.newest(tmp_path)


def test_writing_the_same_step_again_replaces_it(saved):
    checkpoint.write(saved / "step-000000002", TENSORS, at(2, score=1.0))
    assert checkpoint.newest(saved)[0].metadata.score == 1.0
    assert len(list(saved.iterdir())) == 2


def test_a_file_of_another_kind_is_refused_before_it_is_parsed(tmp_path: Path):
    folder = tmp_path / "step-1"
    folder.mkdir()
    (folder / "manifest.json").write_text("[1, 2]")
    with pytest.raises(CheckpointError, match="is damaged"):
        checkpoint.read(folder)

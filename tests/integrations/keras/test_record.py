"""A run of Keras leaves what a run of ganvas leaves."""

import numpy as np
import pytest
from PIL import Image

from ganvas.imaging.grid import grid
from ganvas.imaging.tensors import to_bytes
from ganvas.integrations.keras import Record
from ganvas.integrations.keras.logs import LogsError, Losses
from ganvas.integrations.keras.networks import channels_first, generated_images, latents
from ganvas.integrations.keras.record import FolderInUseError
from ganvas.runtime.validation import ArgumentError
from ganvas.training.callbacks.log import read

LOGS = {"d_loss": 0.7, "g_loss": 1.5}


def test_grids_metrics_log_film_and_curves(loop, players, tmp_path):
    record = Record(players[0], tmp_path / "run", batch=8, grid_every=10, line_every=5)

    def learn(step):
        players[0].set_weights([weight + 0.1 for weight in players[0].get_weights()])

    loop([record], 25, lambda step: LOGS | {"d_loss": 0.1 * step}, learn)
    names = [path.name for path in sorted(record.folder.samples.iterdir())]
    assert names == ["0000000080.png", "0000000160.png", "0000000200.png"]
    lines = read(record.folder.metrics_log)
    assert [line["step"] for line in lines] == [1, 5, 10, 15, 20, 25]
    assert [line["images"] for line in lines] == [8, 40, 80, 120, 160, 200]
    assert lines[1]["loss_d"] == pytest.approx(0.1 * np.mean([1, 2, 3, 4]))
    assert all(line["loss_g"] == 1.5 and line["dropped"] == 0 for line in lines)
    with Image.open(record.folder.progress) as film:
        assert film.n_frames == 3
    with Image.open(record.folder.curves) as curves:
        assert curves.size[0] > 300


def test_grids_are_of_the_same_latents_and_show_what_the_generator_generates(
    loop, players, tmp_path
):
    record = Record(players[0], tmp_path, batch=1, grid_every=1, seed=5)
    loop([record], 2, LOGS)
    first, second = (np.asarray(Image.open(p)) for p in sorted(record.folder.samples.iterdir()))
    assert np.array_equal(first, second), "nothing was learnt"
    wanted = generated_images(players[0], latents(players[0], 60, 5))
    assert wanted.shape == (60, 16, 16, 1)
    assert np.array_equal(first, grid(to_bytes(channels_first(wanted)), 10))


def test_several_trainings_are_one_record(loop, players, tmp_path):
    record = Record(players[0], tmp_path, batch=2, line_every=1)
    loop([record], 3, LOGS)
    loop([record], 3, LOGS)
    assert [line["step"] for line in read(record.folder.metrics_log)] == [1, 2, 3, 4, 5, 6]


def test_a_step_that_is_not_finite_is_counted_and_not_averaged(loop, players, tmp_path):
    record = Record(players[0], tmp_path, batch=1, line_every=4)
    loop([record], 8, lambda step: LOGS | {"g_loss": np.nan if step == 2 else 1.0})
    last = read(record.folder.metrics_log)[-1]
    assert last["dropped"] == 1
    assert last["loss_g"] == 1.0


def test_a_folder_with_another_run_is_refused_and_left_alone(players, tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(FolderInUseError, match="holds another run"):
        Record(players[0], tmp_path, batch=1)
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1}\n'


def test_a_loop_that_reports_other_losses_is_told_so(loop, players, tmp_path):
    logs = {"loss": 1.0, "critic": 2.0}
    with pytest.raises(LogsError, match=r"reports no 'd_loss', only \['critic', 'loss'\]"):
        loop([Record(players[0], tmp_path / "a", batch=1)], 1, logs)
    record = Record(players[0], tmp_path / "b", batch=1, losses=Losses("critic", "loss"))
    loop([record], 1, logs)
    assert read(record.folder.metrics_log)[0]["loss_d"] == 2.0


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "8", None, True])
@pytest.mark.parametrize("name", ["batch", "grid_every", "line_every"])
def test_numbers_that_cannot_be_are_named(name, wrong, players, tmp_path):
    numbers = {"batch": 4} | {name: wrong}
    with pytest.raises(ArgumentError, match=f"^Record: {name}="):
        Record(players[0], tmp_path / "run", **numbers)
    assert not (tmp_path / "run").exists()

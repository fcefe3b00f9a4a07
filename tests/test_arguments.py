"""Arguments of the Python API that cannot be: one sentence that names the argument."""

from math import inf, nan

import numpy as np
import pytest

import ganvas
from ganvas.errors import GanvasError
from ganvas.runtime.validation import NAMES

WRONG = {
    "out": [5, None, "", "a\0b", "\ud800", "x" * 5000, b"x", ["run"], "~nobody-of-that-name/run"],
    "source": [5, "", "a\0b", "\ud800", "x" * 5000, [], {"a": 1}, "~nobody-of-that-name/x"],
    "resume": ["maybe", 7, None],
    "given": [5, "run.yaml", [], {5: 6}, {"training": 5}, {"training": {"seed": []}}, {"no": {}}],
    "lr_g": [inf, nan, -1, 0, "fast", None.__class__, [], 10**400, 1j],
    "lr_d": [-inf, "1e-3x"],
    "budget": [inf, nan, -1, 0, "soon", "1.2.3s", "", "1e400", 10**12, [], "∞"],
    "images": [0, -1, 1.5, "1.2.3k", "many", 10**13, inf, []],
    "memory": ["8", "1.2.3GB", -1, inf, "lots"],
    "threads": [0, -1, 1_000_000, 1.5, "many", inf],
    "batch": [0, 1, -64, 10**9, 2.5, "x", inf, None.__class__],
    "size": ["big", "0", "64x", "64x0", 10**9, -3, 1.5, [], "99999x99999"],
    "channels": [2, "rgb", 5, []],
    "seed": [-1, 2**63, 1.5, "x", inf],
    "ema": [-1, inf, nan],
    "samples": [0, -1, 10**9, inf],
    "save_every": [0, -1, "never", inf, nan],
    "keep": [0, -1, inf],
    "keep_best": ["perhaps", 5],
    "accumulate": [0, -1, 10**9],
    "precision": ["fp8", 16, None.__class__],
    "device": ["tpu", 5, "cuda:99"],
    "doctor": ["who", 5],
    "probe_every": [0, 15, inf],
    "d_steps": [0, 10**9, 1.5],
    "r1": [-1, inf, nan],
    "width": [0, -1, 10**9, inf, 1.5],
    "latent": [0, -1, 10**12],
    "augment": ["twist", 5],
    "augment_share": [-0.1, 1.1, nan],
    "start": [
        "nowhere",
        5,
        "",
        "a\0b",
        "\ud800",
        "x" * 5000,
        np.zeros(3),
        "~nobody-of-that-name/x",
    ],
    "features": ["nothing", 5, "missing.onnx", "a\0.pt", "\ud800.pt", np.zeros(3)],
    "evaluate_every": [0, -1, inf, "often"],
    "background": ["nocolour", 5, "", "#12", "rgba(1,2,3,4)"],
    "only": ["", 5, "no-such-name*"],
    "mirror": ["perhaps", 5],
    "labels": ["files", 5, "folders"],
    "model": ["dcgna", 5, "", [], None.__class__],
    "no_such_option": [1],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]
# What says which setting of which name is wrong, where the message has other words for it.
SAID = {
    "given": "",
    "out": "",
    "features": "",
    "source": "",
    "start": "",
    "only": "",
    "labels": "",
    "model": "model",
}


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={v!r:.20}" for n, v in CASES])
def test_an_argument_that_cannot_be(name, value, images, tmp_path):
    usual = {"source": images, "out": tmp_path / "run", "model": "fc", "images": 4, "batch": 2}
    if name == "features":
        usual["evaluate_every"] = "1h"
    with pytest.raises(GanvasError) as caught:
        list(ganvas.train(**(usual | {name: value})))
    said = str(caught.value)
    word = SAID.get(name, NAMES.get(name, name.replace("_", "-")))
    assert word in said or name in said, said
    assert "\n" not in said
    assert len(said) < 500, said
    assert not (tmp_path / "run").exists()


def test_arguments_by_position_are_named_too():
    with pytest.raises(GanvasError, match=r"^train: out=5: it should be the path"):
        ganvas.train("digits", 5)
    with pytest.raises(GanvasError, match=r"^images: source='': it is not a valid path"):
        ganvas.images("")

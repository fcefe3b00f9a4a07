"""A session of a small run, which tests of everything that steers one share."""

import pytest

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request
from ganvas.runs.fresh import fresh

SMALL = {"network": {"width": 4, "latent": 8}, "data": {"size": "16"}}


@pytest.fixture
def session(images, tmp_path, returned):
    """A session of forty steps, and its directory."""

    def make(**training):
        settings = {"batch": 4, "images": 160, "threads": 1} | training
        content = {"source": str(images), "training": settings, **SMALL}
        opening = returned(fresh(Request.of(content), RunDir(tmp_path / "run")))
        return returned(opening.session())

    return make

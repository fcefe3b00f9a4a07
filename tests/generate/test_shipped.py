"""What comes with ganvas generates at once, on a machine that has never trained."""

import pytest
import torch
from PIL import Image

import ganvas
from ganvas.data import BUILTIN, DataSettings, prepare
from ganvas.evaluation.metrics import kernel_distance
from ganvas.generate.trained import SHIPPED
from ganvas.runtime.assets import ASSETS
from ganvas.training.callbacks.checkpoints import reference_thumbnails, thumbnails


@pytest.mark.parametrize("name", SHIPPED)
def test_a_generator_comes_with_every_built_in_source(name):
    assert name in BUILTIN
    file = ASSETS / f"{SHIPPED[name]}.safetensors"
    assert file.stat().st_size <= 6_000_000
    assert file.name in (ASSETS / "PROVENANCE.md").read_text("utf-8")
    metadata = ganvas.load(name).metadata
    assert metadata.model.name == "compact"
    assert metadata.dataset is None


@pytest.mark.parametrize("name", SHIPPED)
def test_it_generates_what_the_source_shows(name):
    pipeline = ganvas.load(name)
    steps = prepare(name, DataSettings(size=str(pipeline.generator.shape[1])))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            images = end.value
            break
    real = reference_thumbnails(images.batch(range(0, 3000, 6)))
    generated_images = thumbnails(pipeline.sample(500, seed=0))
    noise = thumbnails(2 * torch.rand(500, *pipeline.generator.shape) - 1)
    near, far = (kernel_distance(real, other).value for other in (generated_images, noise))
    assert near < 0.05 * far
    variety = generated_images.std(0).mean() / real.std(0).mean()
    assert 0.7 < variety < 1.3, "neither one image again and again, nor noise"


@pytest.mark.parametrize("name", SHIPPED)
def test_its_images_come_out_of_the_command_line(name, tmp_path, run):
    status, out, _ = run("sample", name, "--count", 3, "--out", tmp_path / "new")
    assert status == 0
    assert "3 images" in out
    with Image.open(tmp_path / "new" / "0002.png") as image:
        assert image.info["ganvas.seed"] == "2"

"""The best of many: what the discriminator believes, and no two alike."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.generate.choose import best, best_seeds
from ganvas.generate.pipeline import pipeline
from ganvas.generate.trained import find_trained


def test_the_best_score_comes_first_and_no_two_are_alike():
    scores = torch.tensor([5.0, 4.9, 4.8, 4.7, -1.0, -2.0, -3.0, -4.0])
    features = torch.tensor([[0.0], [0.01], [0.02], [9.0], [50.0], [60.0], [70.0], [80.0]])
    assert best(scores, features, 2) == [0, 3]
    assert best(scores, features, 3)[0] == 0
    assert set(best(scores, features, 8)) == set(range(8))


def test_more_than_there_are_cannot_be_chosen():
    with pytest.raises(ValueError, match="2 images to choose 3 of"):
        best(torch.zeros(2), torch.zeros(2, 3), 3)


def test_equal_images_are_taken_only_after_all_others():
    features = torch.zeros(6, 2)
    features[3] = 1
    assert 3 in best(torch.tensor([1.0, 0.0, 0.0, 2.0, -1.0, -1.0]), features, 2)


FLAGS = ("--size", 16, "--images", 64, "--batch", 8, "-o", "network.width=4", "--doctor", "off")
OWN = ("--discriminator", "own")


@pytest.mark.parametrize("flags", [OWN, ("--discriminator", "pretrained")])
def test_the_discriminator_of_a_run_chooses(copy_of_run, flags, tmp_path):
    found = find_trained(copy_of_run(tmp_path / "run", *FLAGS, *flags))

    class Means:
        """Mean colours."""

        def features(self, images):
            return images.mean((2, 3))

    made = pipeline(found)
    chosen = best_seeds(found, made, Means(), list(range(24)), 5)
    assert len(set(chosen)) == 5
    model = found.scoring()
    latents = made.latents(list(range(24)))
    with torch.inference_mode():
        images = made.generator(latents)[-1].float()
        scores = model.scores(images, latents[:, made.generator.latent :])
    assert chosen[0] == int(scores.argmax())
    assert all(scores[seed] >= scores.median() for seed in chosen)


def test_the_command_writes_the_best(copy_of_run, run, tmp_path):
    place = copy_of_run(tmp_path / "run", *FLAGS, *OWN)
    status, said, errors = run("sample", place, "--best", 3, "--of", 12, "--out", tmp_path / "out")
    assert (status, errors) == (0, "")
    assert "3 images" in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 3
    for words, reason in [
        (("--best", 5, "--of", 4), "less than --best"),
        (("--of", 4), "--best N chooses of"),
        (("--best", 2, "--seeds", "1-9"), "names all images"),
        (("--best", 2, "--count", 9), "--count and --best both"),
        (("--seeds", "1-9", "--count", 3), "--count and --seeds both"),
    ]:
        status, _, errors = run("sample", place, *words, "--out", tmp_path / "none")
        assert status == 2
        assert reason in errors
    status, _, errors = run("sample", "digits", "--best", 2, "--out", tmp_path / "none")
    assert (status, errors.count("\n")) == (1, 1)
    assert "has no discriminator" in errors
    assert not (tmp_path / "none").exists()


def test_red_and_blue_change_places(copy_of_run, run, tmp_path):
    place = copy_of_run(tmp_path / "run", *FLAGS, *OWN)
    for order in ("rgb", "bgr"):
        words = ("--count", 1, "--channel-order", order, "--out", tmp_path / order)
        assert run("sample", place, *words)[0] == 0
    usual, swapped = (
        np.asarray(Image.open(tmp_path / order / "0000.png")) for order in ("rgb", "bgr")
    )
    assert (usual[..., ::-1] == swapped).all()
    assert (usual != swapped).any()


def test_where_no_channels_can_change_places_it_is_said(run, tmp_path):
    words = ("--count", 1, "--channel-order", "bgr", "--out", tmp_path / "out")
    status, _, errors = run("sample", "digits", *words)
    assert status == 0
    assert "The images are grey: --channel-order changes nothing." in errors

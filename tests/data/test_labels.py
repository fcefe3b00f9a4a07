"""Folders say what images show; where they do not, one sentence says so."""

import numpy as np
import pytest

from ganvas.data import DataSettings, LabelsError, prepare, report
from ganvas.data.labels import by_folder


def prepared(source, **settings):
    steps = prepare(source, DataSettings(**settings))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_the_first_folder_is_the_class():
    found = by_folder("zoo", ["dog/b.png", "cat/a.png", "cat/old/c.png"])
    assert found.names == ("cat", "dog")
    assert found.of.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("names", "classes", "of"),
    [
        (["my-data/cat/1.png", "my-data/dog/2.png"], "cat dog", [0, 1]),
        (["a/b/c/dog/1.png", "a/b/c/cat/2.png"], "cat dog", [1, 0]),
        (["train/cat/1.png", "test/cat/1.png", "val/dog/1.png"], "cat dog", [0, 0, 1]),
        (["Train/cat/1.png", "VALIDATION/dog/1.png"], "cat dog", [0, 1]),
        (["my/training/cat/1.png", "my/testing/dog/2.png"], "cat dog", [0, 1]),
        (["train/my/cat/1.png", "valid/my/dog/2.png"], "cat dog", [0, 1]),
        (["train/cat/1.png", "train/dog/2.png"], "cat dog", [0, 1]),
        (["my/cat/old/1.png", "my/cat/new/2.png", "my/dog/3.png"], "cat dog", [0, 0, 1]),
        (["train/cat/x/1.png", "test/dog/2.png"], "cat dog", [0, 1]),
        (["train/1.png", "car/2.png", "bus/a/3.png"], "bus car train", [2, 1, 0]),
        (["train/1.png", "test/2.png"], "test train", [1, 0]),
    ],
)
def test_folders_above_those_of_the_classes(names, classes, of):
    found = by_folder("zoo", names)
    assert " ".join(found.names) == classes
    assert found.of.tolist() == of


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cat/a.png", "b.png"], "b.png in zoo lies in no folder"),
        (["my/cat/a.png", "my/dog/b.png", "my/c.png"], "my/c.png in zoo lies in no folder"),
        (["train/cat/a.png", "train/dog/b.png", "test/c.png"], "test/c.png in zoo lies in no"),
        (
            ["cat/a.png", "cat/b.png"],
            "zoo has 1 folder of images, cat; --labels folders takes 2 to 1,000",
        ),
        ([f"{i}/a.png" for i in range(1001)], "zoo has 1,001 folders"),
    ],
)
def test_folders_that_say_nothing_are_refused(names, message):
    with pytest.raises(LabelsError, match=message):
        by_folder("zoo", names)


def test_digits_lie_by_what_they_are():
    images = prepared("digits", labels="folders")
    assert images.classes == tuple("0123456789")
    labels = images.labels(np.arange(len(images)))
    assert labels.shape == (10_000, 10)
    assert (labels.sum(1) == 1).all()
    assert [int(name[0]) for name in images.names] == labels.argmax(1).tolist()


def test_mirror_images_show_the_same_as_the_images():
    images = prepared("digits", labels="folders", mirror=True)
    assert (images.labels([3, 7]) == images.labels([10_003, 10_007])).all()


def test_without_labels_there_are_no_classes():
    images = prepared("digits")
    assert images.classes == ()
    assert images.labels([1, 2, 3]).shape == (3, 0)


def test_the_classes_are_told_with_their_numbers(root, save, finish):
    save(root, ["my/train/cat/1.png", "my/train/dog/2.png", "my/test/cat/3.png"])
    settings = DataSettings(size="8", labels="folders", mirror=True)
    images, events = finish(prepare(str(root), settings))
    assert events[-1].classes == images.counts == {"cat": 2, "dog": 1}
    assert report(images).as_json()["classes"] == {"cat": 2, "dog": 1}
    plain, events = finish(prepare(str(root), DataSettings(size="8")))
    assert events[-1].classes == plain.counts == {}


def test_the_command_names_the_classes(root, save, run):
    save(root, [f"{'cat' if n % 3 else 'dog'}/{n}.png" for n in range(7)])
    status, out, _ = run("data", root, "--size", 8, "--labels", "folders")
    assert status == 0
    assert "  2 classes: cat (4), dog (3)" in out


@pytest.mark.parametrize(
    "parts",
    [
        ("training_set", "test_set"), ("train", "dev"), ("seg_train", "seg_test"),
        ("Train", "holdout"), ("train", "unlabelled-too"), ("train_data", "val_data", "eval"),
    ],
)  # fmt: skip
def test_a_divided_set_is_known_by_its_parts_or_by_what_they_share(parts):
    names = [
        f"{part}/{kind}/{n}.png" for part in parts for kind in ("cat", "dog") for n in range(2)
    ]
    assert by_folder("source", names).names == ("cat", "dog")


@pytest.mark.parametrize("kinds", [("cat", "dog"), ("bus", "car", "train")])
def test_classes_with_folders_of_one_name_inside_stay_classes(kinds):
    names = [f"{kind}/{light}/1.png" for kind in kinds for light in ("day", "night")]
    assert by_folder("source", names).names == kinds

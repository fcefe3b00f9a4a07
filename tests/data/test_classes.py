"""Folders say what pictures show; where they do not, one sentence says so."""

import numpy as np
import pytest

from ganvas.data import DataSettings, LabelsError, prepare
from ganvas.data.classes import by_folder


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
    ("names", "message"),
    [
        (["cat/a.png", "b.png"], "b.png in zoo lies in no folder"),
        (["cat/a.png", "cat/b.png"], "has 1 folders"),
        ([f"{i}/a.png" for i in range(1001)], "has 1001 folders"),
    ],
)
def test_folders_that_say_nothing_are_refused(names, message):
    with pytest.raises(LabelsError, match=message):
        by_folder("zoo", names)


def test_digits_lie_by_what_they_are():
    pictures = prepared("digits", labels="folders")
    assert pictures.classes == tuple("0123456789")
    labels = pictures.labels(np.arange(len(pictures)))
    assert labels.shape == (10_000, 10)
    assert (labels.sum(1) == 1).all()
    assert [int(name[0]) for name in pictures.names] == labels.argmax(1).tolist()


def test_mirror_images_show_the_same_as_the_pictures():
    pictures = prepared("digits", labels="folders", mirror=True)
    assert (pictures.labels([3, 7]) == pictures.labels([10_003, 10_007])).all()


def test_without_labels_there_are_no_classes():
    pictures = prepared("digits")
    assert pictures.classes == ()
    assert pictures.labels([1, 2, 3]).shape == (3, 0)

"""Figures, films, tables and diagrams of the notebooks: right, and readable on any page."""

import io
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from ganvas import lesson
from ganvas.lesson.diagrams import DIAGRAMS
from ganvas.lesson.figures import channels_last, running_mean
from ganvas.registry import UnknownNameError


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are shown, as images."""
    found = []

    def show():
        written = io.BytesIO()
        plt.gcf().savefig(written, format="png")
        plt.close("all")
        found.append(np.asarray(Image.open(written).convert("RGBA")))

    monkeypatch.setattr(plt, "show", show)
    return found


def test_every_kind_of_figure_lets_the_page_show_through(drawn, tmp_path):
    image = Image.new("RGB", (20, 12), "red")
    image.save(tmp_path / "a.png")
    lesson.show(torch.zeros(3, 1, 8, 8), "three")
    lesson.plot({"a": [1.0, 2.0, 1.0]}, "curve", {"level": 1.5}, ylim=(0, 3))
    lesson.row({"an image": torch.rand(1, 3, 8, 12)}, "a row")
    lesson.files([tmp_path / "a.png"])
    lesson.scatter([[0.0, 0.0]], [[[0.1, 0.1]]], "points")
    assert len(drawn) == 5
    for pixels in drawn:
        assert pixels[0, -1, 3] == 0, "the corner is transparent"
        assert pixels[..., 3].max() == 255, "and something is drawn"
        seen = pixels[pixels[..., 3] > 100][:, :3]
        grey = (seen == seen[:, :1]).all(1) & (seen[:, 0] > 110) & (seen[:, 0] < 150)
        assert grey.any(), "words and axes"


def test_a_curve_on_a_logarithmic_axis_is_inside_it(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    lesson.plot({"a": [100.0, 1.0, 0.01]}, "falling", yscale="log")
    low, high = plt.gca().get_ylim()
    plt.close("all")
    assert 0 < low < 0.01
    assert 100 < high < 1000


def test_images_of_both_libraries_are_shown_alike():
    torch_s = torch.rand(4, 3, 6, 5)
    np.testing.assert_array_equal(
        channels_last(torch_s), channels_last(torch_s.permute(0, 2, 3, 1))
    )


def test_the_running_mean():
    steps, means = running_mean([1, 3, 5, 7], 2)
    assert means.tolist() == [2, 4, 6]
    assert steps.tolist() == [1, 2, 3]
    assert running_mean([5.0], 50)[1].tolist() == [5]


def test_a_table_is_markdown():
    text = lesson.table([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])._repr_markdown_()
    assert text.split("\n") == ["| a | b |", "| --- | --- |", "| 1 | x |", "| 2 | y |"]


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_svg_in_the_text_s_own_colour(name):
    shown = lesson.diagram(name)
    drawing = ET.fromstring(shown._repr_html_())
    assert drawing.get("aria-label")
    assert drawing.get("fill") == "currentColor"
    colours = {
        value for part in drawing.iter() for key, value in part.items() if key in ("fill", "stroke")
    }
    assert not colours & {"black", "white", "#000", "#fff", "#000000", "#ffffff"}
    marks = {part.get("id") for part in drawing.iter() if part.get("id")}
    assert all(mark.startswith(name) for mark in marks), "several may stand on one page"


def test_there_are_five_diagrams():
    assert [*DIAGRAMS] == ["footprint", "growing", "layers", "players", "style-losses"]
    with pytest.raises(UnknownNameError, match="growing"):
        lesson.diagram("grow")


def test_a_film_is_a_gif(tmp_path):
    frames = [Image.new("P", (8, 8), colour) for colour in (0, 1)]
    frames[0].save(tmp_path / "walk.gif", save_all=True, append_images=frames[1:])
    shown = lesson.film(tmp_path / "walk.gif")._repr_mimebundle_()
    assert shown["text/html"].startswith('<img src="data:image/gif;base64,R0lGOD')
    assert shown["image/gif"] in shown["text/html"]

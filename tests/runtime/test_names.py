"""Names as they may be shown, and paths as people give them."""

import unicodedata

import pytest

from ganvas.runtime import names
from ganvas.runtime.names import absolute, condense, expand, printable
from ganvas.runtime.system import PlaceError


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("photo 1 (2).png", "photo 1 (2).png"),
        ("\x1b[2Jcleared", r"\x1b[2Jcleared"),
        ("a\n  forged\r", r"a\x0a  forged\x0d"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066x\u2069\u200f", r"\u2066x\u2069\u200f"),
        ("a\u2028b\u2029\x85", r"a\u2028b\u2029\x85"),
        ("\udcff\udcfe.png", r"\xff\xfe.png"),
        ("\ud800", r"\ud800"),
        ("\0", r"\x00"),
        ("ಕ್‍ನಡ é 東京 😀", "ಕ್‍ನಡ é 東京 😀"),  # with the joiner that Kannada needs
    ],
)
def test_what_would_not_show_as_itself_is_escaped(raw, shown):
    assert printable(raw) == shown
    assert printable(shown) == shown


def test_a_path_without_end_lacks_its_middle():
    path = "/".join(["a" * 200] * 20)
    assert condense(f"{path} cannot be used.") == f"{path[:150]}…{path[-150:]} cannot be used."
    assert condense("a usual sentence, " * 50) == "a usual sentence, " * 50


def test_no_character_moves_the_cursor_breaks_a_line_or_turns_it():
    for number in range(0x110000):
        shown = printable(chr(number))
        assert shown.encode("utf-8")
        assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in shown)
        assert not any(unicodedata.bidirectional(c) in BIDI for c in shown)


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_homes_that_nobody_has(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand("~/x") == tmp_path / "x"
    assert absolute("~/a/../x") == tmp_path / "x"
    with pytest.raises(PlaceError, match="nobody here has that home folder"):
        expand("~nobody-of-that-name/x")

    def unknown(_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(names.Path, "expanduser", unknown)
    with pytest.raises(PlaceError):
        expand("~/x")

"""What is printed, whatever takes it: closed, full, gone, or of a small alphabet."""

import errno
import io
import os
import subprocess
import sys

import pytest

from ganvas import cli
from ganvas.checkpoints import checkpoint
from ganvas.cli import streams
from ganvas.cli.show import show_events
from ganvas.cli.streams import Outlet, outlets, say
from ganvas.events import Notice

GANVAS = [sys.executable, "-m", "ganvas"]
FLAGS = [
    "--size", "16", "--batch", "4", "--latent", "8", "--width", "4", "--images", "40",
    "--samples", "4",
]  # fmt: skip


class Broken(io.StringIO):
    """A stream that fails after so many characters."""

    def __init__(self, number: int, room: int) -> None:
        super().__init__()
        self.number, self.room = number, room

    def write(self, text: str) -> int:
        self.room -= len(text)
        if self.room < 0:
            raise OSError(self.number, os.strerror(self.number))
        return super().write(text)


def status_of(*arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([str(argument) for argument in arguments])
    return end.value.code


@pytest.mark.parametrize("room", [0, 1, 60, 200])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE, errno.EIO])
def test_a_run_goes_on_when_nobody_can_read_its_progress(
    number, room, images, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stdout", Broken(number, room))
    assert status_of("train", images, "--out", tmp_path / "run", *FLAGS) == cli.FAILURE
    monkeypatch.undo()
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")[0].state.images == 40
    said = capsys.readouterr().err
    assert said == "" if number == errno.EPIPE else said.startswith("ganvas: the output cannot be")


def test_an_error_is_an_error_even_where_it_cannot_be_said(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stderr", Broken(errno.ENOSPC, 0))
    assert status_of("data", tmp_path / "nowhere") == cli.FAILURE
    assert status_of("nope") == cli.USAGE


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, tmp_path):
    line = f"exec {' '.join(GANVAS)} --help {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_file_that_is_opened_never_becomes_the_error_output(tmp_path):
    """With 2 closed, whatever is opened next would be 2, and get what C libraries print."""
    code = (
        "import os\nfrom ganvas.cli.streams import outlets\n"
        f"with outlets():\n    file = open({str(tmp_path / 'x')!r}, 'w')\n    os.write(2, b'noise')"
    )
    subprocess.run(["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code], check=True)
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("target", ["/dev/full", "pipe"])
def test_help_that_nobody_reads_is_a_failure_and_no_traceback(target):
    command = " ".join(GANVAS)
    line = f"exec {command} --help >{target}" if target != "pipe" else f"{command} --help | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == (1 if target == "/dev/full" else 0)  # of `true`


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "cp1252", "utf-8", "cp1252:strict"])
def test_any_encoding(encoding, tmp_path):
    code = "from ganvas.cli.streams import outlets, say\nwith outlets():\n    say('мои é ± ಕನ್ನಡ')"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    name = encoding.partition(":")[0]
    expected = "мои é ± ಕನ್ನಡ".encode(name, "backslashreplace")
    assert done.stdout.strip() == expected


def test_every_name_is_printed_as_text(capsys):
    with outlets():
        say("a\x1b[2J\u202eb", "c\nd\udcff")
        say("wrong: \r\x07", error=True)
    out, err = capsys.readouterr()
    assert out == "a\\x1b[2J\\u202eb\nc\\x0ad\\xff\n"
    assert err == "wrong: \\x0d\\x07\n"


def test_events_are_shown_as_text(capsys):
    def job():
        yield Notice("of \x1b]0;title\x07 and\nanother line")

    with outlets():
        show_events(job())
    assert capsys.readouterr().out == "of \\x1b]0;title\\x07 and\\x0aanother line\n"


def test_a_mistake_in_an_option_is_told_as_text(run):
    status, _, err = run("sample", "digits", "--no\x1b[2Jsuch")
    assert status == cli.USAGE
    assert "\x1b" not in err
    assert "\\x1b[2J" in err


def test_whatever_showing_raises_the_job_is_closed(monkeypatch):
    closed = []

    def job():
        try:
            yield Notice("one")
            yield Notice("two")
        finally:
            closed.append(True)

    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("ganvas.cli.show.View.see", fails)
    with pytest.raises(ZeroDivisionError):
        show_events(job())
    assert closed == [True]


def test_an_outlet_is_a_text_stream():
    outlet = Outlet(io.StringIO(), "it")
    with pytest.raises(TypeError):
        outlet.write(b"bytes")
    assert not outlet.isatty()
    assert streams.Outlet(Broken(errno.EIO, 0), "it").sentence() is None


def test_the_version_is_said(run):
    from ganvas import __version__

    assert run("--version") == (0, f"{__version__}\n", "")


def test_no_command_is_a_question_for_help(run):
    status, out, _ = run()
    assert status == cli.USAGE
    assert "Usage: ganvas" in out

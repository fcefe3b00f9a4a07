"""Completion in a shell: commands, options, choices and names, without loading torch."""

import os
import shutil
import subprocess
import sys

import completions
import pytest

from ganvas.cli import COMMANDS
from ganvas.cli.complete import TABLE

GANVAS = [sys.executable, "-m", "ganvas"]


def complete(words, **more):
    """What bash would offer for the last of these words."""
    asked = {"COMP_WORDS": f"ganvas {words}", "COMP_CWORD": str(len(words.split(" ")))}
    asked["_GANVAS_COMPLETE"] = "complete_bash"
    env = {**os.environ, **asked, **more}
    done = subprocess.run(GANVAS, env=env, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


def test_the_table_is_up_to_date():
    assert TABLE.read_text("utf-8") == completions.table(), "run: python tools/completions.py"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("tr", ["train"]),
        ("train --mod", ["--model"]),
        ("train --keep-b", ["--keep-best"]),
        ("train --no-keep", ["--no-keep-best"]),
        ("train --model st", ["stylegan"]),
        ("train digits --doctor ", ["treat", "advise", "off"]),
        ("train di", ["digits"]),
        ("train ", []),  # files, by the shell
        ("sample em", ["emoji"]),
        ("style a.jpg b.jpg --colours l", ["luminance"]),
        ("evaluate my-run --features vg", ["vgg19"]),
        ("mix my-run --help", ["--help", "--help-all"]),
        ("train --exam", []),  # an old name
    ],
)
def test_words_are_completed(words, offered):
    assert complete(words) == offered


def test_every_command_is_offered():
    assert complete("") == [*COMMANDS]


def test_completing_an_option_does_not_import_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise AssertionError('torch is imported')")
    assert complete("train --los", PYTHONPATH=str(tmp_path)) == ["--loss"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_for_bash_completes(tmp_path):
    named = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = subprocess.run(
        [*GANVAS, "--show-completion", "bash"],
        env=named,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (tmp_path / "ganvas").write_text(f'#!/bin/sh\nexec {" ".join(GANVAS)} "$@"\n')
    (tmp_path / "ganvas").chmod(0o755)
    ask = (
        f"{script}\nCOMP_WORDS=(ganvas train --model comp) COMP_CWORD=3\n"
        f'_ganvas_completion ganvas\necho "${{COMPREPLY[@]}}"'
    )
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", ask], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["compact"]

"""Help: short and complete, under headings, with the defaults of the model in question."""

import re

import pytest

from ganvas.cli import COMMANDS
from ganvas.config.options import GROUPS, options, options_for
from ganvas.models import DEFAULT, MODELS

SCREEN = 30  # lines of 80 columns
WORDS = 12  # in the description of an option
TRAIN = tuple(options().values())


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_the_first_page_names_every_command_whole(run):
    status, out, _ = run("--help")
    assert status == 0
    assert "..." not in out.replace("[ARGS]...", "")
    for name, (summary, _) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_fits_a_screen_and_shows_an_example(command, run):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert len(out.splitlines()) <= SCREEN
    assert max(map(len, out.splitlines())) <= 80
    assert COMMANDS[command][1] in out
    assert run(command, "-h")[1] == out


@pytest.mark.parametrize("command", COMMANDS)
def test_complete_help_contains_the_short_one(command, run):
    status, whole, _ = run(command, "--help-all")
    assert status == 0
    flags = re.findall(r"^  (--[\w-]+)", run(command, "--help")[1], re.MULTILINE)
    assert {"--help-all"} <= set(flags)
    for flag in flags:
        assert len(re.findall(rf"^  {flag}\b(?!-)", whole, re.MULTILINE)) == 1


@pytest.mark.parametrize("model", MODELS)
def test_complete_help_lists_every_option_of_the_model_once(model, run):
    _, out, _ = run("train", "--model", model, "--help-all")
    listed, _, others = out.partition("Options of other models:")
    others = re.split(r"[\s,]+", others.partition("Example")[0])
    own = options_for(MODELS[model])
    for option in TRAIN:
        found = re.findall(rf"^  --{option.name}(?= )", listed, re.MULTILINE)
        assert len(found) == (option.name in own), option.name
        assert (f"--{option.name}" in others) == (option.name not in own)


def test_headings_come_in_order(run):
    _, out, _ = run("train", "--help-all")
    headings = re.findall(r"^(\w[\w ]*):$", out, re.MULTILINE)
    assert [one for one in headings if one in GROUPS] == [*GROUPS]
    assert headings.index("Options") < headings.index("Data")


def test_help_shows_the_defaults_of_the_model_on_the_line(run):
    for given in ((), ("--model", DEFAULT), (f"--model={DEFAULT}",)):
        assert "relativistic-hinge. [default: relativistic]" in plain(
            run("train", *given, "--help-all")
        )
    assert "relativistic-hinge. [default: bce]" in plain(
        run("train", "--model", "dcgan", "--help-all")
    )
    assert "Weight of path-length regularisation (StyleGAN). [default: 2]" in plain(
        run("train", "--help-all", "--model", "stylegan")
    )


def plain(result):
    """The output of a command on one line."""
    return " ".join(result[1].replace("-\n", "-").split()).replace("- ", "-")


def test_help_of_an_unknown_model_names_the_nearest(run):
    status, _, err = run("train", "--model", "stylgan", "--help")
    assert status == 1
    assert "stylegan" in err


@pytest.mark.parametrize("option", TRAIN, ids=lambda option: option.name)
def test_descriptions_are_short_sentences(option):
    said = option.info.description
    assert len(said.split()) <= WORDS
    assert said[0].isupper() or said[0].isdigit()
    assert said.endswith(".")
    assert "unset" not in said

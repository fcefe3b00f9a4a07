"""ganvas steer: change a run while another process trains it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.help import FIRST, Entry
from ganvas.cli.options import help_of, with_options
from ganvas.cli.streams import say
from ganvas.config import options
from ganvas.runs.control import Answer, Command, Label, Pause, Resume, Save, Set, Stop
from ganvas.runs.errors import RunError
from ganvas.runs.mailbox import LABEL, ask
from ganvas.runtime.names import expand, printable
from ganvas.runtime.validation import SettingsError
from ganvas.training.adversarial import LIVE

SOON = 5  # seconds after which it is said that the run has not answered yet


CHANGED = [options()[name.replace("_", "-")] for name in LIVE]
USUAL = {"lr-g", "lr-d"}


def describe(arguments: list[str]) -> dict[str, Entry]:
    """The learning rates first; the other settings under a heading of their own."""
    return {
        f"--{option.name}": Entry(
            FIRST if option.name in USUAL else "Other settings", help_of(option, None)
        )
        for option in CHANGED
    }


@with_options(CHANGED, describe=describe, default_of=lambda option: None)
def steer(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    save: Annotated[bool, typer.Option("--save", help="Write a checkpoint now.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Make no step until --resume.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after --pause.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Save and end the run.")] = False,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="TEXT", help="Mark this moment in log and curves."),
    ] = None,
    **settings: Any,
) -> None:
    """Change a run while it trains, between two of its steps."""
    folder = RunDir(expand(run))
    if not folder.settings.exists() and not checkpoint.list_checkpoints(folder.checkpoints):
        raise RunError(f"{run} holds no run; give the folder that ganvas train --out made.")
    commands: list[Command] = [
        Set(name, value) for name, value in settings.items() if value is not None
    ]
    if label is not None:
        if not 0 < len(label) <= LABEL:
            raise SettingsError(f"--label: give 1 to {LABEL} characters.")
        commands.append(Label(label))
    asked: dict[Command, bool] = {Save(): save, Pause(): pause, Resume(): resume, Stop(): stop}
    commands += [command for command, wanted in asked.items() if wanted]
    if not commands:
        raise SettingsError("say what is to change, such as --lr-g 0.01, --pause or --save.")
    refused = [_obeyed(folder, command) for command in commands].count(False)
    if refused:
        raise RunError(f"{refused} of {len(commands)} commands were refused.")


def _obeyed(folder: RunDir, command: Command) -> bool:
    """Send a command and say what became of it; whether it was applied."""
    waited = 0

    def waiting() -> None:
        nonlocal waited
        waited += 1
        if waited == SOON:
            say(
                "The run answers between two steps; waiting. Ctrl-C takes the command back.",
                error=True,
            )

    answer = ask(folder, command, waiting)
    said = _in_words(command, answer)
    say(said, error=answer.refused is not None)
    return answer.refused is None


def _in_words(command: Command, answer: Answer) -> str:
    what = command.name
    if isinstance(command, Set):
        what += f" {command.setting} {command.value:g}"
    if isinstance(command, Label):
        what += f" {command.text}"
    if answer.refused is not None:
        return f"Step {answer.step:,}: {printable(what)} refused: {answer.refused}"
    return f"Step {answer.step:,}: {printable(what)}."

"""Show events in the terminal: a live progress bar on a terminal, plain lines in logs."""

import shlex
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.console import Console

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.progress import Curve, LiveProgress
from ganvas.events import (
    Commanded,
    Configured,
    Diagnosis,
    Done,
    Dropped,
    Event,
    FollowUp,
    GivenUp,
    Looking,
    Notice,
    Planned,
    Prepared,
    Preparing,
    Scored,
    Step,
    StyleIteration,
    Stylized,
    Treatment,
    TrialFinished,
    TrialProgress,
)
from ganvas.runtime.names import expand, printable

LOSSES = {"loss_d": "loss D", "loss_g": "loss G", "loss": "loss"}  # drawn as sparklines
NUMBERS = {
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "logit_gap": "logit gap",  # of losses that compare images with each other
    "divergence": "KL divergence",
}
ORIGINS = {"user": "you"}  # how origins are shown, if not by their own name
ALWAYS = {"model", "network.width", "training.batch", "training.seed"}  # shown whatever the origin
LIVE_SECONDS, LOG_SECONDS = 0.2, 15.0  # between two updates
REFUSALS_SHOWN = 5
CLASSES_SHOWN = 12
FOUND, HELPED, FAILED = "bold yellow", "green", "bold red"  # what the doctor says, in a terminal


def show(events: Iterator[Event], out: Path) -> None:
    """Show every event of a run until it ends."""
    show_events(events, out)


def show_events(
    events: Iterator[Event], out: Path | None = None, quiet: bool = False, part: bool = False
) -> Any:
    """Show every event, unless quiet; return what the generator returns.

    `out` is the directory of the run whose events they are. In a `part` of a larger job the run
    does not say what to do next.
    """
    console = Console(highlight=False, markup=False, quiet=quiet)  # paths may hold [ ]
    live = console.is_terminal and sys.stdout.isatty()  # notebooks and CI only ask for colours
    bar = LiveProgress(console, live and not quiet)
    try:
        with bar:
            view = View(console, bar, out, part)
            view.begin()
            while True:
                try:
                    view.see(next(events))
                except StopIteration as end:
                    return end.value
    finally:  # whatever happened here, the job can save what it has
        if isinstance(events, Generator):
            events.close()


class View:
    """The state of the terminal output."""

    def __init__(
        self, console: Console, bar: LiveProgress, out: Path | None, part: bool = False
    ) -> None:
        self.console, self.bar, self.out, self.part = console, bar, out, part
        self.live = not bar.disable
        self.curves = {name: Curve(label) for name, label in (LOSSES | NUMBERS).items()}
        self.shown_at = 0.0
        self.first: Step | None = None
        self.issues = 0

    def begin(self) -> None:
        """Show that something happens before the first event, in a terminal."""
        if self.live:
            self.bar.advance_to("starting", 0.0, "", [])

    def see(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Step():
                self._step(event)
            case StyleIteration():
                if self._due():
                    self._style_iteration(event)
            case Stylized():
                self._show_stylized(event)
            case Preparing():
                if self._due():
                    share = event.done / max(1, event.total)
                    self._progress("preparing", share, f"{event.done:,} files")
            case Looking():
                if self._due():
                    facts = f"{event.done:,} {event.kind} images"
                    self._progress("extracting features of", event.done / event.total, facts)
            case Prepared() if self.out is not None:
                self._show_prepared(event)
            case TrialProgress():
                if self._due():
                    facts = f"trial {event.trial} of {event.trials}"
                    self._progress("sweeping", event.share, facts)
            case TrialFinished():
                self._show_trial(event)
            case Configured() if self.out is not None:
                self._show_config(event)
            case Commanded(details={"refused": _}):
                pass  # a notice has said why
            case Commanded(_, command, details) if command != "stop":
                said = "".join(f" {value}" for value in details.values())
                self._say(f"Step {event.step:,}: {command}{said}.")
            case Planned() | Notice():
                self._say(event.sentence)
            case Dropped():
                self._say(f"! Step {event.step:,} dropped: {event.reason}.", FOUND)
            case Diagnosis():
                self.issues += 1
                self._say(f"! Step {event.step:,}: {event.issue}. {event.sentence}", FOUND)
                self._say(f"  By hand: {event.advice}")
            case Treatment():
                self._say(f"  Treated: {event.sentence}", FOUND)
            case Scored():
                self._say(_score(event))
            case FollowUp():
                self._follow_up(event)
            case GivenUp():
                self._say(f"! The run stops: {event.sentence}", FAILED)
            case Done():
                self._done(event)

    def _show_config(self, event: Configured) -> None:
        """Print the settings with their origins, without defaults."""
        settings = [
            f"{path.rpartition('.')[2]} {_format(value)} · {ORIGINS.get(origin, origin)}"
            for path, (value, origin) in event.settings.items()
            if path in ALWAYS or (origin != "default" and value is not None)
        ]
        width = 2 + max(map(len, settings))
        columns = max(1, (self.console.width - 2) // width)
        for first in range(0, len(settings), columns):
            row = settings[first : first + columns]
            self._say("  " + "".join(f"{one:{width}}" for one in row).rstrip())

    def _show_trial(self, event: TrialFinished) -> None:
        self.bar.clear()
        said = [
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in event.values.items()
        ]
        score = "no score" if event.kernel is None else f"KID {event.kernel:.3g}"
        ends = f", pruned after {event.share:.0%}" if event.pruned else ""
        what = ", ".join(said) or "as planned"
        self._say(f"Trial {event.trial} of {event.trials}: {score}{ends} ({what})")

    def _say(self, sentence: str, style: str | None = None) -> None:
        """Print a sentence: wrapped between words in a terminal, on one line in a log."""
        lines = [printable(sentence)]
        if self.live:
            indent = " " * (2 + len(lines[0]) - len(lines[0].lstrip()))
            width = max(self.console.width, 2 * len(indent))
            lines = wrap(
                lines[0],
                width,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        for line in lines:
            self.console.print(line, style=style, soft_wrap=True)

    def _step(self, step: Step) -> None:
        for name in self.curves.keys() & step.scalars.keys():
            self.curves[name].add(step.scalars[name])
        if self.first is None:
            self.first, self.shown_at = step, time.monotonic()  # the speed is not known yet
        if self._due():
            self._progress("training", step.fraction, self._facts(step), LOSSES, NUMBERS)

    def _style_iteration(self, iteration: StyleIteration) -> None:
        losses = [f"{name} {value:.3g}" for name, value in iteration.scalars.items()]
        facts = [f"{_clock(iteration.left)} left", f"{iteration.width}x{iteration.height}", *losses]
        self._progress("stylizing", iteration.iteration / iteration.iterations, "  ".join(facts))

    def _show_stylized(self, event: Stylized) -> None:
        if event.stage == event.stages:
            self.bar.clear()
        what = "Stylized" if event.stage == event.stages else f"Stage {event.stage} stylized"
        self._say(f"{what} after {_clock(event.seconds)}: {event.image}")

    def _due(self) -> bool:
        pause = LIVE_SECONDS if self.live else LOG_SECONDS
        if time.monotonic() - self.shown_at < pause:
            return False
        self.shown_at = time.monotonic()
        return True

    def _facts(self, step: Step) -> str:
        assert self.first is not None, "called for steps alone"
        seconds, images = step.seconds - self.first.seconds, step.images - self.first.images
        rate = images / seconds if seconds else 0.0
        gained = step.fraction - self.first.fraction
        left = seconds / gained * (1 - step.fraction) if gained else 0.0
        return f"{_clock(left)} left  {rate:,.0f} images/s  step {step.step:,}"

    def _progress(
        self,
        what: str,
        fraction: float,
        facts: str,
        curves: Iterable[str] = (),
        numbers: Iterable[str] = (),
    ) -> None:
        """Show what happens now: in the live display, or as a line of a log."""
        drawn, plain = self._known(curves), self._known(numbers)
        if self.live:
            self.bar.advance_to(what, fraction, facts, self.bar.lines(drawn, plain))
        else:
            self._say("  ".join([f"{what} {fraction:4.0%}", facts, *map(str, [*drawn, *plain])]))

    def _known(self, names: Iterable[str]) -> list[Curve]:
        return [self.curves[name] for name in names if self.curves[name].history]

    def _follow_up(self, event: FollowUp) -> None:
        said = "has not been seen again" if event.helped else "is still there"
        self._say(
            f"! Step {event.step:,}: {event.issue} {said} after the treatment.",
            HELPED if event.helped else FOUND,
        )

    def _show_prepared(self, event: Prepared) -> None:
        if self.live:
            self.bar.advance_to("planning", 0.0, "timing steps on this machine", [])
        again = ", prepared before" if event.from_cache else ""
        self._say(f"{event.usable:,} images from {event.source}{again}.")
        if event.classes:
            self._say(f"  {len(event.classes)} classes: {count_classes(event.classes)}")
        for refusal in event.refused[:REFUSALS_SHOWN]:
            self._say(f"  refused {refusal.name}: {refusal.reason}")
        more = len(event.refused) - REFUSALS_SHOWN
        if more > 0:
            self._say(f"  and {more:,} more; all are in images.json")

    def _done(self, event: Done) -> None:
        self.bar.clear()
        stopped = {"finished": "Finished", "given up": "Given up and saved"}
        by = {"SIGINT": "Ctrl-C"}.get(event.reason, event.reason)
        ended = stopped.get(event.reason, f"Stopped by {by} and saved")
        self._say(f"{ended} after {event.images:,} images in {_clock(event.seconds)}.")
        assert self.out is not None, "only a run ends so"
        run = RunDir(expand(self.out))
        places = {"Samples": (run.samples, run.progress), "Losses": (run.curves,)}
        for what, paths in places.items():
            if there := [str(path) for path in paths if path.exists()]:
                self._say(f"  {what}: {', '.join(there)}")
        if self.part:
            return
        place = shlex.quote(str(self.out))
        commands = [f"ganvas sample {place}", f"ganvas evaluate {place}"]
        if event.reason != "finished":
            commands.insert(0, f"ganvas train --resume --out {place}")
        if self.issues:
            commands.append(f"ganvas doctor {place}")
        self._say("Next:")
        for command in commands:
            self._say(f"  {command}")


def count_classes(classes: Mapping[str, int]) -> str:
    """The first classes with their numbers of images, and how many more there are."""
    first = [f"{name} ({count:,})" for name, count in [*classes.items()][:CLASSES_SHOWN]]
    more = [f"and {len(classes) - CLASSES_SHOWN:,} more"] * (len(classes) > CLASSES_SHOWN)
    return ", ".join([*first, *more])


def _score(event: Scored) -> str:
    of = event.scores
    return (
        f"Step {event.step:,}: KID {of['kernel']:.3g} ± {of['kernel_error']:.1g}, "
        f"FD {of['frechet']:.3g}, precision {of['precision']:.2f}, recall "
        f"{of['recall']:.2f}, coverage {of['coverage']:.2f} ({event.samples:,} samples, "
        f"{event.features})."
    )


def _format(value: object) -> str:
    """A setting's value, with a readable number of digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if value < 10**15 else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

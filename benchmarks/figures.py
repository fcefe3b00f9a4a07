"""The current figures on one page: `python benchmarks/figures.py` makes RESULTS.md anew from the
stored results."""

import re
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stored import BENCHMARKS, StoredResult, load_all

PAGE = "RESULTS.md"
INTRODUCTION = """\
# Results

The newest figures of each benchmark on each processor. `python benchmarks/figures.py` makes this
page from [stored results](README.md#where-results-are-kept); every figure stands below the command
that measured it. Bold figures are medians, or the figures that matter most in their table. Values
in parentheses are single runs, or the smallest and the largest. ↓ marks columns where lower is
better, ↑ those where higher is better. Earlier figures are in [the history](history/README.md),
and what was tried without success is in [the notes](NOTES.md)."""


@dataclass(frozen=True)
class Section:
    """One benchmark on the page: what it measures, and which direction is better."""

    benchmark: str
    heading: str
    explanation: str


# In a reader's order.
SUBJECTS: dict[str, list[Section]] = {
    "Quality at equal time": [
        Section(
            "equal_time",
            "Every model after the same training time",
            "Every model trains with its defaults for the same time on the same machine; lower "
            "FD and KID are better, higher images/s, precision, recall, density and coverage "
            "are better, and a figure such as 2.5x is the ratio to the tutorial's DCGAN.",
        ),
        Section(
            "discriminators",
            "Own, pretrained or both",
            "The default model with its own discriminator, with one that looks through a frozen "
            "network, and with both, in equal time. VGG-19 judges, which has taught nobody; lower "
            "distances and shares of duplicates and copies, and higher precision, recall and "
            "coverage are better.",
        ),
        Section(
            "shipped",
            "The generators that come with ganvas",
            "Samples of the generators in the package are compared with the images that they "
            "were trained on; lower FD and KID, and higher precision, recall, density and "
            "coverage are better.",
        ),
        Section(
            "sweep_worth",
            "What a hyperparameter sweep is worth",
            "`ganvas sweep` spends part of the same time on trials; a lower FD is better.",
        ),
        Section(
            "keras",
            "GANs in Keras on two backends",
            "The GANs of the Keras notebook train on TensorFlow and on torch, and ganvas trains "
            "for the same seconds; a lower FD is better.",
        ),
    ],
    "Speed": [
        Section(
            "throughput",
            "Throughput beside a plain loop",
            "The same `dcgan` trains in ganvas and in a plain fp32 loop by turns; a higher "
            "ratio is better, and so are smaller shares of a step for loading and reporting.",
        ),
        Section(
            "models",
            "What each model costs",
            "Training speed of each model beside a tutorial's DCGAN; higher images/s and a "
            "higher share of the machine's peak are better, fewer GFLOP and less memory are "
            "better.",
        ),
        Section(
            "pretrained_share",
            "What a pretrained network costs in training",
            "A training step with both discriminators beside one with the model's own, and the "
            "share that the frozen network and its heads take; lower is better.",
        ),
        Section(
            "scaling",
            "Several processes, and many GPUs",
            "One run on 1, 2 and 4 processes of this machine, and what its gradients would cost on "
            "the links between GPUs; a higher speed-up and efficiency are better.",
        ),
        Section(
            "commits",
            "A training step before and after",
            "The same runs by two commits by turns; a ratio below 1 means that a step became "
            "faster.",
        ),
    ],
    "The doctor": [
        Section(
            "doctor_trials",
            "How often is the doctor right?",
            "Runs broken on purpose, and healthy ones, with the doctor and without; better are "
            "more broken runs detected, fewer alarms in healthy runs, and lower scores.",
        ),
        Section(
            "badly_chosen_rates",
            "Badly chosen learning rates",
            "What a minute of training leaves when a learning rate is far too high, with the "
            "doctor and without; a lower FD is better.",
        ),
        Section(
            "doctor_cost",
            "What the doctor costs",
            "The time that training signals, their window and probes add to a step; lower is "
            "better.",
        ),
    ],
    "Studio": [
        Section(
            "studio_load",
            "The studio's load",
            "The speed of a run that ten clients watch in the studio, the time until a long log "
            "is on the screen, and how smoothly pages move.",
        ),
    ],
    "Modes": [
        Section(
            "modes",
            "Mode coverage",
            "How many of the known modes a model finds; more modes, a higher share of good "
            "samples and a lower KL divergence from the real frequencies are better.",
        ),
    ],
    "Style transfer": [
        Section(
            "style_time_to_quality",
            "Style transfer: time to quality",
            "Four pairs of photograph and painting, stylized by a tutorial, the lesson, Gatys "
            "et al. and ganvas; a lower style distance, a higher content similarity and less "
            "time are better.",
        ),
        Section(
            "style_draft",
            "Style transfer: whole drafts",
            "Time and memory of the whole command with `--preset draft`; lower is better.",
        ),
        Section(
            "style_memory",
            "Style transfer: memory by size",
            "Memory and time of an iteration at each size; lower is better, and a gradient "
            "across seams of 1 means that the seams between blocks do not show.",
        ),
        Section(
            "style_iteration",
            "Style transfer: parts of an iteration",
            "The share of an iteration outside the network, and the forecast time beside the "
            "time taken; a lower share and a forecast nearer to 0 % off are better.",
        ),
        Section(
            "style_gallery",
            "Style transfer: gallery",
            "Sixteen pairs with default settings, and one pair at five strengths; a lower style "
            "distance and a higher content similarity are better.",
        ),
    ],
    "Evaluation": [
        Section(
            "feature_networks",
            "Which feature network tells good samples from bad ones",
            "Samples from good to bad are scored through each network that comes with ganvas; a "
            "good network keeps their order and leaves room between them.",
        ),
        Section(
            "evaluation_time",
            "How long evaluating takes",
            "Seconds that `ganvas evaluate` takes, with and without cached features; lower is "
            "better.",
        ),
    ],
    "Robustness": [
        Section(
            "kills",
            "Killed at random moments, on disks that fill up",
            "Training, preparation and style transfer are killed at random moments; a fault is "
            "anything lost or damaged, and 0 faults are wanted.",
        ),
    ],
    "Start-up": [
        Section(
            "preparation",
            "Starting, and preparing images",
            "What comes before training; more images/s, fewer seconds and less memory are better.",
        ),
    ],
}
SECTIONS = {one.benchmark: one for sections in SUBJECTS.values() for one in sections}


def main() -> None:
    """Make the page anew."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder of the results")
    write_page(options.parse_args().results)


def write_page(place: Path) -> None:
    """Write the page of the results below `place`, the folder of the benchmarks."""
    (place / PAGE).write_text(page(load_all(place)), encoding="utf-8")


def page(results: Iterable[StoredResult]) -> str:
    """The page in markdown: contents, then one section per benchmark that has a result."""
    found: dict[str, list[StoredResult]] = {}
    for result in results:
        found.setdefault(result.benchmark, []).append(result)
    contents, sections = [], []
    for subject, members in SUBJECTS.items():
        here = [section for section in members if section.benchmark in found]
        if here:
            contents.append(f"- {subject}: {', '.join(map(_link, here))}")
        sections += [_section(one, found[one.benchmark]) for one in here]
    return "\n\n".join([INTRODUCTION, "\n".join(contents), *sections]) + "\n"


def _section(section: Section, results: Iterable[StoredResult]) -> str:
    """Variants in natural order, each with its processors, newest first."""
    newest_first = sorted(results, key=lambda one: one.date, reverse=True)
    parts = [f"## {section.heading}", section.explanation]
    shown = ""
    for result in sorted(newest_first, key=lambda one: _natural(one.variant)):
        if result.variant != shown:
            parts.append(f"### {result.title}")
            shown = result.variant
        parts += [result.facts(), result.body()]
    return "\n\n".join(parts)


def _link(section: Section) -> str:
    return f"[{section.heading}](#{anchor(section.heading)})"


def anchor(heading: str) -> str:
    """The anchor of a heading, on the site and on GitHub alike."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def _natural(words: str) -> list[tuple[int, str]]:
    """Sorts 60s before 300s."""
    return [(int(one), "") if one.isdecimal() else (0, one) for one in re.split(r"(\d+)", words)]


if __name__ == "__main__":
    main()

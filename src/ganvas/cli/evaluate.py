"""ganvas evaluate: the scores of a trained model, with what is needed to interpret them."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ganvas.checkpoints.run_dir import RunDir
from ganvas.cli.complete import Names
from ganvas.cli.pipelines import Run
from ganvas.cli.show import show_events
from ganvas.cli.streams import say
from ganvas.evaluation.features import DEFAULT, FEATURES
from ganvas.evaluation.metrics import METRICS, EvaluationReport
from ganvas.events import Evaluated
from ganvas.imaging.write import check_place, generated_mark, write_png
from ganvas.runs import evaluate as job
from ganvas.runtime.device import DeviceName
from ganvas.runtime.names import printable
from ganvas.runtime.system import PlaceError, system_errors


def evaluate(
    run: Run,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="SOURCE",
            help="Images to compare with: folder, .zip, digits or emoji. "
            "[default: the training images]",
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option("--count", metavar="N", min=1, help="Number of images to generate and score."),
    ] = job.COUNT,
    features: Annotated[
        str,
        typer.Option(
            "--features",
            metavar="NAME",
            help=f"Feature network: {', '.join(FEATURES)}, or a TorchScript or ONNX file.",
            autocompletion=Names(list(FEATURES), files=True).starting,
        ),
    ] = DEFAULT,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of the first image.")
    ] = job.SEED,
    device: Annotated[
        DeviceName,
        typer.Option("--device", help="Device; auto is the fastest one available."),
    ] = "auto",
    strip: Annotated[
        Path | None,
        typer.Option(
            "--strip",
            metavar="PNG",
            help="Sheet of the samples nearest to real images. [default: nearest.png, in RUN]",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Score the samples of a trained model against its training images."""
    place = strip or _usual_place(run)
    _check(place)
    events = job.evaluate(run, against, count=count, features=features, seed=seed, device=device)
    quiet = as_json or not sys.stderr.isatty()
    found: Evaluated = show_events(events, quiet=quiet)
    facts = generated_mark("figure", {"ganvas.features": found.report.network})
    write_png(place, found.strip, facts)
    if as_json:
        about = {"strip": str(place), "other_images": found.others, "warning": found.warning}
        say(*json.dumps(found.report.as_json() | about, indent=1).split("\n"))
        return
    _print(found.report, [found.others, found.warning] if quiet else [])
    if against is None:
        say("To compare with other images, name them with --against.")
    say(f"The samples nearest to a real image, with that image below: {place}")


def _check(place: Path) -> None:
    """Raise PlaceError, before minutes of work, if the strip cannot be written."""
    try:
        check_place(place)
    except PlaceError as fault:
        raise PlaceError(f"{fault} Name another place for the strip with --strip.") from fault


def _usual_place(run: str) -> Path:
    folder = Path(run)
    with system_errors(folder):
        in_run = RunDir(folder).settings.exists()
    return RunDir(folder if in_run else Path()).nearest


def _print(report: EvaluationReport, remarks: Iterable[str | None]) -> None:
    console = Console(highlight=False, markup=False)
    head = (
        f"{report.samples:,} samples from seed {report.seed:,} on against {report.reals:,} "
        f"images from {report.source}, through {report.network}."
    )
    for sentence in filter(None, (head, *remarks)):
        console.print(printable(sentence), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for head in ("", "samples", "real ones", "better", ""):
        table.add_column(head, justify="right" if head in ("samples", "real ones") else "left")
    for name, metric in METRICS.items():
        ours = f"{report.scores[name]:.3g}"
        if name == "kernel":
            ours += f" ± {report.scores.kernel_error:.1g}"
        table.add_row(name, ours, f"{report.ceiling[name]:.3g}", metric.better, metric.summary)
    console.print(table)
    for sentence in sentences(report):
        console.print(sentence, soft_wrap=True)


def sentences(report: EvaluationReport) -> list[str]:
    """The results beside the table, in sentences."""
    bins = report.scores.bins_in_all
    different = round(report.scores.bins * bins)
    pairs, samples = report.duplicates.pairs, report.duplicates.samples
    if pairs:
        variety = (
            f"{pairs:,} pairs of near-duplicates among {samples:,} samples: about "
            f"{report.duplicates.distinct:,.0f} different images."
        )
    else:
        variety = f"No near-duplicates among {samples:,} samples."
    return [
        '"real ones" is the score of one half of the real images against the other.',
        f"Real images fall into {bins} clusters, and {different} of them are generated too rarely "
        f"or too often ({round(0.05 * bins)} are expected by chance).",
        variety,
        f"Samples differ from each other {report.diversity.ratio:.0%} as much as real images do "
        f"(by scale, coarse to fine: {', '.join(f'{r:.0%}' for r in report.diversity.ratios)}).",
        f"{report.copied:.0%} of samples are nearer to a real image than any other real one "
        "is (copies: 100 %; new images from the same distribution: about half).",
    ]

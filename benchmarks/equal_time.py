"""Who generates the best images in the same time on this machine? Every model with its defaults.

`python benchmarks/equal_time.py --source digits --size 32 --for 60s`; beside the models of the
catalogue run the lesson's GAN and a tutorial's DCGAN in plain PyTorch. Interrupted, it goes on
where it was; `--fresh` trains again. `--only NAME ...` trains some; the table shows whoever has a
result.
"""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path

from contestants import Contestant, lesson, model_by_default, tutorial_dcgan
from images import as_tensor, prepared
from record import Terms
from score import Comparison, Scorer
from stored import BENCHMARKS
from torch import Tensor

from ganvas.config.training import seconds
from ganvas.evaluation.features import DigitsClassifier, EfficientNetLite0, VGG19Averages
from ganvas.models import MODELS

LESSON, TUTORIAL = "the lesson's GAN", "tutorial DCGAN"
COLUMNS = {
    "images/s": "images/s",
    "FD": "FD ↓",
    "kernel": "KID ↓",
    "kernel error": "± (KID)",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "density": "density ↑",
    "coverage": "coverage ↑",
}


def main() -> None:
    """Compare, record and draw a sheet of all that have a result."""
    options = _options().parse_args()
    source, size, budget = options.source, options.size, float(str(seconds(options.budget)))
    images = as_tensor(prepared(source, size))
    entered = contestants(source, size, images)
    terms = Terms(options.seeds, budget, options.only or [*entered], options.fresh, options.results)
    scorers = [Scorer(EfficientNetLite0(), images, 2000)]
    if source == "digits":
        scorers.append(Scorer(DigitsClassifier.load(), images, 5000))
    else:  # through Lite0 the default model learns
        scorers.insert(0, Scorer(VGG19Averages(), images, 2000))
    Comparison("equal_time", source, size, COLUMNS, TUTORIAL).run(entered, scorers, images, terms)


def contestants(source: str, size: int, images: Tensor) -> dict[str, Contestant]:
    """Who takes part: the peers get the images as a tensor, the models of the catalogue by name."""
    peers: dict[str, Contestant] = {
        LESSON: partial(lesson, images),
        TUTORIAL: partial(tutorial_dcgan, images),
    }
    return peers | {name: partial(model_by_default, name, source, size) for name in MODELS}


def _options() -> ArgumentParser:
    options = ArgumentParser(description="Every model, the same time.")
    options.add_argument("--source", choices=["digits", "emoji"], required=True)
    options.add_argument("--size", type=int, required=True, help="pixels a side")
    options.add_argument("--for", dest="budget", required=True, help="such as 60s or 10m, for each")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--only", nargs="+", choices=[LESSON, TUTORIAL, *MODELS])
    options.add_argument("--fresh", action="store_true", help="train again what has a result")
    options.add_argument("--results", type=Path, default=BENCHMARKS, help="folder to record into")
    return options


if __name__ == "__main__":
    main()

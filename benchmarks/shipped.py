"""How good the generators are that come with ganvas: `python benchmarks/shipped.py`."""

from images import as_tensor, prepared
from record import record
from score import SAMPLE_SEED, Scorer
from stored import BENCHMARKS, Table

import ganvas
from ganvas.evaluation.features import DigitsClassifier, EfficientNetLite0, VGG19Averages
from ganvas.generate.trained import SHIPPED

COLUMNS = {
    "FD": "FD ↓",
    "kernel": "KID ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "density": "density ↑",
    "coverage": "coverage ↑",
}


def main() -> None:
    """Score, print and record."""
    rows = []
    for source in SHIPPED:
        pipeline = ganvas.load(source)
        real = as_tensor(prepared(source, pipeline.generator.shape[1]))
        scorers = [Scorer(EfficientNetLite0(), real, 2000)]
        if source == "digits":
            scorers.append(Scorer(DigitsClassifier.load(), real, 5000))
        else:  # its discriminator looked through Lite0, which cannot judge it
            scorers.insert(0, Scorer(VGG19Averages(), real, 2000))
        for scorer in scorers:
            scores = scorer.score(pipeline.sample(scorer.samples, SAMPLE_SEED))
            found = [f"{scores[column]:.3g}" for column in COLUMNS]
            rows.append([source, f"{scorer.network.name}, {scorer.samples:,} samples", *found])
    record(BENCHMARKS, "shipped", [Table(["", "through", *COLUMNS.values()], rows)])


if __name__ == "__main__":
    main()

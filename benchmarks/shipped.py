"""How good the generators are that come with ganvas: `python benchmarks/shipped.py`."""

from images import as_tensor, prepared
from record import RESULTS, append_table
from score import SAMPLE_SEED, Scorer

import ganvas
from ganvas.evaluation.features import DigitsClassifier, EfficientNetLite0
from ganvas.generate.trained import SHIPPED

COLUMNS = ("FD", "kernel", "precision", "recall", "density", "coverage")


def main() -> None:
    """Score, print, and append to RESULTS.md."""
    heads = ["", "through", *COLUMNS]
    lines = [heads, ["---"] * len(heads)]
    for source in SHIPPED:
        pipeline = ganvas.load(source)
        real = as_tensor(prepared(source, pipeline.generator.shape[1]))
        scorers = [Scorer(EfficientNetLite0(), real, 2000)]
        if source == "digits":
            scorers.append(Scorer(DigitsClassifier.load(), real, 5000))
        for scorer in scorers:
            scores = scorer.score(pipeline.sample(scorer.samples, SAMPLE_SEED))
            found = [f"{scores[column]:.3g}" for column in COLUMNS]
            lines.append([source, f"{scorer.network.name}, {scorer.samples:,} samples", *found])
    said = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(said)
    append_table(RESULTS, "The generators that come with ganvas", said)


if __name__ == "__main__":
    main()

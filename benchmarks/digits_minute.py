"""Digits in a minute: who draws the best 32x32 digits after 60 seconds on this machine?

`python benchmarks/digits_minute.py` races everyone over three seeds. Interrupted, it goes on where
it was; `--fresh` starts again.
"""

from functools import partial

from contestants import Contestant, ganvas_itself, lesson, tutorial_dcgan
from digits_classifier import digits, digits_classifier, held_out_accuracy
from record import Shelf, Terms, race_options, report, table
from score import Judge, race

SAMPLES = 5000
COLUMNS = {
    "pictures/s": "pictures/s",
    "FD": "FD ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
    "density": "density ↑",
    "coverage": "coverage ↑",
}


def main() -> None:
    """Race, print, and append to the results when everyone has finished."""
    pictures, _ = digits()
    contestants: dict[str, Contestant] = {
        "lesson": partial(lesson, pictures),
        "tutorial DCGAN": partial(tutorial_dcgan, pictures),
        "ganvas": partial(ganvas_itself, "digits", 32),
    }
    options = race_options("Digits in a minute.", 60, contestants).parse_args()
    terms = Terms(**vars(options))
    classifier = digits_classifier()
    judge = Judge(classifier, pictures, SAMPLES)
    shelf = Shelf(f"digits_{terms.seconds:g}s")
    groups = race(shelf, judge, contestants, terms)
    body = table(groups, COLUMNS, judge.ceiling(), baseline="tutorial DCGAN")
    title = f"Digits, 32x32, {terms.seconds:g} s of training"
    note = (
        f"{SAMPLES:,} samples against all 10,000 digits (neighbours: k = 5, 2,000 against 2,000). "
        f"The classifier names {held_out_accuracy(classifier):.1%} of held-out digits."
    )
    report(title, shelf, groups, f"{note}\n\n{body}", terms, pictures)


if __name__ == "__main__":
    main()

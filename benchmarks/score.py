"""How good a sample is: its features against those of real images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TypeAlias

import torch
from contestants import Contestant, Trained
from record import SCRATCH, SHOWN, Result, Shelf, Terms, commit, draw, record, table
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.evaluation.features import FeatureNetwork
from ganvas.evaluation.metrics import (
    duplicates,
    frechet_distance,
    kernel_distance,
    nearest_real,
    neighbour_shares,
)

NEIGHBOURHOOD = 2000
SAMPLE_SEED = 1_000_000  # away from the seeds that a contestant watches while it trains


Scores: TypeAlias = dict[str, float]


class Scorer:
    """Real images as one feature network sees them; the features are kept in `.scratch/`."""

    def __init__(
        self, network: FeatureNetwork, reals: Tensor, samples: int, learnt: Tensor | None = None
    ) -> None:
        """`reals` is (N, C, H, W) in [-1, 1]; of a contestant `samples` images are scored.

        Copies are those of `learnt` images, of as many dimensions, if these are not the `reals`.
        """
        self.network, self.samples = network, samples
        features = _cached_features(network, reals)
        random = torch.Generator().manual_seed(0)
        self.reals = features[torch.randperm(len(features), generator=random)]
        self.learnt = None if learnt is None else _cached_features(network, learnt)

    def score(self, sample: Tensor) -> Scores:
        """The score of `sample` (M, C, H, W) in [-1, 1]."""
        features = self.network.features(sample)
        scores = _score(self.reals, features)
        if self.learnt is not None:
            scores["copies"] = nearest_real(self.learnt, features).share
        return scores

    def ceiling(self) -> Scores:
        """What real images score: one half of them against the other."""
        return _score(*self.reals.chunk(2))


def compare(
    shelf: Shelf, scorers: Sequence[Scorer], contestants: Mapping[str, Contestant], terms: Terms
) -> dict[str, list[Result]]:
    """Train and score whoever has no result yet; all that there are for these seeds, by name.

    Alternating seed by seed spreads a slow minute of the machine over all contestants.
    """
    networks = [scorer.network.name for scorer in scorers]
    for seed, name in product(terms.seeds, terms.only):
        if terms.fresh or not shelf.find(name, seed, networks):
            trained = contestants[name](terms.seconds, seed)
            sample = trained.sample(max(scorer.samples for scorer in scorers), SAMPLE_SEED)
            scores = {one.network.name: one.score(sample[: one.samples]) for one in scorers}
            result = _result(name, trained, seed, scores)
            shelf.keep(result, sample)
            print(name, f"seed {seed}", scores, flush=True)
    found = {name: [shelf.find(name, s, networks) for s in terms.seeds] for name in contestants}
    kept = {name: [result for result in results if result] for name, results in found.items()}
    return {name: results for name, results in kept.items() if results}


@dataclass(frozen=True)
class Comparison:
    """Contestants that get the same images and the same time, and what is shown of them."""

    benchmark: str  # its key in `figures.SECTIONS`
    source: str
    size: int
    columns: Mapping[str, str]
    baseline: str
    about: str = ""  # begins the title, if another benchmark compares on the same images

    def shelf(self, seconds: float) -> Shelf:
        """Where the results for so much time are kept."""
        return Shelf(f"{self.benchmark}_{self._variant(seconds)}")

    def _variant(self, seconds: float) -> str:
        return f"{Path(self.source).stem}{self.size}_{seconds:g}s"

    def _title(self, images: str) -> str:
        return f"{self.about}: {images}" if self.about else images.capitalize()

    def run(
        self,
        contestants: Mapping[str, Contestant],
        scorers: Sequence[Scorer],
        images: Tensor,
        terms: Terms,
    ) -> None:
        """Compare, record, and draw a sheet of all that have a result."""
        name, shelf = Path(self.source).stem, self.shelf(terms.seconds)
        groups = compare(shelf, scorers, contestants, terms)
        tables = [
            table(
                scorer.network.name,
                groups,
                self.columns,
                scorer.ceiling(),
                self.baseline,
                f"Through {scorer.network.name}, {scorer.samples:,} samples:",
            )
            for scorer in scorers
        ]
        record(
            terms.results,
            self.benchmark,
            tables,
            variant=self._variant(terms.seconds),
            title=self._title(f"{name} at {self.size}x{self.size} after {terms.seconds:g} s"),
            notes=f"Against all {len(images):,} images (neighbours: k = 5, 2,000 against 2,000); "
            "KID (kernel distance) is in units of the real images' spread.",
            commits=[one.commit for results in groups.values() for one in results],
        )
        draw(shelf, groups, terms, images[:: max(1, len(images) // SHOWN)])


def _result(name: str, trained: Trained, seed: int, scores: dict[str, Scores]) -> Result:
    return Result(
        contestant=name,
        seed=seed,
        seconds=trained.seconds,
        steps=trained.steps,
        seen=trained.seen,
        commit=commit(),
        scores=scores,
    )


def _score(real: Tensor, fake: Tensor) -> Scores:
    """Distances on all features, the shares of neighbours (k = 5) on up to 2,000 of each."""
    kernel = kernel_distance(real, fake)
    shares = neighbour_shares(real[:NEIGHBOURHOOD], fake[:NEIGHBOURHOOD])
    return {
        "FD": frechet_distance(real, fake),
        "kernel": kernel.relative,
        "kernel error": kernel.relative_error,
        **asdict(shares),
        "duplicates": duplicates(real, fake).share,
        "copies": nearest_real(real, fake).share,
    }


def _cached_features(network: FeatureNetwork, images: Tensor) -> Tensor:
    key = hashlib.sha256(network.name.encode())
    key.update(images.contiguous().numpy().data)
    path = SCRATCH / "features" / f"{key.hexdigest()[:16]}.safetensors"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"features": network.features(images)}, path)
    return load_file(path)["features"]

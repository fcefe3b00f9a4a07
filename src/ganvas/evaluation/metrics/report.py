"""All metrics of a set of samples in the features of one network, and the report of them."""

from dataclasses import asdict, dataclass

from torch import Tensor

from ganvas.evaluation.metrics.bins import bins
from ganvas.evaluation.metrics.diversity import Diversity
from ganvas.evaluation.metrics.duplicates import Duplicates, duplicates
from ganvas.evaluation.metrics.frechet import frechet_distance
from ganvas.evaluation.metrics.kernel import kernel_distance
from ganvas.evaluation.metrics.neighbours import neighbour_shares

NEIGHBOURHOOD = 2000  # real and generated images at most for neighbours, bins and duplicates


@dataclass(frozen=True)
class Scores:
    """One number for each metric in METRICS, the error of KID and the number of bins."""

    frechet: float
    kernel: float
    kernel_error: float
    precision: float
    recall: float
    density: float
    coverage: float
    bins: float
    bins_in_all: int
    duplicates: float

    def __getitem__(self, name: str) -> float:
        number: float = getattr(self, name)
        return number


@dataclass(frozen=True)
class EvaluationReport:
    """The scores of a model, and what they must be quoted with to be comparable."""

    network: str  # the feature network, its layer, and how images were resized
    samples: int
    reals: int
    seed: int  # of the first sample
    source: str
    scores: Scores
    ceiling: Scores  # the scores of one half of the real images against the other
    duplicates: Duplicates
    copied: float  # share of samples closer to a real image than other real images are
    diversity: Diversity

    def as_json(self) -> dict[str, object]:
        """Plain values for JSON."""
        pairs = asdict(self.duplicates)
        distinct = self.duplicates.distinct
        return {
            "features": self.network,
            "samples": self.samples,
            "reals": self.reals,
            "seed": self.seed,
            "source": self.source,
            "scores": asdict(self.scores),
            "real_halves": asdict(self.ceiling),
            "duplicates": pairs | {"distinct": distinct if self.duplicates.pairs else None},
            "copied": self.copied,
            "diversity": {
                "ratio": self.diversity.ratio,
                "by_scale": list(self.diversity.ratios),
            },
        }


def scores(real: Tensor, fake: Tensor, seed: int = 0) -> Scores:
    """All metrics of two sets of features, `real` (N, D) and `fake` (M, D).

    Distances use all rows; neighbours, bins and duplicates use the first 2,000 of each.
    Raises ValueError when a set is too small, or the sets cannot be compared.
    """
    kernel = kernel_distance(real, fake, seed=seed)
    few = real[:NEIGHBOURHOOD], fake[:NEIGHBOURHOOD]
    clusters = bins(*few, seed=seed)
    return Scores(
        frechet=frechet_distance(real, fake),
        kernel=kernel.relative,
        kernel_error=kernel.relative_error,
        **asdict(neighbour_shares(*few)),
        bins=clusters.share,
        bins_in_all=len(clusters.real),
        duplicates=duplicates(*few).share,
    )

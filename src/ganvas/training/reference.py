"""Real pictures as a feature network sees them: looked at once, and kept in the cache."""

import hashlib
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ganvas.data import Pictures, cache_folder
from ganvas.data.cache import FEATURES, explained
from ganvas.events import Event, Looking
from ganvas.runtime.atomic import replacing
from ganvas.training.feed import to_network
from ganvas.vision import FeatureNetwork

REALS = 10_000  # real pictures that are looked at; of more, so many are drawn
AT_ONCE = 256

Rows = Callable[[int, int], Tensor]  # pictures from a number up to another


def drawn(total: int, most: int = REALS) -> NDArray[np.int64]:
    """Numbers of the real pictures that are looked at, in an order of their own."""
    return np.random.default_rng(0).permutation(total)[:most]


def as_shown(pictures: Pictures, numbers: NDArray[np.int64]) -> Tensor:
    """Real pictures (N, C, H, W) in [-1, 1], as people see them."""
    return to_network(torch.from_numpy(pictures.batch(numbers)))


def seen(
    network: FeatureNetwork, total: int, kind: str, rows: Rows
) -> Generator[Event, None, Tensor]:
    """Features of so many pictures, a part at a time: memory stays small."""
    found = []
    for first in range(0, total, AT_ONCE):
        last = min(total, first + AT_ONCE)
        found.append(network.features(rows(first, last)))
        yield Looking(kind, last, total)
    return torch.cat(found)


def real_features(
    network: FeatureNetwork, pictures: Pictures, most: int = REALS
) -> Generator[Event, None, Tensor]:
    """(N, D) of the pictures that `drawn` says, now or from the cache; may raise CacheError."""
    numbers = drawn(len(pictures), most)
    about = f"{pictures.key} {len(pictures)} {most} {network.name}"
    key = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()
    path = cache_folder() / FEATURES / f"{key}.safetensors"
    kept = _kept(path, len(numbers))
    if kept is not None:
        return kept
    features = yield from seen(
        network,
        len(numbers),
        "real",
        lambda first, last: as_shown(pictures, numbers[first:last]),
    )
    with explained(cache_folder()):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            unfinished.write_bytes(save({"features": features}))
    return features


def _kept(path: Path, count: int) -> Tensor | None:
    """Features of the cache; a damaged file is none."""
    try:
        features = load_file(path).get("features")
    except (OSError, SafetensorError):
        return None
    return features if features is not None and len(features) == count else None

"""Features of real images, computed once and kept in the cache."""

import hashlib
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganvas.data import ImageDataset, cache_folder
from ganvas.data.cache.place import FEATURES
from ganvas.evaluation.features import FeatureNetwork
from ganvas.events import Event, Looking
from ganvas.imaging.tensors import to_floats
from ganvas.runtime.atomic import check_folder, replacing
from ganvas.runtime.cache import explained

REALS = 10_000  # real images at most; a random subset of larger data sets
AT_ONCE = 256

Rows = Callable[[int, int], Tensor]  # images from one index up to another


def reference_indices(total: int, most: int = REALS) -> NDArray[np.int64]:
    """Indices of the real images to use, in a fixed random order."""
    return np.random.default_rng(0).permutation(total)[:most]


def as_shown(dataset: ImageDataset, numbers: NDArray[np.int64]) -> Tensor:
    """Real images (N, C, H, W) in [-1, 1], with straight alpha."""
    return to_floats(torch.from_numpy(dataset.batch(numbers)))


def extract_features(
    network: FeatureNetwork, total: int, kind: str, rows: Rows
) -> Generator[Event, None, Tensor]:
    """Features of `total` images, computed in batches to save memory."""
    found = []
    for first in range(0, total, AT_ONCE):
        last = min(total, first + AT_ONCE)
        found.append(network.features(rows(first, last)))
        yield Looking(kind, last, total)
    return torch.cat(found)


def real_features(
    network: FeatureNetwork, dataset: ImageDataset, most: int = REALS
) -> Generator[Event, None, Tensor]:
    """Features (N, D) of the images at `reference_indices`, computed or read from the cache.

    May raise CacheError.
    """
    numbers = reference_indices(len(dataset), most)
    about = f"{dataset.content} {len(dataset)} {most} {network.name}"
    key = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()
    cache = cache_folder()
    path = cache / FEATURES / f"{key}.safetensors"
    kept = _read_cached(path, len(numbers))
    if kept is not None:
        return kept
    with explained(cache):
        check_folder(path.parent)  # fail before minutes of work, not after
    features = yield from extract_features(
        network,
        len(numbers),
        "real",
        lambda first, last: as_shown(dataset, numbers[first:last]),
    )
    with explained(cache), replacing(path) as unfinished:
        unfinished.write_bytes(save({"features": features}, {"check": _check(features)}))
    return features


def _read_cached(path: Path, count: int) -> Tensor | None:
    """Features from the cache; None if the file is missing or damaged."""
    try:
        with safe_open(path, "pt") as file:
            stored = (file.metadata() or {}).get("check")
            features = file.get_tensor("features") if "features" in file.keys() else None  # noqa: SIM118  # no dict
    except (OSError, SafetensorError):
        return None
    if features is None or features.ndim != 2 or len(features) != count:
        return None
    return features if stored == _check(features) else None


def _check(features: Tensor) -> str:
    """A checksum of features."""
    about = f"{features.dtype} {tuple(features.shape)}".encode()
    numbers = features.detach().cpu().contiguous().numpy()
    return hashlib.blake2b(about + numbers.tobytes(), digest_size=16).hexdigest()

"""Real images as a feature network sees them: looked at once, and kept in the cache."""

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

REALS = 10_000  # real images that are looked at; of more, so many are drawn
AT_ONCE = 256

Rows = Callable[[int, int], Tensor]  # images from a number up to another


def reference_indices(total: int, most: int = REALS) -> NDArray[np.int64]:
    """Numbers of the real images that are looked at, in an order of their own."""
    return np.random.default_rng(0).permutation(total)[:most]


def as_shown(dataset: ImageDataset, numbers: NDArray[np.int64]) -> Tensor:
    """Real images (N, C, H, W) in [-1, 1], as people see them."""
    return to_floats(torch.from_numpy(dataset.batch(numbers)))


def extract_features(
    network: FeatureNetwork, total: int, kind: str, rows: Rows
) -> Generator[Event, None, Tensor]:
    """Features of so many images, a part at a time: memory stays small."""
    found = []
    for first in range(0, total, AT_ONCE):
        last = min(total, first + AT_ONCE)
        found.append(network.features(rows(first, last)))
        yield Looking(kind, last, total)
    return torch.cat(found)


def real_features(
    network: FeatureNetwork, dataset: ImageDataset, most: int = REALS
) -> Generator[Event, None, Tensor]:
    """(N, D) of the images at `reference_indices`, now or from the cache; may raise CacheError."""
    numbers = reference_indices(len(dataset), most)
    about = f"{dataset.content} {len(dataset)} {most} {network.name}"
    key = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()
    cache = cache_folder()
    path = cache / FEATURES / f"{key}.safetensors"
    kept = _read_cached(path, len(numbers))
    if kept is not None:
        return kept
    with explained(cache):
        check_folder(path.parent)  # before minutes of work
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
    """Features of the cache; a damaged file is none."""
    try:
        with safe_open(path, "pt") as file:
            told = (file.metadata() or {}).get("check")
            features = file.get_tensor("features") if "features" in file.keys() else None  # noqa: SIM118  # no dict
    except (OSError, SafetensorError):
        return None
    if features is None or features.ndim != 2 or len(features) != count:
        return None
    return features if told == _check(features) else None


def _check(features: Tensor) -> str:
    """Tells whether features are those that were written."""
    about = f"{features.dtype} {tuple(features.shape)}".encode()
    numbers = features.detach().cpu().contiguous().numpy()
    return hashlib.blake2b(about + numbers.tobytes(), digest_size=16).hexdigest()

"""How long a run lasts, on what it computes, and what it keeps."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from ganvas.runtime.device import DeviceName
from ganvas.runtime.precision import PrecisionName
from ganvas.runtime.validation import STRICT

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"mb": 1e6, "gb": 1e9, "tb": 1e12}
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000}
LONGEST = 10 * 365 * _SECONDS["d"]
LARGEST = 65_536  # images in a step
MOST_THREADS = 1024  # more than any machine has, and fewer than break the system


def seconds(written: object) -> object:
    """90, "90s", "1.5m", "2h" or "1h30m" as seconds; anything else raises ValueError."""
    if not isinstance(written, str):
        return written
    parts = re.findall(r"(\d+\.?\d*|\.\d+)\s*([smhd]?)", written.lower())
    whole = "".join(n + u for n, u in parts) == written.lower().replace(" ", "")
    if not parts or not whole or not all(unit for _, unit in parts[:-1]):
        raise ValueError(f"{written!r} is not a time such as 60s, 10m or 2h")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def count(written: object) -> object:
    """200000, "200000", "200k" or "1.5m" as a whole number; anything else raises ValueError."""
    if not isinstance(written, str):
        return written
    match = re.fullmatch(r"([\d_]*\.?\d+)([km]?)", written.lower())
    if not match:
        raise ValueError(f"{written!r} is not a number such as 5000, 200k or 1.5m")
    return round(float(match[1]) * _THOUSANDS[match[2]])


def size(written: object) -> object:
    """ "800MB", "8GB" or "1.5 GB" as bytes; anything else raises ValueError."""
    if not isinstance(written, str):
        return written
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([mgt]b)", written.lower())
    if not match:
        raise ValueError(f"{written!r} is not an amount such as 800MB or 8GB")
    return float(match[1]) * _BYTES[match[2]]


@dataclass(frozen=True, config=STRICT)
class TrainingSettings:
    """One run, apart from its images, its model and its game."""

    budget: Annotated[
        Annotated[float, Field(gt=0, le=LONGEST)] | None,
        BeforeValidator(seconds),
        Field(
            description="Training time, such as 60s, 10m or 2h.",
            json_schema_extra={"default": "10m, unless --images is given"},
        ),
    ] = None
    images: Annotated[
        Annotated[int, Field(ge=1, le=10**12)] | None,
        BeforeValidator(count),
        Field(description="Training length in images shown, such as 200k."),
    ] = None
    start: Annotated[
        str | None,
        Field(
            description="Model to fine-tune: a run, checkpoint, exported file, digits or emoji.",
            json_schema_extra={"metavar": "MODEL"},
        ),
    ] = None
    batch: Annotated[int, Field(ge=2, le=LARGEST, description="Batch size, in images.")] = 64
    accumulate: Annotated[
        Annotated[int, Field(ge=1, le=LARGEST)] | None,
        Field(
            description="Number of micro-batches per step, for gradient accumulation.",
            json_schema_extra={"default": "as few as fit into memory"},
        ),
    ] = None
    memory: Annotated[
        Annotated[float, Field(gt=0, le=1e15)] | None,
        BeforeValidator(size),
        Field(
            description="Memory limit, such as 800MB or 8GB.",
            json_schema_extra={"default": "what is free"},
        ),
    ] = None
    ema: Annotated[
        float,
        Field(
            ge=0,
            le=1e6,
            description="Half-life of the averaged weights, as a fraction of images seen.",
        ),
    ] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**63, description="Random seed.")] = 0
    precision: Annotated[
        PrecisionName,
        Field(description="Precision of convolutions; auto is bf16 where that is fast."),
    ] = "auto"
    device: Annotated[
        DeviceName, Field(description="Device; auto is the fastest one available.")
    ] = "auto"
    threads: Annotated[
        Annotated[int, Field(ge=1, le=MOST_THREADS)] | None,
        Field(
            le=MOST_THREADS,
            description="Number of processor threads.",
            json_schema_extra={"default": "measured at the start"},
        ),
    ] = None
    samples: Annotated[
        int, Field(ge=1, le=100_000, description="Number of sample grids written during the run.")
    ] = 24
    save_every: Annotated[
        float,
        BeforeValidator(seconds),
        Field(
            gt=0,
            le=LONGEST,
            description="Time between checkpoints, such as 5m.",
            json_schema_extra={"default": "60s"},
        ),
    ] = 60.0
    keep: Annotated[
        int, Field(ge=1, le=100_000, description="Number of newest checkpoints to keep.")
    ] = 3
    keep_best: Annotated[
        bool, Field(description="Also keep the checkpoint with the best score.")
    ] = True

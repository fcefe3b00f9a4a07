"""What a sweep tries, for how long, on which images: the same for all who work on it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.names import printable
from ganvas.sweep.space import Range, SweepError

SHARE = 0.3  # of the time, for all trials together
UNITS = (1, 3, 9)  # parts of a trial after which it is scored, and may be pruned
REDUCTION = 3  # of so many, one goes on
# What a trial takes on average, where a third of them goes on each time: most end early.
AVERAGE = (1 + (3 - 1) / REDUCTION + (9 - 3) / REDUCTION**2) / UNITS[-1]
FILE = "sweep.yaml"


@dataclass(frozen=True)
class Definition:
    """What a sweep is made of."""

    source: str
    ranges: tuple[Range, ...]
    trials: int
    seconds: float  # for everything: all trials, and the best that goes on
    given: Mapping[str, Any]  # settings of all trials, as options of the Python API
    images: int = 0  # that the run as planned would show; of each trial the whole, of which it sees
    # the beginning

    @property
    def unit(self) -> float:
        """Seconds of a trial to its first score."""
        whole = 1 + (self.trials - 1) * AVERAGE  # the first has nobody to be behind of
        return SHARE * self.seconds / (whole * UNITS[-1])

    @property
    def goes_on(self) -> float:
        """Seconds of training that the best has altogether."""
        return (1 - SHARE) * self.seconds

    def as_plain(self) -> dict[str, Any]:
        """Plain values, as sweep.yaml holds them."""
        return {
            "source": self.source,
            "params": [str(one) for one in self.ranges],
            "trials": self.trials,
            "seconds": self.seconds,
            "settings": dict(self.given),
            "images": self.images,
        }

    @classmethod
    def read(cls, folder: Path) -> "Definition":
        """What lies in a sweep's folder; raises SweepError."""
        path = folder / FILE
        try:
            content = yaml.safe_load(path.read_text("utf-8"))
            return cls(
                str(content["source"]),
                tuple(Range.of(text) for text in content["params"]),
                int(content["trials"]),
                float(content["seconds"]),
                dict(content["settings"]),
                int(content["images"]),
            )
        except FileNotFoundError:
            raise SweepError(
                f"{printable(str(folder))} holds no sweep; name the images to begin one."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as fault:
            raise SweepError(
                f"{printable(str(path))} is damaged: {printable(str(fault))[:100]}; begin another "
                "sweep with another --out."
            ) from fault

    def written(self, folder: Path) -> "Definition":
        """Write it down, or take what lies there if it is the same but for the number of images,
        which each machine plans for itself; raises SweepError where another sweep lies."""
        if (folder / FILE).exists():
            known = Definition.read(folder)
            there, mine = known.as_plain(), json.loads(json.dumps(self.as_plain()))
            changed = [name for name in mine if mine[name] != there[name] and name != "images"]
            if changed:
                raise SweepError(
                    f"{printable(str(folder))} holds another sweep ({', '.join(changed)} differ); "
                    "join it by --out alone, or begin another with another --out."
                )
            return known
        make_folder(folder)
        write_text(folder / FILE, yaml.safe_dump(self.as_plain(), sort_keys=False))
        return self

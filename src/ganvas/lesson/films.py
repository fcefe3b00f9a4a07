"""Films of the notebooks: a run as it trains, a walk through latents."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Film:
    """A GIF; shown where it ends a cell."""

    path: Path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        coded = b64encode(self.path.read_bytes()).decode()
        shown = f'<img src="data:image/gif;base64,{coded}" alt="{self.path.name}">'
        return {"text/plain": str(self), "text/html": shown, "image/gif": coded}

    def __str__(self) -> str:
        return f"the film {self.path.name}"


def film(path: str | Path) -> Film:
    """A GIF that lies in a file."""
    return Film(Path(path))

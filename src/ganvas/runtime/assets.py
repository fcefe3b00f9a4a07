"""Where what comes with ganvas lies: images, networks and generators; nothing is downloaded."""

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"

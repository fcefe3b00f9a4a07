"""The folder of the images, networks and generators that come with ganvas."""

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"

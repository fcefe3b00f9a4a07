"""From a folder of paintings to signed prints: one command made of the others."""

from ganvas.art.prints import ArtError, Commission, prints

__all__ = ["ArtError", "Commission", "prints"]

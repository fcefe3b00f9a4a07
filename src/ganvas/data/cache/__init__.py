"""Prepared images on the disk, so that the next run starts at once."""

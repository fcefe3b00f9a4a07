"""What a run writes to disk: its directory, its checkpoints and their metadata."""

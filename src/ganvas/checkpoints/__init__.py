"""What a run leaves on the disk: its directory, its checkpoints, and what they say of it."""

"""Pictures: found, decoded once, and read back by position."""

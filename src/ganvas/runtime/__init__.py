"""What every room needs of the system: places to write, locks, memory, names, and the exit."""

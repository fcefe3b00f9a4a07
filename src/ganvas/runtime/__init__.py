"""System services for all packages: writing files, locks, memory, names, signals and exit."""

"""A run: how it is built, planned, begun, resumed, searched and evaluated."""

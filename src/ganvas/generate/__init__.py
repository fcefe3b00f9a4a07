"""Sampling from a trained generator: the pipeline, interpolation, style mixing and export."""

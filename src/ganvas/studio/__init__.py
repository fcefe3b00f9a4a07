"""The studio: a local page where runs are started, watched and steered.

It reads and writes the same files as the command line, and has no store of its own.
"""

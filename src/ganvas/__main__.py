"""python -m ganvas."""

from ganvas.cli import main

main()

"""Jobs that are still open when Python ends are closed before torch is taken apart."""

import pytest

JOB = """
import sys, threading
from ganvas.runtime.at_exit import closed_at_exit, ending
@closed_at_exit
def job():
    import torch
    weights = torch.ones(3)
    try:
        while not ending.is_set():
            yield weights
    finally:
        print("saved", float((weights + 1).sum()), flush=True)
"""
ENDINGS = {
    "closed by its name alone": "events = job(); next(events)",
    "sys.exit": "events = job(); next(events); sys.exit(3)",
    "an exception": "events = job(); next(events); 1 / 0",
    "an exception in a function": "def f():\n    events = job(); next(events); 1 / 0\nf()",
    "a daemon that iterates": (
        "def f():\n    for _ in job(): began.set()\n"
        "began = threading.Event(); threading.Thread(target=f, daemon=True).start(); began.wait()"
    ),
    "a fork with a job of its own": (
        "import os\nevents = job(); next(events); events.close()\nif os.fork() == 0:\n"
        "    mine = job(); next(mine); sys.exit()\nos.wait()"
    ),
    "two of them": "events, others = job(), job(); next(events); next(others)",
}
TWICE = ("two of them", "a fork with a job of its own")
STATUS = {"sys.exit": 3, "an exception": 1, "an exception in a function": 1}


@pytest.mark.parametrize("ending", ENDINGS)
def test_whatever_ends_the_program_its_jobs_are_closed(ending, forking):
    done = forking.run("-c", JOB + ENDINGS[ending])
    assert done.stdout.count("saved 6.0") == (2 if ending in TWICE else 1), done.stderr
    assert done.returncode == STATUS.get(ending, 0), done.stderr
    assert ("ZeroDivisionError" in done.stderr) == ("exception" in ending)

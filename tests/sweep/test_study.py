"""Which values are tried is a matter of the seed and of the number of the trial."""

from ganvas.sweep.definition import Definition
from ganvas.sweep.space import Range
from ganvas.sweep.study import Study


def definition(seed=None):
    given = {} if seed is None else {"seed": seed}
    ranges = (Range.of("lr_g=log(1e-4,1e-1)"), Range.of("batch=choice(8,16,32)"))
    return Definition("digits", ranges, 20, 60.0, given, 1000)


def study(folder, seed=None):
    folder.mkdir(exist_ok=True)
    return Study(folder, definition(seed))


def asked(study, count):
    """What so many trials are to try; the larger rate always scores worse."""
    found = []
    for _ in range(count):
        trial = study.ask()
        found.append(study.suggested(trial))
        study.finish(trial, found[-1]["lr_g"])
    return found


def test_the_same_seed_tries_the_same(tmp_path):
    tried = {
        name: asked(study(tmp_path / name, seed), 12)
        for name, seed in (("one", None), ("again", 0), ("other", 1))
    }
    assert tried["one"] == tried["again"] != tried["other"]
    rates = [each["lr_g"] for each in tried["one"]]
    assert len(set(rates)) == 12
    # After a quarter of all trials it looks where the best were.
    assert sum(rate < 1e-3 for rate in rates[5:]) > 3


def test_a_worker_that_comes_back_tries_what_would_have_come(tmp_path):
    whole = asked(study(tmp_path / "whole"), 8)
    halves = [asked(study(tmp_path / "halves"), 4) for _ in range(2)]
    assert [*halves[0], *halves[1]] == whole


def test_two_workers_at_the_same_time_try_different_values(tmp_path):
    workers = [study(tmp_path) for _ in range(2)]
    found = [worker.suggested(worker.ask())["lr_g"] for _ in range(3) for worker in workers]
    assert len(set(found)) == 6

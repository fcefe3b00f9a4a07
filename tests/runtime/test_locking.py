"""One process at a time in a folder, where the file system can tell."""

import errno
import os
import sys

import pytest

from ganvas.runtime import locking
from ganvas.runtime.locking import BusyError, locked
from ganvas.runtime.system import PlaceError


def test_a_folder_is_held_by_one(tmp_path):
    with locked(tmp_path / "a") as held:
        assert held
        with pytest.raises(BusyError, match="another ganvas is at work"), locked(tmp_path / "a"):
            pass
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_not_another_ganvas(tmp_path, monkeypatch, number):
    def no_locks(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locking, "_lock", no_locks)
    with locked(tmp_path) as held:
        assert not held


@pytest.mark.skipif(sys.platform == "win32", reason="flock is not of Windows")
@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_a_lock_that_another_holds(tmp_path, monkeypatch, number):
    def taken(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locking, "_lock", taken)
    with pytest.raises(BusyError), locked(tmp_path):
        pass


def test_a_place_for_no_folder(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(PlaceError, match="in the way"), locked(place):
            pass

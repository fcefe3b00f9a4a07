"""A studio over a folder with two runs, and a client that has its key."""

import sys
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from ganvas.checkpoints.run_dir import RunDir
from ganvas.studio.app import application
from ganvas.studio.guard import Door, local_hosts, session_of
from ganvas.studio.jobs import Jobs
from ganvas.studio.workspace import Workspace

FLAGS = ("--size", "16", "--width", "4", "--batch", "4", "--images", "8")
BASE = "http://127.0.0.1:8600"
ORIGIN = {"origin": BASE}


@pytest.fixture(autouse=True)
def nobody_left(monkeypatch):
    """Ends what a test has started: a run of ten minutes would go on beside the other tests."""
    begun, start = [], Jobs.start

    def recorded(self, name, *arguments):
        found = start(self, name, *arguments)
        begun.append(self._running[name])
        return found

    monkeypatch.setattr(Jobs, "start", recorded)
    yield
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def forked_jobs(forking, monkeypatch):
    """Jobs begin with torch imported: real ones start in test_api.py and test_browser.py."""

    def popen(command, cwd, stdout, **_):
        assert command[0] == sys.executable
        return forking.start(*command[1:], folder=cwd, output=Path(stdout.name))

    of_jobs = SimpleNamespace(Popen=popen, DEVNULL=DEVNULL, STDOUT=STDOUT)
    monkeypatch.setattr("ganvas.studio.jobs.subprocess", of_jobs)


@pytest.fixture
def workspace(tmp_path, copy_of_run):
    root = tmp_path / "workspace"
    root.mkdir()
    copy_of_run(root / "one", *FLAGS)
    copy_of_run(root / "<b>two</b>", *FLAGS)
    (tmp_path / "outside.txt").write_text("secret")
    return Workspace(root)


@pytest.fixture
def door(workspace):
    return Door(local_hosts(8600), session_of(workspace.own), "a password")


@pytest.fixture
def stranger(workspace, door):
    """A client without a session."""
    with TestClient(application(workspace, door), BASE, raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def client(stranger, door):
    """A client that has entered."""
    assert stranger.post("/enter", json={"key": door.token}, headers=ORIGIN).status_code == 200
    return stranger


@pytest.fixture
def one(workspace):
    """The id of a run, and its directory."""
    run = RunDir(workspace.root / "one")
    return workspace.id_of(run), run


@pytest.fixture
def upload(client):
    """Upload files, each a name and its bytes; returns the id."""

    def send(*files):
        name = client.post("/api/uploads", headers=ORIGIN).json()["id"]
        for number, (title, data) in enumerate(files):
            place, query = f"/api/uploads/{name}/{number}", {"title": title}
            answer = client.put(place, params=query, content=data, headers=ORIGIN)
            assert answer.status_code == 200, answer.text
        return name

    return send

"""What pages read and change: the same files as the command line, and nothing outside them."""

import asyncio
import json
import shutil
import threading
import time

import pytest
from starlette.websockets import WebSocketDisconnect

import ganvas
from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.run_dir import RunDir
from ganvas.events import Commanded
from ganvas.runs import mailbox
from ganvas.runs.branch import branch
from ganvas.runtime.locking import locked
from ganvas.runtime.signals import ASKING
from ganvas.studio import curves
from ganvas.studio import workspace as places
from ganvas.studio.jobs import Jobs
from ganvas.studio.workspace import Workspace, WorkspaceError
from ganvas.training.callbacks.log import MetricsLog

FLAGS = ("--size", "16", "--width", "4", "--batch", "4", "--images", "8")
SOCKET = "ws://127.0.0.1:8600"
ORIGIN = {"origin": "http://127.0.0.1:8600"}
TRAVERSALS = [
    "..", "../..", "..%2f..", "%2e%2e%2f", "..\\..", "/etc/passwd", "....//", "%00", "a" * 300,
    "C:\\", "~", ".lock", "run.yaml", "..%252f", "%c0%ae%c0%ae/", "<script>", "0000000008.png/..",
]  # fmt: skip


def test_runs_are_listed_with_their_names_as_text(client):
    found = client.get("/api/runs").json()
    assert sorted(run["path"] for run in found) == ["<b>two</b>", "one"]
    assert all(run["state"] == "finished" for run in found)
    assert "/" not in "".join(run["path"] for run in found).replace("</b>", "")


def test_a_run_and_its_curves(client, one):
    name, run = one
    found = client.get(f"/api/runs/{name}").json()
    assert (found["model"], found["images"], found["status"]["state"]) == ("compact", 8, "finished")
    assert found["settings"]["game"]["lr_g"] == 0.02
    plot = client.get(f"/api/runs/{name}/curves").json()
    assert plot["columns"]["images"][-1] == 8
    assert plot["events"][-1]["reason"] == "finished"
    after = client.get(f"/api/runs/{name}/news", params={"after": plot["position"]}).json()
    assert (after["lines"], after["again"]) == ([], False)
    image = client.get(f"/api/runs/{name}/samples/{found['samples'][-1]}")
    assert image.content == (run.samples / found["samples"][-1]).read_bytes()
    assert image.headers["content-type"] == "image/png"


def raw(client, door, method, path):
    """Status and body of a request for exactly this path, which a browser would tidy up."""
    said = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        said.append(message)

    headers = {"host": "127.0.0.1:8600", "cookie": f"{door.cookie}={door.pass_value}", **ORIGIN}
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8600),
    }  # fmt: skip
    asyncio.run(client.app(scope, receive, send))
    return said[0]["status"], b"".join(message.get("body", b"") for message in said)


@pytest.mark.parametrize("part", TRAVERSALS)
def test_no_name_leads_out_of_the_workspace(client, door, one, part):
    name, run = one
    for method, path in (
        ("GET", f"/api/runs/{part}"), ("GET", f"/api/runs/{part}/curves"),
        ("GET", f"/api/runs/{name}/samples/{part}"), ("GET", f"/static/{part}"),
        ("GET", f"/static/../{part}"), ("GET", f"/{part}"), ("DELETE", f"/api/runs/{part}"),
        ("POST", f"/api/runs/{part}/commands"),
    ):  # fmt: skip
        status, body = raw(client, door, method, path)
        assert 400 <= status < 500, (method, path)
        assert b"secret" not in body
    assert run.path.is_dir()


def test_reading_changes_nothing(client, workspace, one):
    name, _ = one

    def files():
        return {(str(p), p.stat().st_mtime_ns) for p in workspace.root.rglob("*") if p.is_file()}

    before = files()
    for path in ("", f"/{name}", f"/{name}/curves", f"/{name}/news", f"/{name}/commands"):
        client.get(f"/api/runs{path}")
    assert files() == before


@pytest.mark.parametrize(
    "content",
    [
        None, [], "stop", {}, {"command": "fly"}, {"command": ["stop"]},
        {"command": "stop", "x": 1},
        {"command": "set", "value": "much"}, {"command": "label", "text": "x" * 201},
        {"command": "set", "setting": "x" * 65}, {"command": None},
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused(client, one, content):
    name, run = one
    answer = client.post(f"/api/runs/{name}/commands", json=content, headers=ORIGIN)
    assert answer.status_code == 422
    assert answer.json()["sentence"]
    assert not run.commands.exists()


def test_a_command_to_a_run_that_nobody_trains_is_refused(client, one):
    name, _ = one
    answer = client.post(f"/api/runs/{name}/commands", json={"command": "pause"}, headers=ORIGIN)
    assert answer.status_code == 409
    assert "not being trained" in answer.json()["sentence"]


def test_buttons_and_the_terminal_leave_the_same_log(session, monkeypatch):
    """A command of the studio goes the way of `ganvas steer`, file by file."""
    from fastapi.testclient import TestClient

    from ganvas.studio.app import application
    from ganvas.studio.guard import Door, local_hosts

    monkeypatch.setattr(mailbox, "EVERY", 0.0)
    made = session(images=40_000)
    workspace = Workspace(made.folder.path.parent)
    door = Door(local_hosts(8600), "s" * 32)
    answers = []
    with (
        locked(made.folder.path),
        TestClient(application(workspace, door), "http://127.0.0.1:8600") as client,
    ):
        client.post("/enter", json={"key": door.token}, headers=ORIGIN)
        place = f"/api/runs/{workspace.id_of(made.folder)}/commands"

        def press():
            for content in (
                {"command": "set", "setting": "lr_g", "value": 0.01},
                {"command": "label", "text": "here"},
                {"command": "set", "setting": "nothing", "value": 1.0},
                {"command": "stop"},
            ):
                answers.append(client.post(place, json=content, headers=ORIGIN).json())

        pressing = threading.Thread(target=press)
        pressing.start()
        applied = [event for event in made.events() if isinstance(event, Commanded)]
        pressing.join()
    assert [event.command for event in applied] == ["set", "label", "set", "stop"]
    assert [answer["refused"] is None for answer in answers] == [True, True, False, True]
    assert [answer["step"] for answer in answers] == [event.step for event in applied]
    assert made.state.live["lr_g"] == 0.01
    lines = [json.loads(line) for line in made.folder.metrics_log.read_text().splitlines()]
    logged = [line["command"] for line in lines if line.get("event") == "command"]
    assert logged == ["set", "label", "set", "stop"]


def test_a_run_goes_to_the_trash_and_not_while_it_trains(client, workspace, one):
    name, run = one
    with locked(run.path):
        assert client.delete(f"/api/runs/{name}", headers=ORIGIN).status_code == 409
    answer = client.delete(f"/api/runs/{name}", headers=ORIGIN)
    assert answer.status_code == 200
    assert (workspace.root / answer.json()["trash"] / "run.yaml").is_file()
    assert not run.path.exists()
    assert len(client.get("/api/runs").json()) == 1
    assert client.delete(f"/api/runs/{name}", headers=ORIGIN).status_code == 404


def test_the_workspace_itself_does_not_go_to_its_own_trash(tmp_path, copy_of_run):
    path = copy_of_run(
        tmp_path / "run", "--size", "16", "--width", "4", "--images", "8", "--batch", "4"
    )
    workspace = Workspace(path)
    with pytest.raises(WorkspaceError, match="workspace itself"):
        workspace.throw_away(workspace.id_of(RunDir(path)))


def test_whoever_watches_gets_what_is_new_and_what_was_missed(client, one):
    name, run = one
    log = MetricsLog(run.metrics_log, 1, 100)
    place = f"/api/runs/{name}/live"
    with client.websocket_connect(SOCKET + place, headers=ORIGIN) as socket:
        first = socket.receive_json()
        assert first["status"]["state"] == "finished"
        log.append({"step": 3, "images": 12, "loss_d": float("nan")})
        while not (then := socket.receive_json())["lines"]:
            pass
        assert then["lines"] == [{"step": 3, "images": 12, "loss_d": None}]
    log.append({"step": 4, "images": 16})
    with client.websocket_connect(
        f"{SOCKET}{place}?after={then['position']}", headers=ORIGIN
    ) as socket:
        assert socket.receive_json()["lines"] == [{"step": 4, "images": 16}]


def test_nonsense_over_the_socket_means_nothing(client, one):
    name, _ = one
    with client.websocket_connect(f"{SOCKET}/api/runs/{name}/live", headers=ORIGIN) as socket:
        socket.receive_json()
        for number in range(1000):
            socket.send_text("{" * (number % 50) + "stop")
        assert socket.receive_json()["status"]["state"] == "finished"
    assert client.get("/api/runs").status_code == 200


def test_a_million_lines_cost_no_more_than_a_few_and_the_ends_are_there(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    with path.open("w") as file:
        for block in range(0, 1_000_000, 10_000):
            file.write("".join(
                f'{{"step": {n}, "images": {8 * n}, "loss_d": 0.5}}\n'
                for n in range(block, block + 10_000)
            ))  # fmt: skip
            file.write(f'{{"step": {block}, "event": "notice", "sentence": "x"}}\n')
    parsed, parse = [], curves.content
    monkeypatch.setattr(curves, "content", lambda line: parsed.append(1) or parse(line))
    found = curves.read(path)
    assert 1900 <= len(found.columns["images"]) <= 2100
    assert found.columns["images"][0] == 0
    assert found.columns["images"][-1] >= 8 * 999_000
    assert len(found.events) == 100
    assert found.events[-1]["images"] == 8 * 999_999
    assert found.position == path.stat().st_size
    assert len(parsed) < 3000, "it parses a few lines of the file, however many there are"


def test_dropped_steps_in_a_row_are_one_event_and_hide_no_other(tmp_path, monkeypatch):
    log = tmp_path / "metrics.jsonl"
    lines = [{"step": 1, "event": "diagnosis", "issue": "too-fast"}]
    lines += [{"step": n, "event": "dropped", "reason": f"{n}"} for n in range(2, 3002)]
    lines += [{"step": 3002, "event": "notice"}, {"step": 3003, "event": "dropped", "reason": "x"}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = curves.read(log).events
    assert [line["event"] for line in found] == ["diagnosis", "dropped", "notice", "dropped"]
    assert (found[1]["first"], found[1]["step"], found[1]["times"]) == (2, 3001, 3000)
    assert found[1]["reason"] == "3001"
    assert "times" not in found[3]
    monkeypatch.setattr(curves, "MOST_LINES", 10)
    assert [line.get("times") for line in curves.read(log).events] == [8, None, None]


@pytest.mark.parametrize("data", [b"", b"\n", b"{", b"\0" * 5000, b'{"step": 1}\n' * 3, b"[]\n5\n"])
def test_a_damaged_or_empty_log_has_no_curves(tmp_path, data):
    (tmp_path / "metrics.jsonl").write_bytes(data)
    assert not curves.read(tmp_path / "metrics.jsonl").columns.get("images")
    assert curves.read(tmp_path / "nothing").columns == {}


@pytest.mark.parametrize(
    "name",
    [
        "", " ", ".", "..", "../x", "a/b", "a\\b", "a\0", "x" * 81, ".hidden", "-x", "a.", "a ",
        "\U0001f600" * 80, "samples", "Checkpoints", "styled", "con", "NUL.txt", "lpt1",
    ],
)  # fmt: skip
def test_a_new_run_cannot_have_every_name(tmp_path, name):
    with pytest.raises(WorkspaceError):
        Workspace(tmp_path).place_for(name)


def test_a_new_run_has_a_place_of_its_own(tmp_path):
    assert Workspace(tmp_path).place_for("ಕನ್ನಡ-1").parent == tmp_path.resolve()
    (tmp_path / "one").mkdir()
    with pytest.raises(WorkspaceError, match="choose another name"):
        Workspace(tmp_path).place_for("one")


@pytest.fixture
def started(monkeypatch):
    """The commands that would have been started."""
    found = []
    monkeypatch.setattr(
        Jobs, "start", lambda self, name, command, place, run=None: found.append(command)
    )
    return found


def test_a_run_tells_its_checkpoint_its_pictures_and_where_settings_come_from(client, one):
    name, run = one
    found = client.get(f"/api/runs/{name}").json()
    assert found["status"]["checkpoint"]["step"] == 2
    (manifest,) = run.checkpoints.glob("*/manifest.json")
    assert found["status"]["checkpoint"]["saved"] == manifest.stat().st_mtime
    assert found["pictures"] == ["real"]
    assert found["origins"]["data.size"] == "user"
    assert client.get(f"/api/runs/{name}/pictures/real").content == run.real.read_bytes()
    assert client.get(f"/api/runs/{name}/pictures/nearest").status_code == 404
    assert client.get(f"/api/runs/{name}/pictures/run.yaml").status_code == 404
    assert [one["step"] for one in client.get(f"/api/runs/{name}/checkpoints").json()] == [2]


def test_a_damaged_checkpoint_is_not_offered(client, one):
    name, run = one
    for file in run.checkpoints.glob("*/*.safetensors"):
        file.write_bytes(b"damaged")
    assert client.get(f"/api/runs/{name}/checkpoints").json() == []
    assert client.get(f"/api/runs/{name}").json()["status"]["checkpoint"] is None
    asked = {"name": "branch", "step": 2}
    answer = client.post(f"/api/runs/{name}/branch", json=asked, headers=ORIGIN)
    assert answer.status_code == 409
    assert "safetensors" in answer.json()["sentence"]


def test_a_branch_is_made_and_trained(client, workspace, one, started):
    name, _ = one
    asked = {"name": "a branch", "step": 2, "lr_g": 0.003}
    answer = client.post(f"/api/runs/{name}/branch", json=asked, headers=ORIGIN).json()
    out = workspace.root / "a branch"
    assert started == [["train", "--resume", "--out", str(out), "--lr-g=0.003"]]
    assert answer["run"] == workspace.id_of(RunDir(out))
    assert client.get(f"/api/runs/{answer['run']}").json()["samples"]
    for wrong in ({"name": "../out", "step": 2}, {"name": "a branch", "step": 2}):
        again = client.post(f"/api/runs/{name}/branch", json=wrong, headers=ORIGIN)
        assert again.status_code == 409
    none = client.post(f"/api/runs/{name}/branch", json={"name": "x", "step": 7}, headers=ORIGIN)
    assert "has no checkpoint of step 7" in none.json()["sentence"]
    assert not (workspace.root / "x").exists()


def test_a_run_is_evaluated_as_in_a_terminal(client, one, started):
    name, run = one
    assert client.post(f"/api/runs/{name}/evaluate", headers=ORIGIN).status_code == 200
    assert started == [["evaluate", str(run.path)]]


class Process:
    """One that runs until a test says that it has ended, and keeps the signals that it gets."""

    pid, ended = 1, None

    def __init__(self):
        self.asked = []

    def poll(self):
        return self.ended

    def send_signal(self, number):
        self.asked.append(number)

    kill = wait = poll


def test_an_evaluation_is_cancelled_and_nothing_else_is(client, one, monkeypatch):
    name, _ = one
    process = Process()
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: process)
    cancel = f"/api/runs/{name}/evaluate/cancel"
    assert client.post(cancel, headers=ORIGIN).status_code == 200  # none has begun
    client.post(f"/api/runs/{name}/evaluate", headers=ORIGIN)
    assert client.post(cancel, headers=ORIGIN).status_code == 200
    assert process.asked == [ASKING]
    process.ended = 143
    client.post(cancel, headers=ORIGIN)
    assert process.asked == [ASKING]
    none = client.post("/api/runs/0123456789abcdef/evaluate/cancel", headers=ORIGIN)
    assert none.status_code == 404


def test_one_evaluation_of_a_run_at_a_time_whose_scores_stay(client, one, monkeypatch):
    name, _ = one
    begun = []

    def popen(command, stdout, **_):
        begun.append(Process())
        stdout.write(b"kernel 0.01\n")
        return begun[-1]

    monkeypatch.setattr("subprocess.Popen", popen)
    jobs = {client.post(f"/api/runs/{name}/evaluate", headers=ORIGIN).json()["job"] for _ in "ab"}
    assert (len(jobs), len(begun)) == (1, 1)
    assert client.get(f"/api/runs/{name}").json()["evaluation"]["runs"] is True
    begun[0].ended = 0
    found = client.get(f"/api/runs/{name}").json()["evaluation"]
    assert (found["runs"], found["said"]) == (False, "kernel 0.01")
    assert {client.post(f"/api/runs/{name}/evaluate", headers=ORIGIN).json()["job"]} == jobs
    assert len(begun) == 2


def test_a_run_goes_on_for_longer_and_with_other_learning_rates(client, one, started):
    name, run = one
    spent = checkpoint.newest(run.checkpoints)[0].state.seconds
    for wanted in ({}, {"time": "10m", "lr_g": 0.01, "lr_d": 0.02}):
        answer = client.post(f"/api/runs/{name}/resume", json=wanted, headers=ORIGIN)
        assert answer.status_code == 200
    common = ["train", "--resume", "--out", str(run.path)]
    longer = [f"--for={spent + 600:.3f}s", "--lr-g=0.01", "--lr-d=0.02"]
    assert started == [common, [*common, *longer]]
    for wanted, said in (({"time": "ten"}, "not a time"), ({"lr_g": -1}, "greater than 0")):
        answer = client.post(f"/api/runs/{name}/resume", json=wanted, headers=ORIGIN)
        assert said in answer.json()["sentence"]
    assert len(started) == 2


def test_a_run_that_is_being_started_is_listed(client, workspace, monkeypatch):
    place = workspace.root / "soon"
    monkeypatch.setattr(Jobs, "trained", lambda _: [place])
    found = {run["path"]: run for run in client.get("/api/runs").json()}
    assert found["soon"]["state"] == "preparing"
    assert found["soon"]["id"] == workspace.id_of(RunDir(place))
    assert sum(run["path"] == "one" for run in found.values()) == 1


def test_a_step_and_its_score_are_one_point(tmp_path):
    lines = [(8, {"loss_d": 1.0}), (8, {"kernel": 0.5}), (16, {"loss_d": 2.0})]
    written = [json.dumps({"step": n // 8, "images": n, **of}) + "\n" for n, of in lines]
    (tmp_path / "log").write_text("".join(written))
    found = curves.read(tmp_path / "log").columns
    assert (found["images"], found["loss_d"]) == ([8, 16], [1, 2])
    assert found["kernel"] == [0.5, None]


def test_an_exported_generator_makes_the_same_images(client, one, tmp_path):
    name, run = one
    file = tmp_path / "generator.safetensors"
    file.write_bytes(client.post(f"/api/runs/{name}/export", headers=ORIGIN).content)
    made, expected = (ganvas.load(place).generate([1, 2]) for place in (file, run.path))
    assert (made - expected).abs().max() < 0.02  # half precision


def test_the_size_of_a_run_is_not_measured_for_every_page(client, monkeypatch):
    calls = []
    monkeypatch.setattr(places, "disk_use", lambda path: calls.append(path) or 7)
    for _ in range(5):
        assert [run["disk"] for run in client.get("/api/runs").json()] == [7, 7]
    assert len(calls) == 2


def test_a_run_that_is_gone_or_out_of_reach_hides_no_other(client, workspace, one, monkeypatch):
    name, run = one
    assert len(client.get("/api/runs").json()) == 2
    real = places.describe

    def describe(folder, disk=None):
        if folder.path == run.path:
            raise PermissionError(13, "no")
        return real(folder, disk)

    monkeypatch.setattr(places, "describe", describe)
    assert [one["path"] for one in client.get("/api/runs").json()] == ["<b>two</b>"]
    monkeypatch.setattr(places, "describe", real)
    shutil.rmtree(run.path)  # within the seconds for which the list is known
    assert [one["path"] for one in client.get("/api/runs").json()] == ["<b>two</b>"]
    assert name not in workspace.runs(fresh=True)


def test_whoever_watches_a_run_that_is_removed_is_told(client, one):
    name, run = one
    with client.websocket_connect(f"{SOCKET}/api/runs/{name}/live", headers=ORIGIN) as socket:
        socket.receive_json()
        shutil.rmtree(run.path)
        with pytest.raises(WebSocketDisconnect) as end:
            all(socket.receive_json() for _ in iter(int, 1))
    assert end.value.code == 4404


def test_a_run_that_holds_one_that_trains_is_not_thrown_away(client, one):
    name, run = one
    inner = run.path / "inner"
    branch(run, RunDir(inner))
    with locked(inner):
        answer = client.delete(f"/api/runs/{name}", headers=ORIGIN)
    assert (answer.status_code, "inner is being trained" in answer.json()["sentence"]) == (
        409,
        True,
    )
    assert run.path.is_dir()


def test_a_run_whose_process_has_just_begun_is_not_dead(client, one, monkeypatch):
    name, run = one
    assert client.get(f"/api/runs/{name}").json()["status"]["state"] == "finished"
    monkeypatch.setattr(Jobs, "train", lambda self, path: path == run.path)
    assert client.get(f"/api/runs/{name}").json()["status"]["state"] == "preparing"
    states = {one["path"]: one["state"] for one in client.get("/api/runs").json()}
    assert states == {"one": "preparing", "<b>two</b>": "finished"}


def test_a_process_is_known_by_the_run_that_it_trains(tmp_path):
    jobs = Jobs(tmp_path / "jobs")
    jobs.start("a", ["--version"], tmp_path, tmp_path / "run")
    assert jobs.train(tmp_path / "run") in (True, False)
    while jobs.status("a") is None:
        time.sleep(0.05)
    assert not jobs.train(tmp_path / "run")
    assert not jobs.train(tmp_path / "other")

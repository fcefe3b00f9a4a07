"""Nobody but the opened browser reads or changes anything."""

import socket

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ganvas.studio.app import application
from ganvas.studio.guard import LONGEST, POLICY, Door, local_hosts, session_of
from ganvas.studio.serve import StudioError, _names, is_local, serve

BASE = "http://127.0.0.1:8600"
SOCKET = "ws://127.0.0.1:8600"
ORIGIN = {"origin": BASE}
READ = ("/api/runs", "/openapi.json", "/api/runs/0123456789abcdef", "/nowhere")


@pytest.mark.parametrize(
    "host",
    [
        "evil.com", "evil.com:8600", "localhost.evil.com:8600", "127.0.0.1", "127.0.0.1:80",
        "127.0.0.1:8600.evil.com", "localhost", "[::1]", "127.0.0.1:8600@evil.com", "",
        "127.1:8600", "LOCALHOST:8600 ", "0.0.0.0:8600", "2130706433:8600",
    ],
)  # fmt: skip
def test_a_foreign_host_is_refused_everywhere(client, host):
    for path in ("/", "/static/app.mjs", *READ):
        assert client.get(path, headers={"host": host}).status_code == 400
    for method in ("post", "delete", "put", "patch", "options"):
        answer = client.request(
            method, "/api/runs", headers={"host": host, "origin": f"http://{host}"}
        )
        assert answer.status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost:8600", "[::1]:8600"])
def test_its_own_names_are_served(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        None, "null", "http://evil.com", "https://127.0.0.1:8600", "http://127.0.0.1",
        "http://127.0.0.1:8601", "http://localhost:8600", "http://127.0.0.1:8600.evil.com", "",
        "http://127.0.0.1:8600/",
    ],
)  # fmt: skip
def test_a_foreign_origin_changes_nothing(client, one, origin, door):
    name, run = one
    headers = {} if origin is None else {"origin": origin}
    for method, path, content in (
        ("post", f"/api/runs/{name}/commands", {"command": "stop"}),
        ("delete", f"/api/runs/{name}", None),
        ("post", "/enter", {"key": door.token}),
    ):
        answer = client.request(method, path, json=content, headers=headers)
        assert answer.status_code == 403, path
    assert run.path.is_dir()
    assert not run.commands.exists()
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect(f"{SOCKET}/api/runs/{name}/live", headers=headers),
    ):
        pass
    assert refused.value.code == 4403


def test_without_a_session_there_is_the_page_and_nothing_else(stranger, one):
    name, run = one
    assert stranger.get("/").status_code == 200
    assert stranger.get("/static/app.mjs").status_code == 200
    for path in (*READ, f"/api/runs/{name}/curves", f"/api/runs/{name}/news"):
        assert stranger.get(path).status_code == 401
    stop = {"command": "stop"}
    assert stranger.post(f"/api/runs/{name}/commands", json=stop, headers=ORIGIN).status_code == 401
    assert stranger.delete(f"/api/runs/{name}", headers=ORIGIN).status_code == 401
    assert run.path.is_dir()
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        stranger.websocket_connect(f"{SOCKET}/api/runs/{name}/live", headers=ORIGIN),
    ):
        pass
    assert refused.value.code == 4401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'{"key": null}', b'{"key": ""}', b'{"key": 5}',
        b'{"key": "no"}',
        b'{"key": ["a password"]}', b"x" * (LONGEST + 1), b"[" * 4000, b'{"key": "\xff"}',
        b'{"key": "\\ud800"}',
    ],
)  # fmt: skip
def test_a_wrong_key_opens_nothing(stranger, body):
    answer = stranger.post("/enter", content=body, headers=ORIGIN)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert stranger.get("/api/runs").status_code == 401


def test_reading_enter_gives_no_session(stranger, door):
    assert stranger.get("/enter", params={"key": door.token}).status_code == 401
    assert stranger.get("/api/runs").status_code == 401


@pytest.mark.parametrize("key", ["token", "password"])
def test_token_and_password_open_it(stranger, door, key):
    answer = stranger.post("/enter", json={"key": getattr(door, key)}, headers=ORIGIN)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert stranger.get("/api/runs").status_code == 200


@pytest.mark.parametrize(
    "cookie", ["", "x", "ganvas-8600=", "ganvas-8600=wrong", "ganvas-1=x", "=;=;"]
)
def test_a_made_up_cookie_opens_nothing(stranger, cookie):
    assert stranger.get("/api/runs", headers={"cookie": cookie}).status_code == 401


def test_another_password_makes_old_cookies_worthless(workspace, door):
    other = Door(local_hosts(8600), session_of(workspace.own), "another password")
    cookie = {"cookie": f"{door.cookie}={door.pass_value}"}
    for where, status in ((door, 200), (other, 401)):
        with TestClient(application(workspace, where), BASE) as client:
            assert client.get("/api/runs", headers=cookie).status_code == status


def test_every_answer_says_what_a_page_may_do(client):
    for path in ("/", "/api/runs", "/static/app.mjs", "/nowhere", "/static/../app.py"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert (
        client.get("/", headers={"host": "evil.com"}).headers["content-security-policy"] == POLICY
    )


def test_the_session_stays_when_the_studio_is_started_again(tmp_path):
    first = session_of(tmp_path / "own")
    assert session_of(tmp_path / "own") == first
    assert (tmp_path / "own" / "session").stat().st_mode & 0o077 == 0
    (tmp_path / "own" / "session").write_text("short")
    assert session_of(tmp_path / "own") not in ("short", first)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("example.org", False),
    ],
)  # fmt: skip
def test_only_this_machine_needs_no_password(host, local, tmp_path):
    assert is_local(host) is local
    if not local:
        with pytest.raises(StudioError, match="give a password"):
            serve(tmp_path, 0, host)


def test_other_machines_may_call_it_by_its_names():
    names = _names("0.0.0.0", 8600)
    assert {"127.0.0.1:8600", f"{socket.gethostname().lower()}:8600"} <= names
    assert all(name.endswith(":8600") for name in names)
    assert {name.lower() for name in names} == names, "browsers send small letters"
    assert "127.0.0.1" in _names("0.0.0.0", 80), "and no port where it is that of HTTP"
    assert not any("evil" in name for name in names)


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StudioError, match="another --port"):
            serve(tmp_path, taken.getsockname()[1])


def test_each_start_has_a_token_of_its_own():
    doors = [Door(local_hosts(1), "s") for _ in range(2)]
    assert doors[0].token != doors[1].token
    assert not doors[0].opens(doors[1].token)
    assert not Door(local_hosts(1), "s").opens("")

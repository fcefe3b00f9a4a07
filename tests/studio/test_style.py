"""Style transfer from a page: as `ganvas style`, cancelled, repeated, thrown away."""

import io
import time

import pytest
from PIL import Image

from ganvas.pretrained.examples import EXAMPLES
from ganvas.studio.jobs import Jobs

pytestmark = pytest.mark.usefixtures("forked_jobs")
ORIGIN = {"origin": "http://127.0.0.1:8600"}
SMALL = {"preset": "draft", "size": 64}


@pytest.fixture
def pair(upload):
    """A photograph and a painting, uploaded."""
    moose, cafe = (EXAMPLES[name].read_bytes() for name in ("moose", "night_cafe"))
    return upload(("moose.jpg", moose), ("../café <b>.JPG", cafe))


def ended(client, name):
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if (found := client.get(f"/api/styles/{name}").json())["state"] != "running":
            return found
        time.sleep(0.2)
    raise AssertionError("it does not end")


def test_a_photograph_is_repainted_and_again_with_other_settings(client, workspace, pair):
    asked = {"upload": pair, "options": SMALL}
    answer = client.post("/api/styles", json=asked, headers=ORIGIN)
    assert answer.status_code == 200, answer.text
    name = answer.json()["id"]
    found = ended(client, name)
    assert (found["state"], found["result"], found["film"]) == ("finished", True, True), found
    assert found["images"] == ["image-0.jpg", "image-1.jpg"]
    assert "64x43 pixels in about" in found["forecast"]
    painted = client.get(f"/api/styles/{name}/images/painted.png")
    with Image.open(io.BytesIO(painted.content)) as image:
        assert image.size == (64, 43)
        assert any(name.startswith("ganvas.") for name in image.text), "its settings"
    for file in (*found["images"], found["frame"], "painted.gif"):
        assert client.get(f"/api/styles/{name}/images/{file}").status_code == 200
    asked = {"again": name, "options": SMALL | {"strength": 1.0, "size": 72}}
    other = client.post("/api/styles", json=asked, headers=ORIGIN).json()["id"]
    assert ended(client, other)["state"] == "finished"
    assert [one["id"] for one in client.get("/api/styles").json()] == [other, name]
    assert client.delete(f"/api/styles/{name}", headers=ORIGIN).status_code == 200
    assert [one["id"] for one in client.get("/api/styles").json()] == [other]
    assert (workspace.root / ".trash" / f"styled-{name}" / "painted.png").is_file()


def test_a_cancelled_transfer_keeps_the_image_as_it_stands(client, pair):
    asked = {"upload": pair, "options": {"preset": "fine", "size": 160}}
    answer = client.post("/api/styles", json=asked, headers=ORIGIN)
    assert answer.status_code == 200, answer.text
    name = answer.json()["id"]
    assert client.delete(f"/api/styles/{name}", headers=ORIGIN).status_code == 409
    until = time.monotonic() + 180
    while client.get(f"/api/styles/{name}").json()["frame"] is None and time.monotonic() < until:
        time.sleep(0.1)
    assert client.post(f"/api/styles/{name}/cancel", headers=ORIGIN).status_code == 200
    found = ended(client, name)
    assert (found["state"], found["result"]) == ("cancelled", True), found
    assert client.post(f"/api/styles/{name}/cancel", headers=ORIGIN).status_code == 200


def test_what_is_no_image_fails_in_a_sentence(client, upload):
    name = upload(("a.jpg", b"no image"), ("b.html", b"<script>alert(1)</script>"))
    started = client.post("/api/styles", json={"upload": name, "options": SMALL}, headers=ORIGIN)
    assert started.status_code == 200, started.text
    found = ended(client, started.json()["id"])
    assert (found["state"], found["result"]) == ("failed", False)
    assert "image" in found["said"]
    page = client.get(f"/api/styles/{found['id']}/images/{found['images'][1]}")
    assert page.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"upload": None}, 409), ({"again": "0" * 16}, 409), ({"upload": "0123456789abcdef"}, 409),
        ({"upload": None, "again": "0123456789abcdef"}, 404), ({"upload": "../.."}, 422),
        ({"options": {"size": 1e9}}, 422), ({"options": {"size": "x"}}, 422),
        ({"options": {"preset": "no"}}, 422), ({"options": {"features": "/etc/passwd"}}, 422),
        ({"options": {"strength": 2}}, 422), ({"extra": 1}, 422), ({"options": {"out": "/x"}}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_starts_nothing(client, pair, monkeypatch, changed, status):
    started = []
    monkeypatch.setattr(Jobs, "start", lambda *given: started.append(given))
    answer = client.post("/api/styles", json={"upload": pair} | changed, headers=ORIGIN)
    assert answer.status_code == status, answer.text
    assert started == []


def test_a_photograph_alone_is_not_enough(client, upload):
    name = upload(("a.jpg", EXAMPLES["moose"].read_bytes()))
    answer = client.post("/api/styles", json={"upload": name}, headers=ORIGIN)
    assert (answer.status_code, "at least one painting" in answer.text) == (409, True)


@pytest.mark.parametrize("file", ["painting.json", "..", "%2e%2e%2fpainted.png", "x" * 80, ".", ""])
def test_only_images_of_a_transfer_are_shown(client, workspace, file):
    place = workspace.root / "styled" / "0123456789abcdef"
    place.mkdir(parents=True)
    (place / "painting.json").write_text(
        '{"made": 1, "options": {}, "images": [], "process": 1, "started": 0}'
    )
    answer = client.get(f"/api/styles/0123456789abcdef/images/{file}")
    assert answer.status_code in (404, 405, 422) or answer.json()["id"] == "0123456789abcdef"
    for damage in ("", "{", "[]", "{}"):
        (place / "painting.json").write_text(damage)
        assert client.get("/api/styles/0123456789abcdef").status_code == 404
        assert client.get("/api/styles").json() == []

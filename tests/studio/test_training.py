"""A new run from a page: its images, its settings, its start; nothing of it leaves its place."""

import asyncio
import io
import os
import sys
import time

import pytest
import yaml
from PIL import Image
from starlette.requests import ClientDisconnect

from ganvas.studio import uploads as uploading
from ganvas.studio.form import fields, models
from ganvas.studio.jobs import Jobs
from ganvas.studio.uploads import Uploads
from ganvas.studio.workspace import TRASH

pytestmark = pytest.mark.usefixtures("forked_jobs")
ORIGIN = {"origin": "http://127.0.0.1:8600"}
SMALL = {"size": "16", "width": 4, "batch": 4, "images": "8", "threads": 1}


def image(colour="red"):
    data = io.BytesIO()
    Image.new("RGB", (24, 20), colour).save(data, "PNG")
    return data.getvalue()


def waited_for(client, job, run):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = client.get(f"/api/jobs/{job}", params={"run": run}).json()
        if found["status"] is not None:
            return found
        time.sleep(0.2)
    raise AssertionError("the process does not end")


def test_images_are_uploaded_looked_at_and_trained_on(client, workspace, upload):
    kinds = [("a/red.png", image()), ("b/../blue.PNG", image("blue")), ("<b>.jpg", b"no image")]
    name = upload(*kinds)
    report = client.post(f"/api/uploads/{name}/look", params={"size": "16"}, headers=ORIGIN).json()
    assert report["usable"] == 2
    assert [refused["name"] for refused in report["refused"]] == ["000002.jpg"]
    assert str(workspace.root) not in str(report)
    sheet = client.get(f"/api/uploads/{name}/sheet")
    assert Image.open(io.BytesIO(sheet.content)).size[0] > 16
    asked = {"name": "from a page", "upload": name, "options": SMALL}
    started = client.post("/api/runs", json=asked, headers=ORIGIN).json()
    end = waited_for(client, started["job"], started["run"])
    assert (end["status"], end["there"]) == (0, True), end["said"]
    run = client.get(f"/api/runs/{started['run']}").json()
    assert (run["path"], run["images"], run["state"]) == ("from a page", 8, "finished")
    again = client.post("/api/runs", json=asked, headers=ORIGIN)
    assert (again.status_code, "another name" in again.json()["sentence"]) == (409, True)
    resumed = client.post(f"/api/runs/{started['run']}/resume", headers=ORIGIN).json()
    assert waited_for(client, resumed["job"], started["run"])["status"] == 0


def test_a_run_that_cannot_begin_says_why(client):
    asked = {"name": "odd", "builtin": "digits", "options": {"size": "31", "images": "8"}}
    started = client.post("/api/runs", json=asked, headers=ORIGIN).json()
    end = waited_for(client, started["job"], started["run"])
    assert (end["status"], end["there"]) == (1, False)
    assert "try --size" in end["said"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"name": "../out"}, 409), ({"name": ""}, 409), ({"name": "one"}, 409), ({"name": 5}, 422),
        ({"builtin": None}, 409), ({"builtin": "../x"}, 422), ({"upload": "0" * 16}, 409),
        ({"builtin": None, "upload": "0123456789abcdef"}, 409), ({"upload": "../.."}, 422),
        ({"builtin": None, "upload": "../.."}, 422), ({"model": "no"}, 409), ({"extra": 1}, 422),
        ({"options": {"features": "/etc/passwd"}}, 409), ({"options": {"from": "/tmp"}}, 409),
        ({"options": {"out": "/tmp/x"}}, 409), ({"options": {"size": "x"}}, 409),
        ({"options": {"width": "wide"}}, 409), ({"options": {"width": [1]}}, 422),
        ({"options": {"latent": -1}}, 409), ({"options": []}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_starts_nothing(client, workspace, monkeypatch, changed, status):
    started = []
    monkeypatch.setattr(Jobs, "start", lambda *given: started.append(given))
    before = sorted(workspace.root.iterdir())
    asked = {"name": "new", "builtin": "digits", "options": {}} | changed
    answer = client.post("/api/runs", json=asked, headers=ORIGIN)
    assert answer.status_code == status, answer.text
    assert answer.json()["sentence"]
    assert sorted(workspace.root.iterdir()) == before
    assert started == []


def test_names_of_uploaded_files_are_of_the_studio_s_choosing(workspace, upload):
    titles = [
        "../../x.png", "/etc/passwd", "a" * 900 + ".png", "x.png/..", "..", "", "\0.png", "CON.png",
        ".htaccess", "x.tar.gz.exe",
    ]  # fmt: skip
    name = upload(*((title, b"x") for title in titles))
    place = workspace.own / "uploads" / name / "images"
    assert sorted(path.stem for path in place.iterdir()) == [f"{n:06d}" for n in range(len(titles))]
    assert all(path.is_file() for path in place.iterdir())


def test_uploads_have_limits(client, upload, monkeypatch):
    name = upload(("a.png", image()))
    place = f"/api/uploads/{name}"
    assert client.put(f"{place}/0", content=b"x", headers=ORIGIN).status_code == 409, "once"
    monkeypatch.setattr(uploading, "FILE", 1000)
    large = client.put(f"{place}/1", content=b"x" * 1001, headers=ORIGIN)
    assert (large.status_code, "a file may have" in large.json()["sentence"]) == (409, True)
    assert client.put(f"{place}/1", content=b"x" * 1000, headers=ORIGIN).status_code == 200
    monkeypatch.setattr(uploading, "ALL", 1500)
    assert client.put(f"{place}/2", content=b"x" * 900, headers=ORIGIN).status_code == 409
    monkeypatch.setattr(uploading, "FILES", 2)
    many = client.put(f"{place}/3", content=b"x", headers=ORIGIN)
    assert (many.status_code, "at most 2 files" in many.json()["sentence"]) == (409, True)


@pytest.mark.skipif(sys.platform != "linux", reason="processes have no such limits there")
def test_decoding_has_limits_of_memory_and_of_time(client, upload, monkeypatch):
    look = f"/api/uploads/{upload(('a.png', image()))}/look?size=16"
    monkeypatch.setattr(uploading, "MEMORY", 2**28)
    large = client.post(look, headers=ORIGIN)
    assert (large.status_code, "cannot be decoded" in large.json()["sentence"]) == (409, True)
    monkeypatch.undo()
    monkeypatch.setattr(uploading, "SECONDS", 0.01)
    slow = client.post(look, headers=ORIGIN)
    assert (slow.status_code, "take too long" in slow.json()["sentence"]) == (409, True)
    monkeypatch.undo()
    assert client.post(look, headers=ORIGIN).status_code == 200


def test_an_upload_that_breaks_off_leaves_room_for_another_try(workspace):
    uploads = Uploads(workspace.uploads)
    name = uploads.begin()

    async def cut():
        yield b"x" * 100
        raise ClientDisconnect

    async def whole():
        yield b"x" * 100

    async def send(chunks):
        await uploads.take(name, 0, "a.png", chunks)

    with pytest.raises(ClientDisconnect):
        asyncio.run(send(cut()))
    assert [*(uploads.place(name) / "images").iterdir()] == []
    asyncio.run(send(whole()))
    (file,) = (uploads.place(name) / "images").iterdir()
    assert file.stat().st_size == 100


def test_files_that_come_at_once_share_one_limit(workspace, monkeypatch):
    uploads = Uploads(workspace.uploads)
    name = uploads.begin()
    monkeypatch.setattr(uploading, "ALL", 250)

    async def slow():
        for _ in range(10):
            yield b"x" * 10
            await asyncio.sleep(0)

    async def three():
        taken = (uploads.take(name, number, "a.png", slow()) for number in range(3))
        return await asyncio.gather(*taken, return_exceptions=True)

    faults = [fault for fault in asyncio.run(three()) if fault is not None]
    assert faults
    assert all("all of them" in str(fault) for fault in faults)
    stored = sum(path.stat().st_size for path in (uploads.place(name) / "images").iterdir())
    assert stored <= 250


def test_a_studio_that_is_started_again_knows_what_was_uploaded(workspace):
    async def chunks():
        yield b"x"

    first = Uploads(workspace.uploads)
    name = first.begin()
    asyncio.run(first.take(name, 7, "a.png", chunks()))
    again = Uploads(workspace.uploads)
    with pytest.raises(uploading.UploadError, match="taken already"):
        asyncio.run(again.take(name, 7, "b.png", chunks()))


def test_an_upload_that_no_run_uses_goes_after_a_week(workspace):
    uploads = Uploads(workspace.uploads)
    fresh, used, thrown_away, waited = (uploads.begin() for _ in range(4))
    for name in (used, thrown_away, waited):
        for place in (uploads.folder / name / "images", uploads.folder / name):
            os.utime(place, (0, time.time() - 8 * 24 * 3600))
    for run, name in (
        (workspace.root / "mine", used),
        (workspace.root / TRASH / "old", thrown_away),
    ):
        run.mkdir(parents=True)
        source = uploads.place(name) / "images"
        (run / "run.yaml").write_text(yaml.safe_dump({"source": str(source), "model": "compact"}))
    (uploads.folder / "notes").mkdir()  # not of the studio's making
    uploads.remove_unused(workspace.used_uploads())
    left = {place.name for place in uploads.folder.iterdir()}
    assert left == {fresh, used, thrown_away, "notes"}
    Uploads(workspace.root / "away").remove_unused(set())  # where nothing was ever uploaded


def test_a_built_in_set_is_shown_as_training_will_see_it(client, workspace):
    assert client.get("/api/builtin/digits/sheet?size=16").status_code == 409
    found = client.post("/api/builtin/digits/look?size=16", headers=ORIGIN).json()
    assert (found["usable"], found["refused"]) == (10_000, [])
    sheet = client.get("/api/builtin/digits/sheet?size=16")
    assert Image.open(io.BytesIO(sheet.content)).size[0] > 16
    assert client.get("/api/builtin/digits/sheet").status_code == 409  # in another size
    assert client.post("/api/builtin/other/look", headers=ORIGIN).status_code == 404


def test_malformed_uploads_are_refused_in_a_sentence(client, upload):
    for files in ([("a.zip", b"PK\3\4 cut")], [("a.png", b"")], []):
        name = upload(*files)
        answer = client.post(f"/api/uploads/{name}/look", headers=ORIGIN)
        assert answer.status_code == 409
        assert answer.json()["sentence"]
        assert client.get(f"/api/uploads/{name}/sheet").status_code == 409


def test_a_process_of_another_studio_is_unknown(client):
    answer = client.get("/api/jobs/0123456789abcdef", params={"run": "0" * 16})
    assert answer.status_code == 404


@pytest.mark.parametrize("model", [one["name"] for one in models()])
def test_the_form_has_every_setting_with_its_default(model):
    found = {field["name"]: field for field in fields(model)}
    assert {"size", "for", "images", "width", "latent", "seed"} <= set(found)
    assert not {"from", "features"} & set(found), "no path of this machine"
    assert all(field["description"] and field["heading"] for field in found.values())
    assert found["seed"]["kind"] == "number"
    assert found["for"]["kind"] == "text"
    assert found["mirror"]["kind"] == "yes-no"
    assert found["fit"]["choices"] == ["crop", "pad", "stretch"]
    assert sum(field["first"] for field in found.values()) == 3

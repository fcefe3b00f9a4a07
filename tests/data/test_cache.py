"""The cache: what was refused is tried again, sets are replaced whole, nothing in it is trusted."""

import json
import os
import pwd
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import CacheError, DataSettings, cache_folder, prepare
from ganvas.data.cache import index, store
from ganvas.data.sources import folder as folder_module
from ganvas.events import result_of
from ganvas.imaging import ScarceMemoryError, decode
from ganvas.runtime.system import PlaceError


@pytest.fixture
def photos(root, save):
    save(root, [f"{number}.png" for number in range(5)])
    return root


def the_set(cache):
    (folder,) = (path for path in (cache / "images").iterdir() if path.is_dir())
    return folder


# ---- refusals are no facts


@pytest.fixture
def scarce(monkeypatch):
    """Decoding refuses an image as long as something is set."""
    state = {"scarce": True}

    def decoding(data, frame):
        if state["scarce"] and data.endswith(b"large"):
            raise ScarceMemoryError("needs 9 GB of memory")
        return decode(data, frame)

    monkeypatch.setattr(folder_module, "decode", decoding)
    return state


def test_what_was_missing_is_there_now(photos, prepared, cache, scarce, image_bytes):
    (photos / "large.png").write_bytes(image_bytes(50) + b"large")
    before, _ = prepared(photos)
    assert (before.usable, len(before.refused)) == (5, 1)
    assert prepared(photos)[1][-1].from_cache
    pixels = before.batch(range(5))

    scarce["scarce"] = False
    after, events = prepared(photos)
    assert (after.usable, after.refused) == (6, ())
    assert not events[-1].from_cache
    assert after.key == before.key, "the same files: a run knows them by it"
    assert after.content != before.content, "but not the same images"
    assert np.array_equal(before.batch(range(5)), pixels), "whoever has it open goes on"
    assert the_set(cache).name == after.key
    assert prepared(photos)[1][-1].from_cache

    scarce["scarce"] = True  # what could be used once need not be decoded again
    again, events = prepared(photos)
    assert (again.usable, events[-1].from_cache) == (6, True)


def test_the_reason_is_that_of_today(photos, prepared, monkeypatch, refusals):
    (photos / "bad.png").write_bytes(b"no")
    prepared(photos)

    def decoding(data, frame):
        raise folder_module.UnreadableImageError("has another fault now")

    monkeypatch.setattr(folder_module, "decode", decoding)
    assert refusals(prepared(photos)[0]) == {"bad.png": "has another fault now"}


def test_a_worse_set_takes_no_better_ones_place(photos, prepared, finish, scarce, image_bytes):
    (photos / "large.png").write_bytes(image_bytes(50) + b"large")
    slow = prepare(str(photos), DataSettings(size="8"), workers=1)
    next(slow)
    scarce["scarce"] = False
    assert prepared(photos)[0].usable == 6
    scarce["scarce"] = True
    assert finish(slow)[0].usable == 6


def test_an_archive_that_was_put_right(tmp_path, prepared, refusals, image_bytes):
    path, data = tmp_path / "x.zip", image_bytes(1, side=30)

    def write(content):
        with zipfile.ZipFile(path, "w") as target:
            target.writestr("good.png", image_bytes(2))
            target.writestr("torn.png", data)
        packed = path.read_bytes()
        path.write_bytes(packed.replace(data, content))

    write(data[:100] + bytes(len(data) - 100))
    torn, _ = prepared(path)
    assert "Bad CRC-32" in refusals(torn)["torn.png"]
    write(data)
    sound, _ = prepared(path)
    assert (sound.usable, sound.key) == (2, torn.key)


def test_what_older_ganvas_decoded_is_decoded_again(photos, prepared, cache):
    first, _ = prepared(photos)
    manifest = the_set(cache) / store.MANIFEST
    content = json.loads(manifest.read_bytes())
    del content["format"], content["places"]
    manifest.write_text(json.dumps(content))
    (the_set(cache) / store.PIXELS).write_bytes(bytes(5 * 8 * 8 * 3))  # black, as they may be there
    again, events = prepared(photos)
    assert not events[-1].from_cache
    assert again.key == first.key
    assert again.batch(range(5)).any(axis=(1, 2, 3)).all()
    assert prepared(photos)[1][-1].from_cache


# ---- nothing is trusted


def mutated(value, chance):
    """JSON with one value somewhere in it replaced."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], mutated(value[at], chance), *value[at + 1 :]]
    hostile = [None, -1, 0, 1, 2**63, 2**70, 1.5, "", "x", "\ud800", [], {}, [[]], True, "9-9"]
    return chance.choice(hostile)


@pytest.mark.parametrize("what", ["manifest", "index", "channels"])
def test_a_mutated_cache_changes_no_image(photos, prepared, cache, what):
    (photos / "bad.png").write_bytes(b"no")
    first, _ = prepared(photos, channels="auto")
    pixels = first.batch(range(5))
    path = {
        "manifest": the_set(cache) / store.MANIFEST,
        "index": next((cache / "index").iterdir()),
        "channels": next((cache / "images").glob("*.channels")),
    }[what]
    sound, chance = path.read_bytes(), random.Random(0)
    for _ in range(30):
        path.write_bytes(damaged(sound, chance))
        found, _ = prepared(photos, channels="auto")
        assert (found.key, found.names) == (first.key, first.names)
        assert np.array_equal(found.batch(range(5)), pixels)
        path.write_bytes(sound)


def damaged(sound, chance):
    """A file in which a value or a bit is another one."""
    if chance.random() < 0.5:
        return json.dumps(mutated(json.loads(sound), chance)).encode()
    data = bytearray(sound)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def test_a_manifest_is_whole_or_none(photos, prepared, cache):
    (photos / "a.png").write_bytes(b"no")
    prepared(photos)
    folder, files = the_set(cache), [*(f"{number}.png" for number in range(5)), "a.png"]
    sound, chance = (folder / store.MANIFEST).read_bytes(), random.Random(1)
    assert store.load_stored(folder, files, (8, 8, 3)).manifest.shape == (5, 8, 8, 3)
    for _ in range(2000):
        (folder / store.MANIFEST).write_bytes(damaged(sound, chance))
        found = store.load_stored(folder, files, (8, 8, 3))
        if found is not None:  # nothing but a reason was hit
            assert found.manifest.names == tuple(files[:5])
            assert found.manifest.places == (5,)


@pytest.mark.parametrize("grey", [False, True])
def test_pixels_are_those_that_were_written_or_prepared_anew(root, save, prepared, cache, grey):
    save(root, [f"{number}.png" for number in range(5)])
    if grey:
        for number in range(5):
            Image.new("L", (8, 8), 40 * number).save(root / f"{number}.png")
    expected = prepared(root)[0].batch(range(5))
    assert prepared(root)[1][-1].from_cache
    path, chance = the_set(cache) / store.PIXELS, random.Random(3)
    for _ in range(10):
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        after, events = prepared(root)
        assert not events[-1].from_cache
        assert (after.batch(range(5)) == expected).all()
        assert prepared(root)[1][-1].from_cache


def test_an_index_is_whole_or_none(photos, prepared, cache):
    prepared(photos)
    (path,) = (cache / "index").iterdir()
    sound, chance = path.read_bytes(), random.Random(2)
    known = index._load(path)
    assert len(known) == 5
    for _ in range(2000):
        path.write_bytes(damaged(sound, chance))
        assert index._load(path) in (known, {})


def test_channels_that_cannot_be(photos, prepared, cache):
    for number in range(5):
        Image.new("L", (8, 8), 40 * number).save(photos / f"{number}.png")
    first, _ = prepared(photos)
    assert first.shape == (1, 8, 8)
    (path,) = (cache / "images").glob("*.channels")
    for wrong in (b"2", b"-1", b"4", b"x", b"", b"999999999999"):
        path.write_bytes(wrong)
        assert prepared(photos)[0].key == first.key


# ---- where it lies


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """A user whom the system does not know, as in containers."""

    def nobody(*_):
        raise KeyError("uid not found")

    for name in ("HOME", "GANVAS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / f"ganvas-{os.getuid()}"


def test_a_user_without_a_home(homeless, monkeypatch, photos, prepared):
    assert cache_folder() == homeless
    assert homeless.stat().st_mode & 0o777 == 0o700
    assert prepared(photos)[0].usable == 5
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/ganvas")
    monkeypatch.setenv("GANVAS_CACHE", "/mine")
    assert cache_folder() == Path("/mine")


@pytest.mark.parametrize("trap", ["open", "link", "file", "owner"])
def test_a_temporary_folder_that_others_may_have_made(homeless, trap, tmp_path, monkeypatch):
    if trap == "open":
        homeless.mkdir(mode=0o777)
        homeless.chmod(0o777)
    elif trap == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        homeless.symlink_to(tmp_path / "theirs")
    elif trap == "file":
        homeless.touch()
    else:
        user = os.getuid() + 1
        (tmp_path / f"ganvas-{user}").mkdir(mode=0o700)
        monkeypatch.setattr(os, "getuid", lambda: user)
    with pytest.raises(CacheError, match="GANVAS_CACHE"):
        cache_folder()


def test_a_home_that_nobody_has(monkeypatch, photos, run):
    monkeypatch.setenv("GANVAS_CACHE", "~nobody-of-that-name/cache")
    with pytest.raises(PlaceError, match="nobody here has that home folder"):
        cache_folder()
    status, _, err = run("data", photos)
    assert status == 1
    assert "Traceback" not in err


def test_a_cache_that_is_a_file_is_said_before_anything_is_read(
    photos, prepared, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(folder_module.File, "digest", None)
    with pytest.raises(CacheError, match=r"it cannot be written .*; set GANVAS_CACHE to a folder"):
        prepared(photos)


def test_what_a_killed_preparation_left_goes_with_the_next(photos, cache):
    """Its lock vanishes with it; that of one at work stays, and so does its folder."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom ganvas.data.cache import store\n"
        "with store.writing(Path(sys.argv[1])) as writer:\n"
        "    print('written', flush=True)\n"
        "    sys.stdin.read(1) or os._exit(9)"
    )
    command = [sys.executable, "-c", code, str(cache)]
    killed, alive = (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    )
    for process in (killed, alive):
        assert process.stdout.readline() == b"written\n"
    assert len([*cache.glob("images/.unfinished-*/")]) == 2
    killed.communicate()
    assert killed.returncode == 9
    result_of(prepare(photos, DataSettings(size="8"), cache=cache))
    assert len([*cache.glob("images/.unfinished-*/")]) == 1
    alive.communicate(b"x")
    assert alive.returncode == 0
    assert [*cache.glob("images/.unfinished-*")] == []

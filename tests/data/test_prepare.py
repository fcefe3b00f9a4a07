"""Preparing: settings, events, the cache, interruptions, two processes, a full disk."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from errno import ENOSPC
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from ganvas.data import CacheError, DataSettings, NoImagesError, clear_cache, prepare
from ganvas.data.cache import place as cache_module
from ganvas.data.cache.store import Writer
from ganvas.events import Prepared, Preparing, Refusal
from ganvas.imaging import Frame, decode
from ganvas.runtime.cache import _system_folder, cache_folder

module = importlib.import_module("ganvas.data.prepare")  # its name in the package is the function's


@pytest.fixture
def photos(root, save):
    save(root, [f"{number:02d}.png" for number in range(20)])
    (root / "broken.jpg").write_bytes(b"no")
    return root


def sets(cache):
    return sorted(path.name for path in cache.glob("images/*") if path.is_dir())


# ---- settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": "big"}, "size must be like 64 or 64x96, up to 4096, not 'big'"),
        ({"size": "0"}, "size must be"),
        ({"size": "64x5000"}, "size must be"),
        ({"channels": "2"}, "channels"),
        ({"fit": "zoom"}, "fit"),
        ({"background": "whiet"}, "background must be a colour"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_name_the_option(wrong, message):
    with pytest.raises(ValidationError, match=message):
        DataSettings(**wrong)


def test_run_files_may_say_numbers():
    assert DataSettings(size=64, channels=3) == DataSettings(size="64", channels="3")


def test_frames():
    assert DataSettings().frame("32") == Frame(32, 32)
    assert DataSettings(size="8x4", channels="1").frame("32") == Frame(8, 4, 1)


# ---- what comes out


def test_images_are_what_decoding_gives(photos, prepared):
    images, _ = prepared(photos)
    assert len(images) == images.usable == 20
    assert images.shape == (3, 8, 8)
    assert images.source == str(photos)
    batch = images.batch(np.array([3, 0, 3]))
    assert batch.flags.c_contiguous
    assert batch.flags.writeable
    for image, number in zip(batch, (3, 0, 3), strict=True):
        data = (photos / f"{number:02d}.png").read_bytes()
        assert np.array_equal(image, decode(data, Frame(8, 8)))


def test_what_auto_finds_is_the_same_set_as_asking_for_it(photos, prepared, cache):
    found, _ = prepared(photos, channels="auto")
    asked, events = prepared(photos, channels=str(found.shape[0]))
    assert asked.key == found.key
    assert events[-1].from_cache
    assert len(sets(cache)) == 1


def test_events(photos, prepared, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_EVENTS", 0)
    images, events = prepared(photos)
    *preparing, last = events
    assert all(isinstance(event, Preparing) and event.total == 21 for event in preparing)
    done = [event.done for event in preparing]
    assert done == sorted(done)
    assert done[-1] == 21
    refusal = Refusal("broken.jpg", "is not an image that can be read (looks like text)")
    assert last == Prepared(str(photos), 20, (refusal,), from_cache=False)
    assert images.refused == (refusal,)


def test_events_are_few(photos, prepared, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_EVENTS", 3600)
    _, events = prepared(photos)
    assert len(events) <= 3


@pytest.mark.parametrize(
    ("modes", "channels"), [("LL1", 1), ("LRL", 3), ("RRR", 3)], ids=["grey", "mixed", "colour"]
)
def test_channels_follow_the_images(root, prepared, modes, channels):
    for number, mode in enumerate(modes):
        image = Image.new("RGB", (8, 8), (10, 200, 30)).convert({"R": "RGB"}.get(mode, mode))
        image.save(root / f"{number}.png")
    images, _ = prepared(root)
    assert images.shape == (channels, 8, 8)
    assert prepared(root, channels="4")[0].shape == (4, 8, 8)
    assert prepared(root, channels="1")[0].shape == (1, 8, 8)
    if channels == 1:
        assert np.array_equal(
            images.batch(range(3)), prepared(root, channels="1")[0].batch(range(3))
        )


def test_mirrored_copies(photos, prepared):
    plain, _ = prepared(photos)
    both, events = prepared(photos, mirror=True)
    assert events[-1].from_cache  # mirroring happens while reading
    assert (len(both), both.usable, events[-1].usable) == (40, 20, 20)
    assert np.array_equal(both.batch([2, 22])[0], plain.batch([2])[0])
    assert np.array_equal(both.batch([2, 22])[1], plain.batch([2])[0][:, ::-1])


def test_numbers_out_of_range(photos, prepared):
    images, _ = prepared(photos)
    for wrong in ([20], [-1]):
        with pytest.raises(IndexError, match="from 0 to 19"):
            images.batch(wrong)
    assert images.batch([]).shape == (0, 8, 8, 3)


# ---- the cache


def test_the_second_time_nothing_is_decoded_nor_read(photos, prepared, monkeypatch):
    first, _ = prepared(photos)
    opened = Path.open

    def forbid(path, mode="r"):  # what was refused is tried again
        known = photos in path.parents and path.name != "broken.jpg"
        assert not known, "an unchanged file was read again"
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", forbid)
    again, events = prepared(photos)
    assert events == [Prepared(str(photos), 20, first.refused, from_cache=True)]
    assert again.key == first.key
    assert again.names == first.names
    assert np.array_equal(again.batch(range(20)), first.batch(range(20)))


def test_a_moved_folder_is_known_by_its_content(photos, prepared):
    key = prepared(photos)[0].key
    moved, events = prepared(photos.rename(photos.parent / "moved"))
    assert moved.key == key
    assert events[-1].from_cache


def test_other_settings_are_other_images(photos, prepared):
    keys = {
        prepared(photos, **settings)[0].key
        for settings in ({}, {"size": "8x16"}, {"fit": "pad"}, {"channels": "1"}, {"channels": "4"})
    }
    assert len(keys) == 5


def test_changed_content_under_the_same_name(photos, prepared, image_bytes):
    first, _ = prepared(photos)
    path = photos / "07.png"
    path.write_bytes(image_bytes(99))
    changed, _ = prepared(photos)
    assert changed.key != first.key
    assert not np.array_equal(changed.batch([7]), first.batch([7]))
    path.write_bytes(image_bytes(7))
    assert prepared(photos)[0].key == first.key


def test_added_removed_and_renamed_files(photos, prepared, image_bytes):
    keys = [prepared(photos)[0].key]
    (photos / "new.png").write_bytes(image_bytes(50))
    keys.append(prepared(photos)[0].key)
    (photos / "new.png").rename(photos / "newer.png")
    keys.append(prepared(photos)[0].key)
    assert len(set(keys)) == 3
    (photos / "newer.png").unlink()
    assert prepared(photos)[0].key == keys[0]


def test_a_damaged_cache_is_made_anew(photos, prepared, cache):
    first, _ = prepared(photos)
    before = first.batch(range(20))
    (folder,) = (cache / "images").glob("*/")
    for damage in (
        lambda: os.truncate(folder / "pixels.u8", 100),
        lambda: (folder / "manifest.json").write_text("{"),
        lambda: (folder / "manifest.json").unlink(),
        lambda: next((cache / "index").iterdir()).write_text("[]"),
        lambda: shutil.rmtree(cache / "index"),
    ):
        damage()
        again, _ = prepared(photos)
        assert again.key == first.key
        assert np.array_equal(again.batch(range(20)), before)
    assert sets(cache) == [first.key]


def test_an_interrupted_preparation_leaves_nothing(photos, cache, prepared, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_EVENTS", 0)
    generator = prepare(str(photos), DataSettings(size="8"), workers=2)
    while next(generator).done < 15:  # all files have been read, some are decoded
        pass
    assert len(sets(cache)) == 1
    generator.close()
    assert sets(cache) == []
    assert not prepared(photos)[1][-1].from_cache


def test_no_usable_image_leaves_nothing(root, cache, prepared):
    (root / "a.png").touch()
    with pytest.raises(NoImagesError, match=r"a\.png is empty \(0 bytes\)"):
        prepared(root)
    assert sets(cache) == []


def test_what_the_dead_left_is_swept_away(photos, prepared, cache):
    old, new = (cache / "images" / f"{cache_module.TEMPORARY}{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "pixels.u8").touch()
    long_ago = time.time() - cache_module.STALE - 60
    os.utime(old / "pixels.u8", (long_ago, long_ago))
    os.utime(old, (long_ago, long_ago))
    prepared(photos)
    assert not old.exists()
    assert new.exists()


def test_two_processes_at_once(photos, cache):
    code = (
        "import sys\nfrom ganvas.data import DataSettings, prepare\n"
        "sys.stdin.read(1)\n"
        "*_, last = prepare(sys.argv[1], DataSettings(size='64'), workers=1)\n"
        "print(last.usable)"
    )
    command = [sys.executable, "-c", code, str(photos)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write("x")
        process.stdin.flush()
    assert [process.communicate()[0].strip() for process in both] == ["20", "20"]
    assert len(sets(cache)) == 1


def test_the_slower_of_two_uses_what_the_faster_made(photos, prepared, finish, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_EVENTS", 0)
    slow = prepare(str(photos), DataSettings(size="8"), workers=1)
    while next(slow).done < 15:
        pass
    fast, _ = prepared(photos)
    images, events = finish(slow)
    assert not events[-1].from_cache
    assert images.key == fast.key
    assert np.array_equal(images.batch(range(20)), fast.batch(range(20)))


def test_too_little_space_is_said_before_decoding(photos, prepared, monkeypatch, cache):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CacheError, match="the disk is full; free some space, or set GANVAS_CACHE"):
        prepared(photos)
    assert sets(cache) == []


def test_a_disk_that_fills_up(photos, prepared, monkeypatch, cache):
    add = Writer.add

    class Full:
        def write(self, data):
            raise OSError(ENOSPC, "No space left on device")

        def close(self):
            pass

    def fill(writer, name, image):
        if len(writer.names) == 5:
            writer._file.close()
            writer._file = Full()
        add(writer, name, image)

    monkeypatch.setattr(Writer, "add", fill)
    with pytest.raises(CacheError, match="the disk is full"):
        prepared(photos)
    assert sets(cache) == []


def test_a_cache_that_cannot_be_written(photos, prepared, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match="it cannot be written"):
        prepared(photos)


def test_clear_cache(photos, prepared, cache):
    prepared(photos)
    prepared(photos, size="16")
    number, size = clear_cache(cache)
    assert number == 2
    assert size > 20 * (8 * 8 + 16 * 16) * 3
    assert clear_cache() == (0, 0)
    assert not prepared(photos)[1][-1].from_cache


def test_clearing_leaves_other_files_alone(cache):
    cache.mkdir()
    (cache / "mine.txt").touch()
    clear_cache(cache)
    assert (cache / "mine.txt").exists()


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", "home/.cache/ganvas"),
        ("darwin", "home/Library/Caches/ganvas"),
        ("win32", "home/ganvas/cache"),
    ],
)
def test_where_the_cache_is(platform, expected, monkeypatch):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert _system_folder(platform, Path("home")) == Path(expected)
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert _system_folder("linux", Path("home")) == Path("/xdg/ganvas")
    assert _system_folder("win32", Path("home")) == Path("/local/ganvas/cache")
    monkeypatch.setenv("GANVAS_CACHE", "/mine")
    assert cache_folder() == Path("/mine")


# ---- memory

MEMORY = """
import json, re, sys
import numpy as np
from pathlib import Path
from ganvas.data import DataSettings, positions, prepare
from ganvas.data.sources.entry import Found
from contextlib import contextmanager

class Made:
    stamp = None
    def __init__(self, number): self.name = f"folder/image{number:06d}.png"
    def digest(self): return self.name
    def image(self, frame): return PIXELS

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
COUNT = int(sys.argv[1])

@contextmanager
def made(source):
    yield Found([Made(number) for number in range(COUNT)])

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000

sys.modules["ganvas.data.prepare"].find = made
before, peak = resident(), 0
generator = prepare("made", DataSettings(), workers=2)
while True:
    try:
        next(generator)
    except StopIteration as stop:
        images = stop.value
        break
    peak = max(peak, resident())
preparing, peak = peak - before, 0
for start in range(0, COUNT, 64):
    images.batch(positions(0, start, 64, COUNT))
    peak = max(peak, resident())
print(json.dumps([preparing, peak - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_stays_bounded(cache):
    command = [sys.executable, "-c", MEMORY, "12000"]  # 147 MB of pixels
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    preparing, reading = json.loads(done.stdout)
    assert preparing < 60
    assert reading < 120

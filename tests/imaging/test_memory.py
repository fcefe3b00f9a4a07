"""Large images: the same bytes in bands, within a budget that all share, or refused by name."""

import re
import struct
import subprocess
import sys
import threading
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ganvas import imaging
from ganvas.imaging import (
    Frame,
    ScarceMemoryError,
    UnreadableImageError,
    budget,
    decode,
    resize,
    tone,
    upright,
)
from ganvas.runtime.memory import Budget

HEIGHT, WIDTH = 211, 167


def scene(mode="RGB", size=(WIDTH, HEIGHT)):
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    layers = np.stack([3 * x + y, 255 - y, x * y // 9, 9 * x + 30 + y], 2)
    return Image.fromarray(layers.astype(np.uint8), "RGBA").convert(mode)


def encoded(image, kind="PNG", **options):
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def palette():
    image = scene("L").point(lambda value: value // 8).copy()
    image = Image.fromarray(np.asarray(image), "P")
    image.putpalette([value * 7 % 256 for value in range(96)])
    return image


def deep():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return Image.fromarray((300 * y + 20 * x).astype(np.uint16))


FILES = {
    **{mode: encoded(scene(mode)) for mode in ("L", "LA", "RGB", "RGBA")},
    **{f"turned {n}": encoded(scene("RGBA"), exif=turned(n)) for n in range(2, 9)},
    "cmyk": encoded(scene("CMYK"), "TIFF"),
    "palette": encoded(palette(), transparency=bytes(range(0, 256, 8))),
    "key": encoded(scene("RGB"), transparency=(3, 255, 0)),
    "deep": encoded(deep()),
    "deep key": encoded(deep(), transparency=6000),
    "jpeg": encoded(scene(), "JPEG", exif=turned(6)),
}
FRAMES = [
    Frame(9, 8),
    Frame(14, 9, 4, "pad"),
    Frame(20, 12, 3, "pad", "#204060"),
    Frame(7, 30, 1, "stretch", "black"),
    Frame(30, 7, 4, "stretch"),
    Frame(120, 150, 3),
    Frame(120, 150, 4),
    Frame(300, 301, 4, "pad"),
    Frame(HEIGHT, WIDTH, 4),
    Frame(WIDTH, HEIGHT, 4),
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rows", [1, 7, 50])
def test_bands_give_the_same_bytes(name, rows, monkeypatch):
    data = FILES[name]
    at_once = [decode(data, frame) for frame in FRAMES], np.asarray(upright(data))
    monkeypatch.setattr(resize, "LARGE", 100)
    for module in (resize, tone):
        monkeypatch.setattr(module, "ROWS", rows * WIDTH)
    for frame, expected in zip(FRAMES, at_once[0], strict=True):
        assert (decode(data, frame) == expected).all(), frame
    assert (np.asarray(upright(data)) == at_once[1]).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_fitted_gives_the_same_bytes_in_bands(mode, monkeypatch):
    image = scene(mode)
    at_once = [imaging.fit(image, frame) for frame in FRAMES]
    monkeypatch.setattr(resize, "LARGE", 100)
    monkeypatch.setattr(resize, "ROWS", 5 * WIDTH)
    for frame, expected in zip(FRAMES, at_once, strict=True):
        assert (imaging.fit(image, frame) == expected).all(), frame


def test_what_never_fits_is_refused_by_its_size(monkeypatch):
    monkeypatch.setattr(budget, "UNCOUNTED", 0)
    monkeypatch.setattr(budget, "MOST", 1000)
    monkeypatch.setattr(budget, "_DECODING", Budget(1000))
    for data in FILES.values():
        with pytest.raises(UnreadableImageError, match="million pixels and needs") as refused:
            decode(data, Frame(8, 8))
        assert not isinstance(refused.value, ScarceMemoryError)  # that will be so tomorrow
        assert re.search(r"more than the .* that decoding may take; make it", str(refused.value))
        upright(data)  # at full size the machine alone is the limit


def test_what_does_not_fit_now_may_fit_later(monkeypatch):
    monkeypatch.setattr(budget, "UNCOUNTED", 0)
    for module in (budget, sys.modules["ganvas.runtime.memory"]):
        monkeypatch.setattr(module, "available", lambda: 1000)
    for read in (upright, lambda data: decode(data, Frame(8, 8))):
        with pytest.raises(ScarceMemoryError, match="of what is free"):
            read(FILES["RGB"])


def test_an_empty_machine_is_no_fault_of_the_file(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", fail)
    with pytest.raises(ScarceMemoryError, match="needs more memory than there is"):
        decode(FILES["RGB"], Frame(8, 8))


def test_workers_wait_for_each_other(monkeypatch):
    """Together they never hold more than the budget, and all come to their end."""
    counted = Counted(2_000_000)
    monkeypatch.setattr(budget, "UNCOUNTED", 0)
    monkeypatch.setattr(budget, "_DECODING", counted)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(decode(FILES["L"], Frame(8, 8)).shape))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(8, 8, 3)] * 12
    assert 0 < counted.most_used <= 2_000_000
    assert not counted._used


class Counted(Budget):
    """Keeps the most that was in use."""

    most_used = 0

    def __setattr__(self, name, value):
        if name == "_used":
            self.most_used = max(self.most_used, value)
        super().__setattr__(name, value)


def large_png(width, height, depth, kind):
    channels = {0: 1, 2: 3, 6: 4}[kind]
    row = b"\0" + b"\x50" * (width * channels * depth // 8)
    packer = zlib.compressobj(1)
    parts = [packer.compress(row) for _ in range(height)] + [packer.flush()]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)),
        (b"IDAT", b"".join(parts)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


PEAK = """
import resource, sys
from ganvas.imaging import Frame, decode
data, small = (open(path, "rb").read() for path in sys.argv[1:3])
decode(small, Frame(8, 8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decode(data, Frame(32, 32, int(sys.argv[3])))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count other bytes")
@pytest.mark.parametrize(
    ("depth", "kind", "channels", "stored"), [(8, 6, 3, 4), (8, 6, 4, 4), (16, 0, 1, 2)]
)
def test_memory_stays_near_what_the_decoder_needs(depth, kind, channels, stored, tmp_path):
    (tmp_path / "large.png").write_bytes(large_png(5000, 4000, depth, kind))
    (tmp_path / "small.png").write_bytes(large_png(50, 40, depth, kind))
    files = [str(tmp_path / name) for name in ("large.png", "small.png")]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *files, str(channels)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < stored * 20_000_000 + 60_000_000

"""Nothing that reads images prints: neither Pillow, nor its loggers, nor libtiff in C."""

import logging
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from PIL import Image

from ganvas.imaging import UnreadableImageError, quiet, upright

LOUD = r"""
import os, random, struct, sys
from io import BytesIO

import numpy as np
from PIL import Image

from ganvas.imaging import Frame, UnreadableImageError, decode, quiet, upright

if sys.argv[1] == "aside":  # as on systems where libtiff's handlers cannot be reached
    quiet._silenced = lambda: False

chance = random.Random(0)
noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
deep = np.random.default_rng(0).integers(0, 65535, (40, 40)).astype(np.uint16)
files = []
for image in (Image.fromarray(noise), Image.fromarray(deep)):
    for packing in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "jpeg"):
        if packing == "jpeg" and image.mode != "RGB":
            continue
        stream = BytesIO()
        options = {"compression": packing} if packing else {}
        image.save(stream, "TIFF", tiffinfo={278: 8}, **options)
        files.append(stream.getvalue())
for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
    stream = BytesIO()
    Image.fromarray(noise).save(stream, kind)
    files.append(stream.getvalue())

read = refused = 0
for original in files:
    for round in range(int(sys.argv[2])):
        data = bytearray(original)
        for _ in range(chance.randrange(1, 4)):
            # Directories of TIFF files stand at their end.
            place = -chance.randrange(1, 250) if round % 2 else chance.randrange(len(data))
            data[place] = chance.randrange(256)
        data = bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data))))])
        try:
            decode(data, Frame(8, 8)) if round % 3 else upright(data)
            read += 1
        except UnreadableImageError:
            refused += 1
sys.stdout.write(f"{read} {refused}")
"""


@pytest.mark.parametrize("way", ["handlers", "aside"])
def test_thousands_of_damaged_files_print_nothing(way, tmp_path):
    """File descriptors are looked at, not `sys.stderr`: libtiff knows no Python."""
    script = tmp_path / "loud.py"
    script.write_text(LOUD, "utf-8")
    count = "150" if way == "handlers" else "20"
    done = subprocess.run(
        [sys.executable, str(script), way, count], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    read, refused = map(int, done.stdout.split())
    assert read > 50
    assert refused > 50


def test_libtiff_can_be_silenced_here():
    if sys.platform == "linux":
        assert quiet._silence()


def test_stderr_comes_back(capfd):
    """Where it has to be turned away, threads that overlap bring it back when the last is done."""
    barrier = threading.Barrier(4)

    def read():
        with quiet._stderr_aside:
            barrier.wait()
            os.write(2, b"lost")
            barrier.wait()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"


def test_others_may_log_and_warn(caplog):
    """What a program does with Pillow besides is its own affair, even while ganvas reads."""
    logger = logging.getLogger("PIL.TiffImagePlugin")
    with pytest.raises(UnreadableImageError):
        upright(b"II*\0\x08\0\0\0")
    with quiet.quiet_pillow:
        logger.error("ours")
        other = threading.Thread(target=lambda: logger.error("theirs"))
        other.start()
        other.join()
    logger.error("later")
    assert [record.message for record in caplog.records] == ["theirs", "later"]
    with pytest.warns(UserWarning, match="seen"):
        warnings.warn_explicit("seen", UserWarning, "x.py", 1, module="PIL.Image")


def test_no_reader_leaves_a_file_open():
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("this system does not list open files")
    before = len(list(folder.iterdir()))
    for _ in range(20):
        with pytest.raises(UnreadableImageError):
            upright(b"II*\0\x08\0\0\0" + bytes(100))
        with quiet._stderr_aside:
            pass
    assert len(list(folder.iterdir())) == before
    assert Image.MAX_IMAGE_PIXELS  # the reader's own limit stays as it was

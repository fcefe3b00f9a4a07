"""The mark of what ganvas made: found in PNG and GIF files, whatever state they are in."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ganvas.imaging import GENERATED, is_generated
from ganvas.imaging.write import write_image

PIXELS = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)


def png(**texts):
    chunks = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        chunks.add_text(name.replace("_", "."), text)
    stream = BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def gif(comment=None):
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    stream = BytesIO()
    options = {} if comment is None else {"comment": comment}
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], **options)
    return stream.getvalue()


COMMENT = b"!\xfe\x16ganvas.generated: film\0"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(ganvas_generated="sample"), True),
        (png(Software="x", ganvas_generated="sheet"), True),
        *((png(**{f"ganvas_{name}": "1"}), True) for name in ("seed", "seeds", "model", "rows")),
        (png(ganvas_features="é ナ"), True),  # as iTXt
        (png(ganvas_style="{}"), False),
        (png(ganvas_style="{}", Software="ganvas.generated"), False),
        (png(ganvas_style="{}", ganvas_generated="film"), True),
        (png(Comment="ganvas.generated"), False),
        (png(), False),
        (gif(b"ganvas.generated: film"), True),
        (gif()[:-1] + COMMENT + b";", True),
        (gif(b"made with ganvas.generated"), False),
        (gif(b"a comment"), False),
        (gif(), False),
        (b"", False),
        (b"GIF89a", False),
        (b"ganvas.generated", False),
        (png_mark := b"\x89PNG\r\n\x1a\n", False),
        (png_mark + b"\xff\xff\xff\xfftEXtganvas.seed\0", True),
    ],
)
def test_who_made_it(data, expected):
    assert is_generated(data) is expected


def test_texts_after_the_pixels():
    data = png()
    body = f"{GENERATED}\0sample".encode()
    text = struct.pack(">I", len(body)) + b"tEXt" + body
    text += struct.pack(">I", zlib.crc32(b"tEXt" + body))
    assert is_generated(data[:-12] + text + data[-12:])


def test_repainted_photographs_belong_to_their_owners(tmp_path):
    pixels = PIXELS.astype(np.float32) / 255
    for bits in (8, 16):
        write_image(tmp_path / "a.png", pixels, bits, {"ganvas.style": "{}"})
        assert not is_generated((tmp_path / "a.png").read_bytes())


def test_damaged_files_raise_nothing():
    rng = np.random.default_rng(0)
    for original in (png(ganvas_generated="sample"), gif(b"ganvas.generated: film")):
        for _ in range(500):
            data = bytearray(original[: rng.integers(0, len(original) + 1)])
            for place in rng.integers(0, max(1, len(data)), 4) if data else ():
                data[place] = rng.integers(0, 256)
            assert is_generated(bytes(data)) in (True, False)

"""Reading every kind of image file, refusing every kind of bad one, resizing."""

import struct
import threading
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from ganvas import imaging
from ganvas.imaging import (
    Frame,
    UnreadableImageError,
    colour,
    decode,
    decoding,
    is_generated,
    read,
    upright,
)
from ganvas.imaging.tone import TURNS

SMALL = Frame(16, 16)
HAS_AVIF = features.check("avif")
AVIF = pytest.param("AVIF", marks=pytest.mark.skipif(not HAS_AVIF, reason="Pillow without AVIF"))


def encoded(image, kind="PNG", **options):
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def scene(height=48, width=64, mode="RGB"):
    """Smooth, with no symmetry: every orientation looks different."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    pixels = np.stack([255 * x, 255 * y, 255 * (1 - x) * y], 2)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def natural(data, channels=3, background="white"):
    """The image at its own size."""
    image = upright(data)
    frame = Frame(image.height, image.width, channels, background=background)
    return imaging.fit(image, frame)


def close(actual, expected, tolerance=2):
    difference = np.abs(np.asarray(actual, int) - np.asarray(expected, int)).max()
    assert difference <= tolerance, difference


# ---- kinds of files


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", AVIF])
def test_formats(kind):
    pixels = decode(encoded(scene(), kind), Frame(12, 16))
    assert pixels.shape == (12, 16, 3)
    assert pixels.dtype == np.uint8
    close(pixels, decode(encoded(scene()), Frame(12, 16)), 40)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", AVIF])
def test_every_orientation_comes_out_upright(kind, orientation):
    wanted = scene(40, 64)
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    stored = wanted.transpose(TURNS[inverse]) if orientation > 1 else wanted
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, kind, exif=exif, quality=95)
    close(natural(data), np.asarray(wanted), 12)
    close(decode(data, Frame(5, 8)), decode(encoded(wanted), Frame(5, 8)), 12)


def test_jpeg_is_decoded_small_without_a_visible_difference():
    large = scene(1000, 1600)
    whole = imaging.fit(large, Frame(32, 32))
    close(decode(encoded(large, "JPEG", quality=95), Frame(32, 32)), whole, 4)


@pytest.mark.parametrize(
    "mode", ["L", "RGB", "CMYK", "YCbCr", "LAB", "HSV", "1", "P", "RGBA", "LA"]
)
def test_modes(mode):
    flat = Image.new("RGB", (8, 8), (200, 200, 200))
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(flat, srgb, lab, outputMode="LAB")
    else:
        image = flat.convert(mode, dither=0, palette=Image.Palette.ADAPTIVE)
    kind = "TIFF" if mode in ("CMYK", "YCbCr", "LAB") else "PNG"
    data = encoded(image.convert("RGB") if mode == "HSV" else image, kind)
    close(natural(data), 255 if mode == "1" else 200)
    assert natural(data, 1).shape == (8, 8, 1)


def test_cmyk_and_ycck_jpeg():
    image = scene().convert("CMYK")
    close(natural(encoded(image, "JPEG", quality=95)), np.asarray(scene()), 12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 32896, 65535]], np.int32), [0, 128, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 128, 255]], np.float32), [0, 128, 255]),
    ],
    ids=["I;16", "I", "F to 1", "F to 255"],
)
def test_deep_grey(values, expected):
    pixels = natural(encoded(Image.fromarray(values), "TIFF"), 1)
    assert pixels[0, :, 0].tolist() == expected


def test_sixteen_bit_png():
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    close(natural(encoded(Image.fromarray(values)), 1)[..., 0], values / 257, 1)


@pytest.mark.parametrize("worst", [-1.0, 256.0, float("nan"), float("inf")])
def test_grey_values_without_a_meaning_are_refused(worst):
    values = np.array([[0.5, worst]], np.float32)
    with pytest.raises(UnreadableImageError, match="has grey values from"):
        natural(encoded(Image.fromarray(values), "TIFF"))


def test_palette_with_transparency():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    image.putpixel((0, 0), 2)
    one_index = encoded(image, transparency=2)
    assert natural(one_index)[0, 0].tolist() == [255, 255, 255]
    assert natural(one_index, 4)[0, 0].tolist() == [0, 0, 0, 0]
    half = natural(encoded(image, transparency=bytes([255, 255, 128])), background="black")
    assert half[0, 0].tolist() == [0, 128, 0]
    assert half[1, 1].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("mode", "value"), [("L", 7), ("RGB", (7, 7, 7)), ("1", 255)])
def test_a_transparent_colour(mode, value):
    image = Image.new(mode, (4, 4))
    image.putpixel((1, 0), value)
    data = encoded(image, transparency=value)
    assert natural(data, background="#ff8000")[0, 1].tolist() == [255, 128, 0]
    assert natural(data)[0, 0].tolist() == [0, 0, 0]


def test_first_frame_of_a_film():
    frames = [Image.new("RGB", (8, 8), name) for name in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        close(natural(data), [255, 0, 0], 4)


# ---- colours and transparency


def linear_profile():
    """sRGB's profile with its three tone curves replaced by gamma 1.0."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack_from(">I", data, 128)[0]):
        tag, start, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            curve = struct.pack(">4sIIH", b"curv", 0, 1, 256)
            data[start : start + size] = curve.ljust(size, b"\0")
    return bytes(data)


def test_icc_profiles_are_followed():
    flat = Image.new("RGB", (4, 4), (55, 55, 55))
    close(natural(encoded(flat, icc_profile=linear_profile())), 128, 2)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    close(natural(encoded(scene(), icc_profile=srgb)), scene(), 1)


def test_a_profile_leaves_transparency_alone():
    image = Image.new("RGBA", (4, 4), (55, 55, 55, 90))
    close(natural(encoded(image, icc_profile=linear_profile()), 4), [128, 128, 128, 90], 2)


@pytest.mark.parametrize(
    "profile",
    [b"nonsense", linear_profile()[:150], b"\0" * 600],
    ids=["nonsense", "cut off", "zeros"],  # a profile says when it was made
)
def test_a_broken_profile_is_ignored(profile):
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        close(
            natural(encoded(Image.new("RGB", (8, 8), "red"), kind, icc_profile=profile)),
            [255, 0, 0],
            4,
        )


def test_a_profile_for_other_kinds_of_images_is_ignored():
    grey = Image.new("L", (4, 4), 55)
    assert (natural(encoded(grey, icc_profile=linear_profile())) == 55).all()


def test_broken_exif_is_ignored():
    for exif in (
        b"Exif\0\0nonsense",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff",
    ):
        close(natural(encoded(scene(), "JPEG", quality=95, exif=exif)), scene(), 12)


def test_alpha_is_laid_on_the_background():
    image = Image.new("RGBA", (1, 1), (200, 100, 0, 51))  # one fifth
    pixels = natural(encoded(image), background="#0a1464")
    assert pixels[0, 0].tolist() == [48, 36, 80]  # (200 + 4 * 10) / 5 and so on
    image = Image.new("LA", (1, 1), (255, 51))
    assert natural(encoded(image), 1, "black").item() == 51


def test_four_channels_keep_alpha():
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 40))
    image.putpixel((1, 0), (10, 20, 30, 0))
    pixels = natural(encoded(image), 4)
    assert pixels[0].tolist() == [[10, 20, 30, 40], [0, 0, 0, 0]]
    assert (natural(encoded(scene()), 4)[..., 3] == 255).all()


def test_one_channel_is_luminance():
    pixels = natural(encoded(Image.new("RGB", (1, 1), (255, 0, 0))), 1)
    assert pixels.item() == 76  # 0.299 * 255


def test_resizing_leaves_no_dark_rim():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[16:48, 16:48] = (255, 255, 255, 255)  # white on transparent black
    data = encoded(Image.fromarray(pixels))
    small = decode(data, Frame(24, 24, 4))
    assert (small[small[..., 3] > 8][:, :3] >= 254).all()
    assert (decode(data, Frame(24, 24)) >= 254).all()


# ---- size and shape


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (4000, 20), (20, 4000), (33, 70), (500, 500)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_constant_image_stays_constant(fit, size, channels):
    image = Image.new("RGB", size, (90, 90, 90))
    pixels = decode(encoded(image), Frame(24, 36, channels, fit, background="#5a5a5a"))
    assert pixels.shape == (24, 36, channels)
    if channels == 4:
        pixels = pixels[pixels[..., 3] > 0]
        assert len(pixels)
    assert set(np.unique(pixels)) <= {90, 255 if channels == 4 else 90}


@pytest.mark.parametrize("size", [(606, 500), (1024, 683), (599, 401)])
def test_rounding_never_leads_outside_the_image(size):
    data = encoded(Image.new("RGB", size, "navy"))
    for longer in range(90, 140):
        scale = longer / max(size)
        frame = Frame(round(size[1] * scale), round(size[0] * scale))
        assert decode(data, frame).shape == (frame.height, frame.width, 3)


def test_crop_keeps_the_centre():
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 255
    assert (decode(encoded(Image.fromarray(pixels)), Frame(20, 20)) == 255).all()


def test_pad_adds_borders():
    data = encoded(Image.new("RGB", (20, 10), "red"))
    pixels = decode(data, Frame(16, 16, fit="pad", background="blue"))
    assert (pixels[:4] == (0, 0, 255)).all()
    assert (pixels[4:12] == (255, 0, 0)).all()
    assert (pixels[12:] == (0, 0, 255)).all()
    assert (decode(data, Frame(16, 16, 4, "pad"))[:4] == 0).all()
    grey = encoded(Image.new("L", (20, 10), 9))
    assert decode(grey, Frame(16, 16, 1, "pad", "white"))[[0, 8], 0, 0].tolist() == [255, 9]


def test_stretch_keeps_everything():
    pixels = decode(encoded(scene(40, 80)), Frame(40, 40, fit="stretch"))
    close(pixels[:, 0], np.asarray(scene(40, 80))[:, 0], 8)
    close(pixels[:, -1], np.asarray(scene(40, 80))[:, -1], 8)


@pytest.mark.parametrize("name", ["whiet", "#12", "#12345678", "rgb(1,2)", ""])
def test_no_colour(name):
    with pytest.raises(
        ValueError,
        match=f"background must be a colour.*{name!r}".replace("(", r"\(").replace(")", r"\)"),
    ):
        colour(name)


# ---- bad files


def png_header(width, height):
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + data + struct.pack(">I", zlib.crc32(b"IHDR" + data))
    body = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + chunk + body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"Dear diary,\n", r"not an image that can be read \(looks like text\)"),
        (b"%PDF-1.7 \xff", "looks like a PDF document"),
        (b"PK\3\4" + bytes(40), "looks like a ZIP archive"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "looks like a HEIC image, which needs"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "looks like a film"),
        (bytes(range(256)), "looks like unknown data"),
        (b"\xff\xd8\xff", "looks like a damaged JPEG"),
        (png_header(20000, 20000), "has 400 million pixels, more than the limit of 178 million"),
        (png_header(13400, 13350), "has 178 million pixels, more than the limit of 178 million"),
        (png_header(0, 5), "damaged"),
        (encoded(scene())[:500], "is truncated"),
        (encoded(scene(), "JPEG")[:700], "is truncated"),
        (encoded(scene(), "PNG")[:60], "truncated|damaged"),
        (encoded(scene(), "PPM"), "looks like"),
        (encoded(scene(), "ICO"), "looks like an icon"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else f"{len(value)} bytes",
)
def test_refusals_say_why(data, reason):
    with pytest.raises(UnreadableImageError, match=reason):
        decode(data, SMALL)


def test_pixels_just_below_the_limit_are_not_a_warning(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 64 - 1)
    assert decode(encoded(scene()), SMALL).shape == (16, 16, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10**12)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 48 * 64 - 1)
    with pytest.raises(UnreadableImageError, match="million pixels"):
        decode(encoded(scene()), SMALL)


def test_bytes_have_a_limit(monkeypatch, tmp_path):
    monkeypatch.setattr(decoding, "MAX_BYTES", 100)
    path = tmp_path / "a.png"
    path.write_bytes(encoded(scene()))
    with pytest.raises(UnreadableImageError, match=r"a\.png has 0 MB, more than the limit"):
        read(path)


def test_read_names_the_file(tmp_path):
    with pytest.raises(UnreadableImageError, match=r"gone\.png cannot be opened \(No such file"):
        read(tmp_path / "gone.png")
    (tmp_path / "a.png").write_bytes(encoded(scene(), "JPEG"))  # the content decides
    assert read(tmp_path / "a.png").shape == (48, 64, 3)
    assert read(tmp_path / "a.png", SMALL).shape == (16, 16, 3)


EXAMPLES = {
    kind: encoded(scene(24, 20, mode), form, **options)
    for kind, form, mode, options in [
        ("jpeg", "JPEG", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
        ("progressive", "JPEG", "RGB", {"progressive": True}),
        ("cmyk", "JPEG", "CMYK", {}),
        ("png", "PNG", "RGB", {"icc_profile": linear_profile()}),
        ("palette", "PNG", "P", {"transparency": 3}),
        ("webp", "WEBP", "RGBA", {}),
        ("lossless", "WEBP", "RGB", {"lossless": True, "icc_profile": linear_profile()}),
        ("gif", "GIF", "P", {}),
        ("bmp", "BMP", "RGB", {}),
        ("tiff", "TIFF", "RGB", {}),
        ("lzw", "TIFF", "L", {"compression": "tiff_lzw"}),
        ("jpeg tiff", "TIFF", "RGB", {"compression": "jpeg"}),
        ("group 4", "TIFF", "1", {"compression": "group4"}),
        *([("avif", "AVIF", "RGB", {"speed": 10})] if HAS_AVIF else []),
    ]
}


def tiff(values, **options):
    stream = BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


DEEP = np.random.default_rng(0).integers(0, 65535, (24, 20, 4)).astype(np.uint16)
EXAMPLES |= {
    "planes": tiff(DEEP[..., :3].transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
    "tiles": tiff(DEEP, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True),
    "floats": tiff((DEEP[..., 0] / 65535).astype(np.float32), compression="zlib"),
    "halves": tiff((DEEP[..., :3] / 65535).astype(np.float16), photometric="rgb", byteorder=">"),
    "big tiff": tiff(DEEP[..., 0], photometric="miniswhite", bigtiff=True, byteorder=">"),
    "deep png": encoded(Image.fromarray(DEEP[..., 0]), transparency=int(DEEP[3, 4, 0])),
    "film": encoded(scene(24, 20), "GIF", save_all=True, append_images=[scene(24, 20, "L")]),
    "moving": encoded(scene(24, 20), "PNG", save_all=True, append_images=[scene(24, 20, "RGBA")]),
    "packed tiff": encoded(scene(24, 20), "TIFF", compression="tiff_adobe_deflate"),
    "packed bmp": encoded(scene(24, 20, "L"), "BMP"),
}
CHUNKS = (
    b"tEXtkey\0value",
    b"zTXtkey\0\0nonsense",
    b"iCCPa\0\0b",
    b"tRNS\0\1\0\1\0\1",
    b"PLTE\1\2\3",
)


def with_a_chunk(original, chunk, place):
    """A PNG with one more chunk, other files with its bytes in them."""
    if not original.startswith(b"\x89PNG"):
        return original[:place] + chunk + original[place:]
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return original[:33] + whole + original[33:]


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_mutated_files_are_read_or_refused(data):
    original = EXAMPLES[data.draw(st.sampled_from(sorted(EXAMPLES)))]
    places = st.integers(0, len(original) - 1) | st.integers(0, min(200, len(original) - 1))
    if data.draw(st.booleans()):
        chunk = data.draw(st.sampled_from(CHUNKS))
        original = with_a_chunk(original, chunk, data.draw(places))
    mutated = bytearray(original)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        mutated[place] = value
    end = data.draw(st.just(len(original)) | st.integers(0, len(original)))
    frame = Frame(8, 8, data.draw(st.sampled_from([1, 3, 4])))
    assert is_generated(bytes(mutated[:end])) is False
    assert outcome(bytes(mutated[:end]), frame) in ("(8, 8)", "refused")


def outcome(data, frame):
    try:
        return str(decode(data, frame).shape[:2])
    except UnreadableImageError as error:
        return "refused" if len(str(error)) <= 300 else str(error)


def test_threads_leave_the_warnings_as_they_were():
    noisy = encoded(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    before = list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [decode(noisy, SMALL) for _ in range(20)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_an_unusual_bmp_is_not_called_damaged():
    header = struct.pack("<2sIHHI", b"BM", 66 + 8, 0, 0, 66)
    info = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 3, 8, 0, 0, 0, 0)
    masks = struct.pack("<3I", 0xF000, 0x0F00, 0x00F0)  # four bits a colour
    with pytest.raises(UnreadableImageError, match="kind that cannot be read: save it as PNG"):
        upright(header + info + masks + bytes(8))

"""PNG files: damage is found, what is not needed to decode is passed over, 16 bits are right."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ganvas.imaging import Frame, UnreadableImageError, decode, upright
from ganvas.imaging import png as png_files

HEIGHT, WIDTH = 30, 44
NOISE = np.random.default_rng(0).integers(128, 255, (HEIGHT, WIDTH, 3), np.uint8)
SMALL = Frame(8, 8)


def chunk(name, body, check=None):
    check = zlib.crc32(name + body) if check is None else check
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def written(rows, depth, kind, *extra, last=()):
    """A PNG file of rows of bytes, with chunks before and after its pixels."""
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, len(rows), depth, kind, 0, 0, 0)
    return b"".join(
        [
            png_files.MARK,
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", zlib.compress(raw)),
            *last,
            chunk(b"IEND", b""),
        ]
    )


def noise(*extra, last=()):
    return written(NOISE.reshape(HEIGHT, -1), 8, 2, *extra, last=last)


def is_noise(data):
    assert (np.asarray(upright(data)) == NOISE).all()
    assert decode(data, SMALL).min() >= 128


def big_endian(values):
    return np.ascontiguousarray(values, ">u2").view(np.uint8).reshape(len(values), -1)


# ---- damage


@pytest.mark.parametrize("kind", ["RGB", "L", "RGBA", "P"])
def test_a_flipped_byte_in_the_pixels_is_found(kind):
    stream = BytesIO()
    Image.fromarray(NOISE).convert(kind).save(stream, "PNG")
    sound = stream.getvalue()
    start = sound.index(b"IDAT") + 4
    (length,) = struct.unpack_from(">I", sound, start - 8)
    for place in np.linspace(start, start + length + 3, 40).astype(int):
        damaged = bytearray(sound)
        damaged[place] ^= 0xFF
        for read in (lambda data: decode(data, SMALL), upright):
            with pytest.raises(UnreadableImageError, match="IDAT"):
                read(bytes(damaged))


def rechecked(data):
    """The same file with the checksums that it should have: what is wrong lies below them."""
    parts = [png_files.MARK]
    for name, start, end in png_files.chunks(data):
        parts.append(chunk(name, data[start:end]))
    return b"".join(parts)


def test_damage_that_the_checksums_do_not_show():
    start = noise().index(b"IDAT") + 4
    for place in range(start + 10, len(noise()) - 30, 97):
        damaged = bytearray(noise())
        damaged[place] ^= 0x55
        with pytest.raises(UnreadableImageError):
            upright(rechecked(bytes(damaged)))


@pytest.mark.parametrize("rows", [0, 1, HEIGHT // 2, HEIGHT - 1])
def test_rows_that_are_missing_are_not_black(rows):
    start = noise().index(b"IDAT") - 4
    raw = b"".join(b"\0" + bytes(row) for row in NOISE[:rows])
    data = noise()[:start] + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match="truncated"):
        upright(data)


def test_black_at_the_bottom_is_no_damage():
    pixels = NOISE.copy()
    pixels[-5:] = 0
    data = written(pixels.reshape(HEIGHT, -1), 8, 2)
    assert (np.asarray(upright(data)) == pixels).all()


def test_interlaced_files():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pixels = (rows * 5 + columns).astype(np.uint8)
    raw = b""
    for left, top, across, down in png_files._PASSES:
        for row in pixels[top::down, left::across]:
            raw += b"\0" + bytes(row)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 1))
    end = chunk(b"IEND", b"")
    data = png_files.MARK + header + chunk(b"IDAT", zlib.compress(raw)) + end
    assert (np.asarray(upright(data)) == pixels).all()
    short = png_files.MARK + header + chunk(b"IDAT", zlib.compress(raw[:-3])) + end
    with pytest.raises(UnreadableImageError, match="truncated"):
        upright(short)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (noise().replace(b"IHDR", b"IHDX"), "header"),
        (noise()[:30] + b"\xff" + noise()[31:], "IHDR"),
        (noise(chunk(b"tRNS", bytes(6), 1)), "tRNS"),
        (written(NOISE[..., 0], 8, 3), "palette"),
        (written(NOISE[..., 0], 8, 3, chunk(b"PLTE", bytes(768), 1)), "PLTE"),
        (written(NOISE[..., 0], 3, 0), "kind that does not exist"),
        (noise()[: noise().index(b"IDAT") + 300], "truncated"),
        (noise()[: noise().index(b"IDAT") - 4], "truncated"),
        (png_files.MARK, "header"),
    ],
)
def test_what_is_needed_must_be_sound(data, reason):
    with pytest.raises(UnreadableImageError, match=reason):
        upright(data)


def test_small_files_do_not_claim_much_memory():
    header = struct.pack(">IIBBBBB", 13000, 13000, 8, 6, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match="truncated"):
        decode(png_files.MARK + chunk(b"IHDR", header) + body, SMALL)


# ---- what is passed over


LONG = b"Comment\0" + b"all work and no play " * 200_000
PACKED = b"Comment\0\0" + zlib.compress(LONG)
FOREIGN = b"Comment\0\1\0de\0Kommentar\0" + zlib.compress(LONG)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"tEXt", LONG)],
        [chunk(b"zTXt", PACKED)],
        [chunk(b"iTXt", FOREIGN)],
        [chunk(b"zTXt", PACKED)] * 40,
        [chunk(b"tEXt", b"key%d\0value" % number) for number in range(3000)],
        [chunk(b"zTXt", b"key\0\7nonsense")],
        [chunk(b"zTXt", b"key\0\0nonsense")],
        [chunk(b"iTXt", b"no terminator")],
        [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0nonsense")],
        [chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(10**7)))],
        [chunk(b"tEXt", b"Raw profile type exif\0\n\nnot hexadecimal")],
        [chunk(b"tEXt", b"\xff\xfe\0\xff")],
        [chunk(b"tEXt", b"Comment\0text", 1)],
        [chunk(b"gAMA", b"")],
        [chunk(b"cHRM", b"\0")],
        [chunk(b"pHYs", b"")],
        [chunk(b"sRGB", b"")],
        [chunk(b"sRGB", b"\0", 3)],
        [chunk(b"eXIf", b"nonsense")],
        [chunk(b"eXIf", b"II*\0\x08\0\0\0", 4)],
        [chunk(b"iCCP", b"name\0\0nonsense")],
        [chunk(b"iCCP", b"name\0\1nonsense")],
        [chunk(b"iCCP", b"no end")],
        [chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(2**25 + 1)))],
        [chunk(b"acTL", b"\0")],
        [chunk(b"acTL", struct.pack(">II", 3, 0)), chunk(b"fcTL", b"\0")],
        [chunk(b"abCd", bytes(10**6), 7)],
    ],
    ids=lambda chunks: f"{chunks[0][4:8].decode()} {len(chunks)}x{len(chunks[0])}",
)
def test_ancillary_chunks_never_refuse_a_sound_image(chunks):
    is_noise(noise(*chunks))
    is_noise(noise(last=chunks))


def test_what_follows_the_pixels_may_be_missing():
    is_noise(noise()[:-12])
    is_noise(noise() + b"and something else")
    cut = noise(last=[chunk(b"tEXt", LONG)])
    is_noise(cut[:-1000])


def linear_profile(size):
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack_from(">I", data, 128)[0]):
        tag, start, length = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            curve = struct.pack(">4sIIH", b"curv", 0, 1, 256)
            data[start : start + length] = curve.ljust(length, b"\0")
    data += np.random.default_rng(0).bytes(size - len(data))
    data[:4] = struct.pack(">I", len(data))
    return bytes(data)


@pytest.mark.parametrize("size", [2**20 + 1, 5 * 2**20])
def test_large_profiles_are_followed(size):
    profile = chunk(b"iCCP", b"linear\0\0" + zlib.compress(linear_profile(size), 1))
    flat = np.full((HEIGHT, 3 * WIDTH), 55, np.uint8)
    shown = np.asarray(upright(written(flat, 8, 2, profile)))
    assert abs(shown.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("form", ["eXIf", "zTXt", "tEXt", "XMP", "packed XMP"])
def test_orientation_is_found_wherever_it_stands(form, last):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = exif.tobytes()
    written_out = b"\nexif\n%8d\n" % len(data) + data.hex().encode() + b"\n"
    xmp = b'<x tiff:Orientation="6"/>'
    turned = {
        "eXIf": chunk(b"eXIf", data[6:]),
        "zTXt": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(written_out)),
        "tEXt": chunk(b"tEXt", b"Raw profile type exif\0" + written_out),
        "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        "packed XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
    }[form]
    data = noise(last=[turned]) if last else noise(turned)
    assert (np.asarray(upright(data)) == np.rot90(NOISE, -1)).all()


def test_the_first_frame_of_a_film():
    stream = BytesIO()
    frames = [Image.fromarray(NOISE), Image.fromarray(255 - NOISE)]
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:])
    is_noise(stream.getvalue())


# ---- one colour that is transparent


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("above", [0, 0x100])
def test_grey_that_is_transparent(depth, above):
    """It is written in the file's own depth; bits above that mean nothing (PNG, 11.3.2.1)."""
    top = 2**depth - 1
    if above > top:
        above <<= depth
    values = np.rint(np.linspace(0, top, WIDTH * HEIGHT)).astype(np.uint16).reshape(HEIGHT, WIDTH)
    if depth == 16:
        values[0, :5], rows = 40000, big_endian(values)
        values[1, 0] = 40001  # the same in 8 bits, and another grey
        rows, key = big_endian(values), 40000
    else:
        bits = values[..., None] >> np.arange(depth - 1, -1, -1) & 1
        rows, key = np.packbits(bits.reshape(HEIGHT, -1).astype(np.uint8), 1), top // 2 + 1
    key_chunk = chunk(b"tRNS", struct.pack(">H", (key | above) & 0xFFFF if depth < 16 else key))
    shown = np.asarray(upright(written(rows, depth, 0, key_chunk)))
    assert shown.shape == (HEIGHT, WIDTH, 2)
    assert (shown[..., 1] == np.where(values == key, 0, 255)).all()
    expected = np.rint(values / top * 255)
    assert np.abs(shown[..., 0] - expected)[values != key].max() <= 1


def test_grey_of_sixteen_bits_stays_grey_beside_its_transparency():
    values = np.full((HEIGHT, WIDTH), 30000, np.uint16)
    values[:, :10] = 65535
    data = written(big_endian(values), 16, 0, chunk(b"tRNS", struct.pack(">H", 65535)))
    pixels = decode(data, Frame(HEIGHT, WIDTH, 1, background="black"))
    assert (pixels[:, :10] == 0).all()
    assert (pixels[:, 10:] == 117).all()


def test_a_transparent_colour_that_is_cut_off_is_none():
    """It is ancillary: what browsers show without it is the image."""
    data = noise(chunk(b"tRNS", bytes(2)))
    assert (np.asarray(upright(data)) == NOISE).all()


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_that_is_transparent(depth):
    values = np.random.default_rng(1).integers(0, 2**depth, (HEIGHT, WIDTH, 3)).astype(np.uint16)
    values[3:9, 4:20] = key = (20, 50, 130) if depth == 8 else (5000, 40000, 777)
    values[12, :] = (*key[:2], key[2] + 1)  # of 16 bits the same when they are cut to 8
    rows = values.astype(np.uint8).reshape(HEIGHT, -1) if depth == 8 else big_endian(values)
    data = written(rows, depth, 2, chunk(b"tRNS", struct.pack(">3H", *key)))
    shown = np.asarray(upright(data))
    seen = (values != np.array(key)).any(2)
    assert (shown[..., 3] == np.where(seen, 255, 0)).all()
    expected = values / (2**depth - 1) * 255
    assert np.abs(shown[..., :3] - expected)[seen].max() <= 1


def test_twelve_bits_in_sixteen_are_refused():
    values = (np.linspace(0, 4095, WIDTH * HEIGHT)).astype(np.uint16).reshape(HEIGHT, WIDTH)
    with pytest.raises(UnreadableImageError, match="has values up to 4095 only"):
        upright(written(big_endian(values), 16, 0))
    colours = np.repeat(values[..., None], 3, 2)
    with pytest.raises(UnreadableImageError, match="nearly black"):
        upright(written(big_endian(colours), 16, 2))
    assert not np.asarray(upright(written(big_endian(colours * 0), 16, 2))).any()
    with pytest.raises(UnreadableImageError, match="nearly black"):
        upright(written(big_endian(colours // 4096 + 100), 16, 2))
    drawing = np.concatenate([colours, 16 * colours[..., :1]], 2)  # nobody scans transparency
    assert np.asarray(upright(written(big_endian(drawing), 16, 6))).shape == (HEIGHT, WIDTH, 4)


def test_sixteen_bits_of_every_kind():
    values = np.random.default_rng(2).integers(0, 65536, (HEIGHT, WIDTH, 4)).astype(np.uint16)
    values[0, 0] = 65535
    for kind, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
        part = values[..., :channels]
        shown = np.asarray(upright(written(big_endian(part), 16, kind)))
        if kind == 4:  # Pillow gives grey with alpha as colours
            shown = shown[..., [0, 3]]
        assert np.abs(shown.reshape(part.shape) - part / 257).max() <= 1

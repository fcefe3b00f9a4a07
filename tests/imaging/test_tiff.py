"""TIFF files of every depth, order and packing come out right, or are refused with a reason.

The references are independent: the values that a file was made of, and what tifffile reads.
"""

import random
import struct
import zlib
from io import BytesIO
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from ganvas.imaging import Frame, UnreadableImageError, decode, tiff_samples, upright

HEIGHT, WIDTH = 37, 53


def grey():
    """From 0 to 1, with no symmetry."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    return (x * (1 - y / 3) + y / 3 * x**2).clip(0, 1)


def colours(count=3):
    ramp = grey()
    layers = [ramp, 1 - ramp[::-1], ramp[:, ::-1] ** 2, 0.25 + ramp / 2]
    return np.stack(layers[:count], 2)


def written(values, **options):
    stream = BytesIO()
    tifffile.imwrite(stream, np.ascontiguousarray(values), **options)
    return stream.getvalue()


def shown(data):
    """Pixels in [0, 1]."""
    return np.asarray(upright(data)) / 255


def close(data, expected, tolerance=0.0041):
    pixels = shown(data)
    assert pixels.shape == expected.shape, pixels.shape
    assert np.abs(pixels - expected).max() <= tolerance, np.abs(pixels - expected).max()


def whole(values, kind):
    """Fractions as the numbers of a type, of which the largest is 1; floats stay."""
    kind = np.dtype(kind)
    if kind.kind == "f":
        return values.astype(kind)
    top = 65535 if kind == np.int32 else np.iinfo(kind).max
    return np.rint(values * top).astype(kind)


def by_hand(values, tags, order="<", raw=None):
    """A TIFF file of one strip, written tag by tag."""
    raw = np.ascontiguousarray(values).tobytes() if raw is None else raw
    tags = {
        256: WIDTH,
        257: HEIGHT,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: HEIGHT,
        279: len(raw),
    } | tags
    directory, arrays, start = b"", b"", 8 + len(raw) + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        kind, packed = (1, value) if isinstance(value, bytes) else (4, b"")
        if not packed:
            numbers = value if isinstance(value, tuple) else (value,)
            packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        count = len(packed) // (1 if kind == 1 else 4)
        if len(packed) > 4:
            arrays, packed = arrays + packed, struct.pack(order + "I", start + len(arrays))
        directory += struct.pack(order + "HHI", tag, kind, count) + packed.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(order + "I", 8 + len(raw))
    return head + raw + struct.pack(order + "H", len(tags)) + directory + bytes(4) + arrays


KINDS = ["u1", "u2", "u4", "i2", "i4", "f2", "f4", "f8"]


@pytest.mark.parametrize(("kind", "order"), [*product(KINDS, "<>")])
def test_grey_of_every_type(kind, order):
    values = whole(grey(), kind)
    for photometric in ("minisblack", "miniswhite"):
        expected = grey() if photometric == "minisblack" else 1 - grey()
        close(written(values, photometric=photometric, byteorder=order), expected)


@pytest.mark.parametrize(("kind", "order"), [*product(["u1", "u2", "u4", "f2", "f4"], "<>")])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)], ids=["strips", "tiles"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
def test_colours_of_every_type(kind, order, planes, tile, compression):
    values = whole(colours(), kind)
    if planes == "separate":
        values = values.transpose(2, 0, 1)
    data = written(
        values,
        photometric="rgb",
        planarconfig=planes,
        byteorder=order,
        compression=compression,
        tile=tile,
        rowsperstrip=None if tile else 10,
    )
    close(data, colours())


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tile", [None, (32, 16)], ids=["strips", "tiles"])
def test_differences_are_added_up(kind, planes, order, tile):
    values = whole(colours(), kind)
    values = values if planes == "contig" else values.transpose(2, 0, 1)
    data = written(
        values,
        photometric="rgb",
        planarconfig=planes,
        byteorder=order,
        compression="zlib",
        predictor=True,
        tile=tile,
    )
    close(data, colours())


def float_differences(values):
    """Predictor 3 (Adobe, TIFF Technical Note 3), by its definition."""
    size, samples = values.dtype.itemsize, values.shape[2]
    rows = values.astype(values.dtype.newbyteorder(">")).reshape(HEIGHT, -1)
    octets = rows.view(np.uint8).reshape(HEIGHT, -1, size).transpose(0, 2, 1).reshape(HEIGHT, -1)
    differences = octets.copy()
    differences[:, samples:] -= octets[:, :-samples]
    return differences.tobytes()


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("order", "<>")
def test_differences_of_floats_are_added_up(kind, order):
    raw = zlib.compress(float_differences(colours().astype(kind)))
    bits = 8 * np.dtype(kind).itemsize
    tags = {258: (bits,) * 3, 259: 8, 262: 2, 277: 3, 317: 3, 339: (3, 3, 3), 279: len(raw)}
    close(by_hand(None, tags, order, raw), colours())


def packed(values, bits):
    """Numbers packed from the highest bit on; each row begins with a byte of its own."""
    numbers = np.rint(values * (2**bits - 1)).astype(np.uint64).reshape(HEIGHT, -1)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint64)
    return np.packbits((numbers[..., None] >> places & 1).reshape(HEIGHT, -1).astype(np.uint8), 1)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32])
@pytest.mark.parametrize("count", [1, 3])
def test_every_number_of_bits(bits, count):
    values = grey() if count == 1 else colours()
    values = np.rint(values * (2**bits - 1)) / (2**bits - 1)
    tags = {258: (bits,) * count, 262: 1 if count == 1 else 2, 277: count}
    for photometric in (1, 0) if count == 1 else (2,):
        expected = values if photometric else 1 - values
        # Samples of whole bytes follow the order of the file; all others are streams of bits.
        close(by_hand(packed(values, bits), tags | {262: photometric}, ">"), expected)
        if bits % 8:
            close(by_hand(packed(values, bits), tags | {262: photometric}, "<"), expected)
        backwards = np.packbits(np.unpackbits(packed(values, bits)).reshape(-1, 8)[:, ::-1], 1)
        close(by_hand(backwards, tags | {262: photometric, 266: 2}, ">"), expected)


@pytest.mark.parametrize("order", "<>")
def test_three_bytes_follow_the_order_of_the_file(order):
    numbers = np.rint(grey() * (2**24 - 1)).astype(order + "u4")
    octets = numbers.view(np.uint8).reshape(HEIGHT, WIDTH, 4)
    octets = octets[..., :3] if order == "<" else octets[..., 1:]
    close(by_hand(octets, {258: 24}, order), grey())


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("tag", [281, 341])
@pytest.mark.parametrize("count", [1, 3])
def test_scans_of_fewer_bits_in_sixteen(bits, tag, count):
    values = grey() if count == 1 else colours()
    top = 2**bits - 1
    numbers = np.rint(values * top).astype(np.uint16)
    tags = {258: (16,) * count, 262: count if count == 1 else 2, 277: count}
    close(by_hand(numbers, tags | {tag: (top,) * count}), values)
    if bits < 14:  # nobody says so: nearly black, and refused
        with pytest.raises(UnreadableImageError, match=f"has values up to {top} only"):
            upright(by_hand(numbers, tags))


def test_the_largest_number_used_is_not_white():
    """TIFF 6.0: MaxSampleValue is "not to be used to affect the visual appearance"."""
    numbers = np.rint(grey() * 40000).astype(np.uint16)
    close(by_hand(numbers, {258: 16, 281: 40000}), grey() * 40000 / 65535)
    close(by_hand(numbers, {258: 16, 281: 4095}), grey() * 40000 / 65535)


def test_a_black_scan_is_black():
    close(written(np.zeros((HEIGHT, WIDTH), np.uint16)), np.zeros((HEIGHT, WIDTH)))


@pytest.mark.parametrize("extra", ["unspecified", "assocalpha", "unassalpha"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_samples_beside_the_colours(extra, kind, planes, compression):
    values = colours(4)
    stored = values.copy()
    if extra == "assocalpha":
        stored[..., :3] *= stored[..., 3:]
    stored = whole(stored, kind)
    data = written(
        stored if planes == "contig" else stored.transpose(2, 0, 1),
        photometric="rgb",
        extrasamples=[extra],
        planarconfig=planes,
        compression=compression,
    )
    premultiplied = extra == "assocalpha"
    close(
        data, values[..., : 3 if extra == "unspecified" else 4], 0.016 if premultiplied else 0.0041
    )


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_grey_with_alpha(kind, planes):
    values = np.stack([grey(), 0.25 + grey()[::-1] / 2], 2)
    stored = whole(values, kind)
    data = written(
        stored if planes == "contig" else stored.transpose(2, 0, 1),
        photometric="minisblack",
        extrasamples=["unassalpha"],
        planarconfig=planes,
    )
    close(data, values)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_cmyk(planes, kind, compression):
    inks = colours(4) * 0.5
    stored = whole(inks, kind)
    data = written(
        stored if planes == "contig" else stored.transpose(2, 0, 1),
        photometric="separated",
        planarconfig=planes,
        compression=compression,
    )
    close(data, (1 - inks[..., :3]) * (1 - inks[..., 3:]), 0.012)


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize("step", [256, 257, 1], ids=["high byte", "both bytes", "8-bit colours"])
def test_palettes(bits, step):
    count = 2**bits
    table = np.stack([np.arange(count), np.arange(count)[::-1], np.arange(count) * 7]) % 256
    indices = np.rint(grey() * (count - 1)).astype(np.uint16)
    raw = packed(indices / (count - 1), bits)
    tags = {258: bits, 262: 3, 320: tuple(int(value) for value in (table * step).ravel())}
    close(by_hand(raw, tags, ">"), table.T[indices] / 255, 0)


def test_a_palette_that_is_too_short():
    raw = packed(grey(), 16)
    with pytest.raises(UnreadableImageError, match="palette"):
        upright(by_hand(raw, {258: 16, 262: 3, 320: (0,) * 3 * 1000}, ">"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_orientation(orientation, kind):
    stored = whole(colours(), kind)
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = stored if kind == "u1" else stored >> 8
    image = Image.fromarray(expected.astype(np.uint8))
    stream = BytesIO()
    image.save(stream, "PNG", exif=exif)
    data = written(stored, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    close(data, shown(stream.getvalue()))


def test_a_profile_is_followed_at_every_depth():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = bytearray(profile)
    for index in range(struct.unpack_from(">I", data, 128)[0]):
        tag, start, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if tag in (b"rTRC", b"gTRC", b"bTRC"):  # as linear light
            data[start : start + size] = struct.pack(">4sIIH", b"curv", 0, 1, 256).ljust(
                size, b"\0"
            )
    flat = np.full((HEIGHT, WIDTH, 3), 55 / 255)
    for kind in ("u1", "u2", "f4"):
        close(
            written(whole(flat, kind), photometric="rgb", iccprofile=bytes(data)),
            np.full((HEIGHT, WIDTH, 3), 128 / 255),
            0.009,
        )


def test_the_first_of_many_pages():
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as file:
        for factor in (1.0, 0.5):
            file.write(whole(grey() * factor, "u2"), photometric="minisblack")
    close(stream.getvalue(), grey())


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("order", "<>")
def test_files_for_four_gigabytes_and_more(kind, order):
    options = {"bigtiff": True, "byteorder": order}
    close(written(whole(colours(), kind), photometric="rgb", **options), colours())


def test_tiles_that_are_listed_as_strips():
    data = written(whole(colours(), "u1"), photometric="rgb", tile=(16, 32))
    for old, new in ((324, 273), (325, 279)):
        entry = struct.pack("<HH", old, 4 if old == 324 else 3)
        entry = entry if entry in data else struct.pack("<HH", old, 4)
        data = data.replace(entry, struct.pack("<H", new) + entry[2:])
    close(data, colours())


def test_odd_kinds_of_alpha():
    values = whole(np.stack([grey(), grey()[::-1]], 2), "u1")
    tags = {258: (8, 8), 277: 2, 338: 999}
    close(by_hand(values, tags), np.stack([grey(), grey()[::-1]], 2))


@pytest.mark.parametrize("kind", ["i1", "i2"])
def test_signed_numbers(kind):
    values = whole(grey(), kind)
    close(written(values), grey(), 0.007)  # 7 bits are not many
    values[2, 3] = -1
    with pytest.raises(UnreadableImageError, match="has grey values from -1"):
        upright(written(values))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd"])
@pytest.mark.parametrize("predictor", [1, 2])
def test_what_pillow_packs(compression, predictor):
    """Packings that tifffile alone does not know."""
    values = whole(grey(), "u2")
    stream = BytesIO()
    options = {"compression": compression, "tiffinfo": {317: predictor, 278: 8}}
    if compression == "packbits" and predictor == 2:
        return
    Image.fromarray(values).save(stream, "TIFF", **options)
    close(stream.getvalue(), grey())
    inverted = bytearray(stream.getvalue())
    entry = inverted.index(struct.pack("<HHI", 262, 3, 1))
    inverted[entry + 8] = 0  # white is zero
    close(bytes(inverted), 1 - grey())


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)], ids=["strips", "tiles"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_strips_are_unpacked_in_batches(planes, tile, compression, monkeypatch):
    """Pillow refuses images of many pixels, and takes the bytes of a large scan for such."""
    values = whole(colours(), "u2")
    data = written(
        values if planes == "contig" else values.transpose(2, 0, 1),
        photometric="rgb",
        planarconfig=planes,
        compression=compression,
        tile=tile,
        rowsperstrip=None if tile else 5,
    )
    for batch in (1, 4000, 10_000):
        monkeypatch.setattr(tiff_samples, "BATCH", batch)
        monkeypatch.setattr(tiff_samples, "BAND", batch)
        close(data, colours())
    monkeypatch.setattr(tiff_samples, "LARGEST_STRIP", 100)
    if compression:
        with pytest.raises(UnreadableImageError, match="smaller ones"):
            upright(data)


@pytest.mark.parametrize("high", [1.2, 2.0, 15.0, 300.0, -0.1, np.nan, np.inf])
@pytest.mark.parametrize("count", [1, 3])
def test_floats_of_unknown_range_are_refused(high, count):
    values = grey() if count == 1 else colours()
    values = values.astype(np.float32)
    values[5, 7] = high
    photometric = "minisblack" if count == 1 else "rgb"
    with pytest.raises(UnreadableImageError, match="has grey values from"):
        upright(written(values, photometric=photometric))


def test_alpha_that_is_no_number():
    values = colours(4).astype(np.float64)
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    values[3, 4, 3] = np.nan
    with pytest.raises(UnreadableImageError, match="has grey values from nan"):
        upright(written(values, **options))
    values[3, 4, 3] = np.inf  # more than opaque
    assert upright(written(values, **options)).getpixel((4, 3))[3] == 255


def test_floats_may_overshoot_a_little():
    values = grey() * 1.002 - 0.001
    close(written(values.astype(np.float32)), grey())
    close(written((255 * values).astype(np.float32)), grey())


def test_floats_to_255():
    close(written((colours() * 255).astype(np.float32), photometric="rgb"), colours())
    values = colours(4).astype(np.float32)
    values[..., :3] *= 255
    close(written(values, photometric="rgb", extrasamples=["unassalpha"]), colours(4))


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({258: (5, 6, 5), 262: 2, 277: 3}, "different depths"),
        ({258: 16, 262: 8}, "colour space"),
        ({258: 16, 262: 32803}, "raw photograph"),
        ({258: 16, 259: 34712}, "packed in a way that cannot be read"),
        ({258: 16, 339: 5}, "numbers of an uncommon form"),
        ({258: 8, 339: 3}, "numbers of an uncommon form"),
        ({258: 16, 262: 2}, "damaged"),
        ({258: (8, 8, 8), 262: 6, 277: 3, 530: (2, 2)}, "YCbCr"),
        ({258: 16, 256: 0}, "has no size"),
        ({258: (8,) * 3, 277: 3, 278: 10}, "truncated"),
        ({258: (8,) * 3, 277: 3, 256: 20}, "does not say which of them are colours"),
        ({258: (8,) * 4, 262: 8, 277: 4, 256: 20}, "of a kind that cannot be read"),
        ({258: 16, 277: 2**31}, "damaged"),
        ({258: 16, 273: 2**31}, "truncated"),
        ({258: 16, 257: 10**6}, "truncated"),
        ({258: 8, 257: 10**6}, "truncated"),
        ({258: 8, 257: 10**8, 278: 1}, "truncated"),
        ({258: 16, 278: 1}, "truncated"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(tags, reason):
    # As much data as half of RGB: not enough for it, and enough for subsampled colours.
    raw = bytes(range(256)) * (HEIGHT * WIDTH * 2 // 256 + 1)
    with pytest.raises(UnreadableImageError, match=reason) as refused:
        upright(by_hand(None, tags, raw=raw))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_files_that_are_cut_off(cut, compression, kind):
    stream = BytesIO()
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH, 3))
    tifffile.imwrite(stream, whole(noise, kind), photometric="rgb", compression=compression)
    data = stream.getvalue()
    with pytest.raises(UnreadableImageError):
        decode(data[: int(cut * len(data))], Frame(8, 8))


def test_a_strip_that_is_missing_is_not_black():
    """One strip of one row, and 134 million rows: 2.6 GB and 15 seconds, once."""
    raw = bytes(3)
    data = by_hand(None, {256: 1, 257: 134_228_553, 258: (8,) * 3, 262: 2, 277: 3, 278: 1}, raw=raw)
    with pytest.raises(UnreadableImageError, match="truncated"):
        decode(data, Frame(8, 8))


@pytest.mark.parametrize(
    ("mode", "packing"),
    [("YCbCr", "tiff_adobe_deflate"), ("YCbCr", "lzma"), ("1", "group4")],
)
def test_damage_that_libtiff_reports_and_goes_on_from_is_refused(mode, packing):
    """Where it converts colours itself, and for faxes, it calls half an image a success."""
    coarse = np.random.default_rng(0).integers(0, 255, (60, 64, 3), np.uint8)
    stream = BytesIO()
    Image.fromarray(coarse).resize((200, 180)).convert(mode).save(
        stream, "TIFF", compression=packing
    )
    data, refused = stream.getvalue(), 0
    upright(data)
    chance = random.Random(0)
    for _ in range(60):
        damaged = bytearray(data)
        damaged[chance.randrange(150, len(data) - 250)] ^= 1 << chance.randrange(8)
        try:
            upright(bytes(damaged))
        except UnreadableImageError:
            refused += 1
    assert refused > 50

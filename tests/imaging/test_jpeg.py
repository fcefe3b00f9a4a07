"""JPEG files: lossless ones, broken notes of cameras, and kinds that are refused with a reason."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ganvas.imaging import Frame, UnreadableImageError, decode, upright

HEIGHT, WIDTH = 120, 200


def scene():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x, 2 * y, 255 - x], 2).astype(np.uint8)


def written(**options):
    stream = BytesIO()
    Image.fromarray(scene()).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def lossless(pixels, precision=8):
    """A lossless JPEG (ITU-T T.81, annex H): each sample as a difference to its left neighbour.

    Every difference has a code of its own length class of 8 bits, which keeps the table simple.
    """
    height, width, channels = pixels.shape
    samples = pixels.astype(int)
    left = np.empty_like(samples)
    left[:, 1:] = samples[:, :-1]
    left[1:, 0] = samples[:-1, 0]  # the first of a row is told by the one above it
    left[0, 0] = 2 ** (precision - 1)
    bits = []
    for difference in (samples - left).ravel().tolist():
        size = abs(difference).bit_length()
        bits.append(f"{size:08b}")  # the code of class `size` is its own number
        if size:
            value = difference if difference > 0 else difference + 2**size - 1
            bits.append(f"{value:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    names = range(1, channels + 1)
    table = bytes([0]) + bytes([0] * 7 + [precision + 1] + [0] * 8) + bytes(range(precision + 1))
    frame = struct.pack(">BHHB", precision, height, width, channels)
    frame += b"".join(bytes([name, 0x11, 0]) for name in names)
    scan = bytes([channels]) + b"".join(bytes([name, 0]) for name in names) + bytes([1, 0, 0])
    adobe = segment(0xEE, b"Adobe" + bytes([0, 100, 0, 0, 0, 0, 0]))  # the colours are RGB
    parts = [adobe, segment(0xC3, frame), segment(0xC4, table), segment(0xDA, scan)]
    return b"\xff\xd8" + b"".join(parts) + data + b"\xff\xd9"


@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_files(channels):
    pixels = scene()[..., :channels]
    data = lossless(pixels)
    assert (np.asarray(upright(data)).reshape(pixels.shape) == pixels).all()
    stream = BytesIO()
    Image.fromarray(pixels.squeeze()).save(stream, "PNG")
    for frame in (Frame(8, 8), Frame(60, 100, 1), Frame(16, 16, 3, "pad")):
        assert (decode(data, frame) == decode(stream.getvalue(), frame)).all()


def test_lossless_files_that_are_damaged():
    data = lossless(scene())
    with pytest.raises(UnreadableImageError, match="truncated"):
        decode(data[: len(data) // 2], Frame(8, 8))
    with pytest.raises(UnreadableImageError, match="12 bits a colour instead of 8: save it"):
        decode(lossless(scene(), 12), Frame(8, 8))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_grey_where_pixels_are_missing_is_no_image(mode, options, share):
    """Programs that rescue photographs mark an end where the data ends."""
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    stream = BytesIO()
    Image.fromarray(noise).convert(mode).save(stream, "JPEG", **options)
    sound = stream.getvalue()
    start = sound.index(b"\xff\xda") + 14
    end = start + int(share * (len(sound) - start))
    cut = sound[: end - 1 if sound[end - 1] == 0xFF else end] + b"\xff\xd9"
    assert upright(sound)
    for read in (
        upright,
        lambda data: decode(data, Frame(9, 15)),
        lambda d: decode(d, Frame(60, 90)),
    ):
        with pytest.raises(UnreadableImageError, match="truncated"):
            read(cut)


@pytest.mark.parametrize("kind", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_wherever_a_photograph_is_cut_it_is_the_whole_one_or_none(kind):
    """One plain to the foot, with details above: what is missing may be guessed, but is not."""
    drawing = np.tile(scene(), (4, 3, 1))[:97, :131].copy()
    drawing[60:] = (30, 90, 200)
    stream = BytesIO()
    Image.fromarray(drawing).save(stream, "JPEG", **kind)
    sound = stream.getvalue()
    whole, start = np.asarray(upright(sound)), sound.index(b"\xff\xda") + 14
    refused = 0
    for end in range(start, len(sound) - 2, 23):
        try:
            seen = np.asarray(upright(sound[:end].rstrip(b"\xff") + b"\xff\xd9"))
        except (UnreadableImageError, OSError):
            refused += 1
        else:
            assert (seen == whole).all(), end
    assert refused > 20


def test_a_photograph_without_one_of_its_channels_is_truncated():
    sound = written(progressive=True)
    second = sound.index(b"\xff\xc4", sound.index(b"\xff\xda"))
    with pytest.raises(UnreadableImageError, match="truncated"):
        upright(sound[:second] + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_grey_pixels_are_no_damage(mode):
    for kind in ({}, {"progressive": True}):
        stream = BytesIO()
        grey = Image.new(mode, (WIDTH, HEIGHT), (128,) * 4 if mode == "CMYK" else "#808080")
        grey.save(stream, "JPEG", **kind)
        assert upright(stream.getvalue()).size == (WIDTH, HEIGHT)
        assert decode(stream.getvalue() + b"more", Frame(9, 15)).shape == (9, 15, 3)


@pytest.mark.parametrize(
    "broken",
    [
        segment(0xE0, b""),
        segment(0xE0, b"JFIF\0\1"),
        segment(0xE0, b"JFXX\0\x10"),
        segment(0xE1, b"Exif\0\0"),
        segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff"),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<nonsense"),
        segment(0xE2, b"ICC_PROFILE\0"),
        segment(0xE2, b"ICC_PROFILE\0\1\2" + bytes(40)),
        segment(0xE2, b"ICC_PROFILE\0\1\1nonsense"),
        segment(0xE2, b"MPF\0nonsense"),
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff"),
        segment(0xE2, b"FPXR\0"),
        segment(0xED, b"Photoshop 3.0\x008BIM"),
        segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0\0\0\2\0\0"),
        segment(0xED, b"Photoshop 3.0\x008BIM\4\4\xff"),
        segment(0xEE, b"Adobe"),
        segment(0xFE, b""),
        segment(0xFE, bytes(65000)),
        segment(0xE9, bytes(65000)) * 50,
        b"\xff\xff\xff",
    ],
    ids=lambda data: repr(bytes(data[3:30]))[2:-1],
)
def test_broken_notes_never_refuse_a_sound_image(broken):
    for options in ({}, {"progressive": True}):
        sound = written(**options)
        for data in (sound[:2] + broken + sound[2:], sound[:20] + broken + sound[20:]):
            assert (np.asarray(upright(data)) == np.asarray(upright(sound))).all()
            frame = Frame(12, 20)
            assert (decode(data, frame) == decode(sound, frame)).all()


def test_exif_and_profiles_are_still_followed():
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = np.asarray(upright(written(exif=exif)))
    assert np.abs(turned.astype(int) - np.rot90(scene(), 2)).max() < 12
    xmp = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="3"/>')
    assert (np.asarray(upright(written()[:2] + xmp + written()[2:])) == turned).all()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = profile + np.random.default_rng(0).bytes(3 * 2**20)  # in many segments
    large = struct.pack(">I", len(large)) + large[4:]
    shown = np.asarray(upright(written(icc_profile=large)))
    assert np.abs(shown.astype(int) - np.asarray(upright(written()))).max() <= 1


@pytest.mark.parametrize(
    ("marker", "reason"),
    [(0xC5, "SOF5"), (0xCB, "SOF11"), (0xCF, "SOF15")],
)
def test_kinds_that_nobody_reads(marker, reason):
    data = written().replace(b"\xff\xc0", bytes([0xFF, marker]))
    with pytest.raises(UnreadableImageError, match=reason):
        decode(data, Frame(8, 8))


def test_jpeg_ls_is_named():
    with pytest.raises(UnreadableImageError, match="JPEG-LS"):
        upright(b"\xff\xd8\xff\xf7\0\x0b" + bytes(40))


def test_the_first_of_two_photographs():
    """Cameras with two lenses write both into one file (MPO)."""
    stream = BytesIO()
    first, second = Image.fromarray(scene()), Image.fromarray(255 - scene())
    first.save(stream, "MPO", save_all=True, append_images=[second], quality=95)
    shown = np.asarray(upright(stream.getvalue()))
    assert np.abs(shown.astype(int) - scene()).max() < 12
    assert decode(stream.getvalue(), Frame(6, 10)).shape == (6, 10, 3)


@pytest.mark.parametrize("often", [{"restart_marker_blocks": n} for n in (1, 4, 7)])
@pytest.mark.parametrize("kept", [0.4, 0.5, 0.8])
def test_a_photograph_that_starts_anew_and_is_cut_off_is_truncated(often, kept):
    """Cameras write marks at which coding starts anew, and rescuers an end."""
    coarse = np.random.default_rng(0).integers(30, 225, (12, 10, 3), np.uint8)
    stream = BytesIO()
    image = Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8)))
    image.save(stream, "JPEG", quality=92, **often)
    data = stream.getvalue()
    upright(data)
    with pytest.raises(UnreadableImageError, match="is truncated"):
        upright(data[: int(kept * len(data))] + b"\xff\xd9")

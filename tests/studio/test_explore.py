"""A plane of latents: whole points are seeds, images between them change evenly, films close."""

import io
import json
import struct
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from starlette.websockets import WebSocketDisconnect

import ganvas
from ganvas.imaging.tensors import to_bytes
from ganvas.models import UnsuitableOptionError
from ganvas.studio.explorer import FAR, Place, corners, image_at, latent_at, seed_at

ORIGIN = {"origin": "http://127.0.0.1:8600"}
SOCKET = "ws://127.0.0.1:8600"


@pytest.fixture(scope="module")
def digits():
    return ganvas.load("builtin:digits")


@pytest.fixture(scope="module")
def styles(tmp_path_factory, copy_of_run):
    flags = ("--model", "stylegan", "--size", "16", "--width", "4", "--latent", "8")
    place = tmp_path_factory.mktemp("styles") / "run"
    return ganvas.load(copy_of_run(place, *flags, "--batch", "4", "--images", "8"))


def test_every_whole_point_has_a_seed_of_its_own():
    seeds = {seed_at(x, y) for x in range(-30, 31) for y in range(-30, 31)}
    assert len(seeds) == 61**2
    assert min(seeds) == seed_at(0, 0) == 0
    ends = [seed_at(x, y) for x in (-FAR, FAR + 1) for y in (-FAR, FAR + 1)]
    assert len({*ends}) == 4


@pytest.mark.parametrize("point", [(0, 0), (3, -2), (-7, 5)])
def test_the_image_of_a_whole_point_is_that_of_its_seed(digits, point):
    expected = to_bytes(digits.generate([seed_at(*point)]))[0]
    np.testing.assert_array_equal(image_at(digits, Place(*map(float, point))), expected)


def test_latents_between_seeds_change_evenly_and_keep_their_length(digits):
    size = digits.generator.latent
    ends = digits.latents([seed_at(0, 0), seed_at(1, 0)])[:, :size]
    walk = [latent_at(digits, Place(x / 8, 0.0))[0, :size] for x in range(9)]
    torch.testing.assert_close(walk[0], ends[0])
    torch.testing.assert_close(walk[8], ends[1])
    angles = [torch.cosine_similarity(a, b, dim=0) for a, b in pairwise(walk)]
    torch.testing.assert_close(torch.stack(angles), angles[0].expand(8), rtol=1e-3, atol=1e-3)
    low, high = sorted(ends.norm(dim=1))
    assert all(low - 1e-3 <= latent.norm() <= high + 1e-3 for latent in walk)


def test_the_shares_of_the_seeds_around_a_point_add_up():
    for x, y in ((0.25, -0.5), (3.0, 0.5), (-2.0, 7.0)):
        around = corners(Place(x, y))
        assert sum(share for _, share in around) == pytest.approx(1)
        assert len(around) == 2 ** ((x % 1 > 0) + (y % 1 > 0))


def test_styles_are_truncated_and_mixed_layer_by_layer(styles):
    whole = Place(1.0, 2.0)
    seed, other = seed_at(1, 2), 77
    np.testing.assert_array_equal(
        image_at(styles, Place(1.0, 2.0, truncation=0.5)), to_bytes(styles.generate([seed], 0.5))[0]
    )
    layers = styles.styles([0]).shape[1]
    everything = Place(1.0, 2.0, mixed=other, layers=tuple(range(layers)))
    theirs = to_bytes(styles.generate([other]))[0]
    np.testing.assert_array_equal(image_at(styles, everything), theirs)
    nothing = Place(1.0, 2.0, mixed=other)
    np.testing.assert_array_equal(image_at(styles, nothing), image_at(styles, whole))
    mixed = styles.styles([seed]).clone()
    mixed[:, [0]] = styles.styles([other])[:, [0]]
    np.testing.assert_array_equal(
        image_at(styles, Place(1.0, 2.0, mixed=other, layers=(0,))),
        to_bytes(styles.from_styles(mixed))[0],
    )
    with pytest.raises(UnsuitableOptionError, match="layers 0 to"):
        image_at(styles, Place(mixed=1, layers=(layers,)))


def test_a_generator_without_styles_has_no_truncation(digits):
    with pytest.raises(UnsuitableOptionError):
        image_at(digits, Place(truncation=0.5))


def test_what_can_be_explored(client, one):
    found = client.get("/api/explore").json()
    assert [source["id"] for source in found[:2]] == ["digits", "emoji"]
    assert {source["name"] for source in found[2:]} == {"one", "<b>two</b>"}
    about = client.get("/api/explore/digits").json()
    assert (about["height"], about["layers"], about["classes"]) == (32, 0, [])
    assert client.get(f"/api/explore/{one[0]}").json()["height"] == 16
    assert client.get("/api/explore/0123456789abcdef").status_code == 404
    assert client.get("/api/explore/..").status_code in (404, 422)


def test_a_kept_image_says_how_it_was_made(client):
    point = {"x": 0.5, "y": -2.0}
    answer = client.post("/api/explore/digits/image", json=point, headers=ORIGIN)
    with Image.open(io.BytesIO(answer.content)) as image:
        stated = json.loads(image.text["ganvas.explore"])
        assert image.size == (32, 32)
        assert image.text["ganvas.seeds"] == f"{seed_at(0, -2)},{seed_at(1, -2)}"
    assert stated == {
        "x": 0.5, "y": -2.0, "truncation": 1.0, "label": None, "mixed": None, "layers": [],
        "source": "digits",
    }  # fmt: skip


def test_a_film_comes_back_to_where_it_began(client):
    points = [{"x": 0.0, "y": 0.0}, {"x": 2.0, "y": 1.0}]
    answer = client.post("/api/explore/digits/film", json=points, headers=ORIGIN)
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.n_frames == 48
        frames = [np.asarray(frame.convert("L"), float) for frame in ImageSequence.Iterator(film)]
    apart = [np.abs(frame - frames[0]).mean() for frame in frames]
    assert apart[-1] < max(apart) / 2, "its last image is close to the first"


@pytest.mark.parametrize(
    "content",
    [
        {"x": 1e9}, {"x": None}, {"x": "a"}, {"y": -500.5}, {"truncation": 3}, {"layers": [-1]},
        {"layers": [0] * 65}, {"mixed": -1}, {"label": "x" * 201}, {"z": 1}, [], "x",
    ],
)  # fmt: skip
def test_points_that_are_none_are_refused(client, content):
    answer = client.post("/api/explore/digits/image", json=content, headers=ORIGIN)
    assert answer.status_code == 422
    film = client.post("/api/explore/digits/film", json=[content, content], headers=ORIGIN)
    assert film.status_code == 422


def test_what_a_model_lacks_is_said(client):
    for content in ({"truncation": 0.5}, {"label": "cat"}, {"mixed": 1, "layers": [0]}):
        answer = client.post("/api/explore/digits/image", json=content, headers=ORIGIN)
        assert answer.status_code == 409
        assert answer.json()["sentence"]


def test_images_follow_points_over_a_socket(client, digits):
    with client.websocket_connect(f"{SOCKET}/api/explore/digits/live", headers=ORIGIN) as socket:
        socket.send_json({"x": 1.0, "id": 7})
        number, width, height = struct.unpack_from("<IHH", data := socket.receive_bytes())
        assert (number, width, height) == (7, 32, 32)
        pixels = np.frombuffer(data, np.uint8, offset=8).reshape(32, 32, 4)
        expected = image_at(digits, Place(1.0, 0.0))
        np.testing.assert_array_equal(pixels[..., :1], expected)
        assert (pixels[..., 3] == 255).all()
        for nonsense in ("", "{", "null", '{"x": 1e9}', "x" * 10_000):
            socket.send_text(nonsense)
            assert "no point" in socket.receive_json()["sentence"]
        socket.send_json({"truncation": 0.5})
        assert socket.receive_json()["sentence"]
        socket.send_json({"x": 0.5, "id": 8})
        assert struct.unpack_from("<I", socket.receive_bytes())[0] == 8


@pytest.mark.parametrize("source", ["0123456789abcdef", "nothing", "%2e"])
def test_nobody_explores_what_is_not_there(client, source):
    place = f"{SOCKET}/api/explore/{source}/live"
    with (
        client.websocket_connect(place, headers=ORIGIN) as socket,
        pytest.raises(WebSocketDisconnect) as refused,
    ):
        socket.receive_json()
    assert refused.value.code == 4404

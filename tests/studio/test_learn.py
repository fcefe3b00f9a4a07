"""The page Learn: its questions are those of the notebooks, its style transfer is the product's."""

import json
import struct

import numpy as np
import pytest
import torch

from ganvas.imaging.tensors import to_floats
from ganvas.lesson.questions import LANGUAGES, question, questions
from ganvas.pretrained.examples import example
from ganvas.runtime.validation import SettingsError
from ganvas.studio import small_style
from ganvas.studio.api.learn import AFTER, BEFORE

ORIGIN = {"origin": "http://127.0.0.1:8600"}
SOCKET = "ws://127.0.0.1:8600/api/learn/style"


@pytest.fixture(autouse=True)
def few_iterations(monkeypatch):
    monkeypatch.setattr(small_style, "ITERATIONS", 12)
    monkeypatch.setattr(small_style, "SIDE", 32)
    small_style._scene.cache_clear()
    yield
    small_style._scene.cache_clear()


@pytest.fixture
def answer(client):
    def send(language, name, given):
        place = f"/api/learn/questions/{language}/{name}"
        return client.post(place, json={"answer": given}, headers=ORIGIN)

    return send


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_is_asked_and_takes_its_answer(client, answer, language):
    asked = client.get(f"/api/learn/questions/{language}").json()
    names = [one["name"] for when in ("before", "after") for one in asked[when]]
    assert names == [*BEFORE, *AFTER]
    assert set(names) <= set(questions(language))
    for one in asked["before"] + asked["after"]:
        known = question(one["name"], language)
        assert one["asks"] == known.asks
        said = answer(language, known.name, known.shown.get(known.answer, str(known.answer)))
        assert said.json()["right"] is True, known.name
        assert said.json()["because"] == known.because


def test_no_question_needs_the_run_of_a_notebook():
    sentences = [question(name, "en").asks for name in (*BEFORE, *AFTER)]
    assert not [asks for asks in sentences if "this run" in asks or "Which run" in asks]


def test_answers_are_read_as_in_the_notebooks(answer):
    assert answer("en", "loss-of-guessing", "log 2").json()["right"] is True
    assert answer("en", "loss-of-guessing", "0.5").json()["right"] is False
    assert answer("en", "number-of-networks", "two").json()["right"] is True
    wrong = answer("en", "gan-stands-for", "great art now").json()
    assert wrong["right"] is False
    assert wrong["answer"] == "generative adversarial network"
    assert (
        answer("en", "second-step", "generator and discriminator, or not").json()["right"] is None
    )
    assert answer("kn", "number-of-networks", "ಎರಡು").json()["right"] is True


def test_what_is_not_asked_is_refused(client, answer):
    assert client.get("/api/learn/questions/de").status_code == 404
    assert answer("en", "no-such-question", "x").status_code == 404
    assert answer("en", "freezing", "x" * 201).status_code == 422
    assert client.get("/api/learn/pictures/secret").status_code == 404
    assert client.get("/api/learn/pictures/painting").headers["content-type"] == "image/jpeg"


def followed(socket, iterations):
    """Losses of each iteration, and the last image."""
    losses = []
    for number in range(1, iterations + 1):
        said = socket.receive_json()
        losses.append(said)
        assert said["iteration"] == number
        sent = socket.receive_bytes()
        shown, width, height = struct.unpack("<IHH", sent[:8])
        assert shown == number
    image = np.frombuffer(sent[8:], np.uint8).reshape(1, height, width, 4)
    return losses, to_floats(torch.tensor(image[..., :3])) / 2 + 0.5


def test_all_three_losses_fall(client):
    with client.websocket_connect(SOCKET, headers=ORIGIN) as socket:
        socket.send_text("{}")
        losses, _ = followed(socket, 12)
    for name in ("content", "style", "variation"):
        assert losses[-1][name] < losses[0][name]
    assert {said["iterations"] for said in losses} == {12}


def test_content_alone_comes_from_the_photograph(client):
    """From the photograph itself, with its content alone, there is nothing to change."""
    with client.websocket_connect(SOCKET, headers=ORIGIN) as socket:
        wanted = {"content": 1, "style": 0, "variation": 0, "start": "content"}
        socket.send_text(json.dumps(wanted))
        losses, image = followed(socket, 12)
    assert losses[0]["content"] < 1e-6
    assert (losses[0]["style"], losses[0]["variation"]) == (0, 0)
    assert (image - example("moose", 32)).abs().max() < 0.1


def test_newer_weights_start_another_one(client):
    with client.websocket_connect(SOCKET, headers=ORIGIN) as socket:
        socket.send_text(json.dumps({"style": 0}))
        assert socket.receive_json()["iteration"] == 1
        socket.receive_bytes()
        socket.send_text(json.dumps({"content": 0, "variation": 0}))
        for _ in range(12):
            said = socket.receive_json()
            socket.receive_bytes()
            if said["iteration"] == 1:
                break
        assert said["iteration"] == 1
        assert said["content"] == said["variation"] == 0 < said["style"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"content": -1}', '{"style": NaN}', '{"start": "x"}', '{"more": 1}']
)
def test_nonsense_is_answered_with_a_sentence(client, text):
    with client.websocket_connect(SOCKET, headers=ORIGIN) as socket:
        socket.send_text(text)
        assert socket.receive_json() == {"sentence": "these are no weights."}
        socket.send_text(json.dumps({"content": 0, "style": 0, "variation": 0}))
        assert "all three weights are 0" in socket.receive_json()["sentence"]
        socket.send_text("{}")
        assert socket.receive_json()["iteration"] == 1


def test_a_transfer_needs_a_weight():
    with pytest.raises(SettingsError, match="all three weights are 0"):
        small_style.transfer(small_style.Weights(0, 0, 0))

"""Answers are read by what they mean: ten spellings of each right one, and wrong ones."""

from fractions import Fraction

import pytest

from ganvas.lesson import check, language
from ganvas.lesson.answers import choice, number, words
from ganvas.lesson.questions import (
    LANGUAGES,
    UnknownLanguageError,
    messages,
    question,
    questions,
)
from ganvas.registry import UnknownNameError

YES = ["yes", "Yes", "YES.", "y", "True", True, "true", "yes, it can", "“yes”", "ಹೌದು", "Correct"]
NO = ["no", "No", "NO!", "n", False, "false", "no, not at all", "It does not", "`no`", "ಇಲ್ಲ"]
SPELLINGS: dict[str, list[object]] = {
    "generator-output": [
        "image", "Image", "IMAGE", "images", "an image", "An image.", " image ", "'image'",
        "a picture", "Pictures", "photograph", "ಚಿತ್ರ", "It is an image",
    ],
    "gan-stands-for": [
        "generative adversarial network", "Generative Adversarial Network",
        "generative adversarial networks", "Generative Adversarial Nets",
        "Generative-adversarial network", "a generative adversarial network",
        "GENERATIVE ADVERSARIAL NETWORK.", "generative  adversarial\tnetwork",
        "GAN: generative adversarial network(s)", "*Generative* Adversarial Network",
        "ಜನಕ ಪ್ರತಿಸ್ಪರ್ಧಿ ಜಾಲ",
    ],
    "number-of-networks": [
        2, 2.0, "2", "two", "Two", "two networks", "2 networks", "It trains two.", "2.", "೨",
        "ಎರಡು",
    ],
    "freezing": NO,
    "loss-of-guessing": [
        0.69, "0.69", "0,69", ".69", 0.693, "0.6931", "about 0.69", "log 2", "ln 2", "Log(2)",
        "-log(1/2)", "≈ 0.69", "\u0ce6.೬೯",
    ],
    "loss-reaches-0": NO,
    "clusters": [
        "both are as fast", "Both are as fast", "both as fast", "Both", "both are as fast.",
        "BOTH ARE AS FAST", "equally fast", "the run where both are as fast", "second",
        "both-as-fast", "ಎರಡೂ ಸಮಾನ ವೇಗ",
    ],
    "batch-normalisation": YES,
    "problems": [
        "both", "Both", "BOTH", "both of them", "both problems", "both.", "“both”",
        "all", "balance and sensitivity", "sensitivity and balance", "It has both", "ಎರಡೂ",
    ],
    "healthy-losses": [
        "oscillate", "Oscillate", "oscillates", "they oscillate", "swing", "they swing.", "SWINGS",
        "fluctuate", "go up and down", "They go up and down", "ಏರಿಳಿಯುತ್ತವೆ",
    ],
    "second-step": [
        "generator", "Generator", "the generator", "The generator.", "generators", "GENERATOR",
        "'generator'", "It is the generator", "**generator**", "the generator network", "ಜನಕ",
    ],
    "variety": [
        "discriminator", "Discriminator", "the discriminator", "discriminators", "DISCRIMINATOR!",
        "The discriminator.", "it's the discriminator", "the discriminator network",
        "_discriminator_", " discriminator", "ವಿವೇಚಕ",
    ],
    "convolutions": [
        "both", "Both", "both parts", "both networks", "generator and discriminator",
        "the generator and the discriminator", "BOTH", "both of the networks", "Both.", '"both"',
        "ಎರಡರಲ್ಲೂ",
    ],
    "footprint": [
        16, 16.0, "16", "sixteen", "Sixteen", "16 pixels", "sixteen pixels.", "4 x 4", "4x4",
        "4 \u00d7 4", "four by four", "೧೬", "ಹದಿನಾರು",
    ],
    "nearer-to-chance": [
        "with", "With", "with augmentation", "the run with augmentation", "augmented",
        "the augmented run", "With augmentation.", "the one with augmentation", "WITH", "“with”",
        "ಇರುವುದು",
    ],
    "doublings": [
        3, 3.0, "3", "three", "Three", "three times", "3 times", "Three times.", "3 doublings", "೩",
        "ಮೂರು",
    ],
    "what-changes": [
        "image", "the image", "Image", "the pixels", "pixels", "pixels of the image", "picture",
        "the canvas", "IMAGE", "The image.", "ಚಿತ್ರ",
    ],
    "exact-layer": [
        "relu1_1", "ReLU1_1", "relu1-1", "relu 1 1", "RELU1_1.", "`relu1_1`", "layer relu1_1",
        "first", "the first layer", "the shallowest", "ಮೊದಲ ಪದರ",
    ],
    "variation": [
        "less", "Less", "LESS", "less.", "they differ less", "'less'", "less than before", "Less!",
        "They differ less", "“less”", "ಕಡಿಮೆ",
    ],
    "hundred-images": [
        "few", "Few", "few.", "FEW", "too few", "a few", "they are few", "not enough", "“few”",
        "Too few!", "ಕಡಿಮೆ",
    ],
    "unusable-files": [
        2, "2", "two", "Two", "two files", "2 files", "TWO", "2.0", "Two of them", "೨", "ಎರಡು",
    ],
    "growing-starts": [
        4, "4", "four", "Four", "4 pixels", "four pixels", "4.0", "FOUR", "with 4", "೪", "ನಾಲ್ಕು",
    ],
    "coarse-styles": [
        "A", "a", "image A", "Image a", "from A", "From image A.", "'A'", "from image A", "it is A",
        "A.", "A ಚಿತ್ರ",
    ],
    "truncation": [
        "less", "Less", "LESS.", "they differ less", "'less'", "images that differ less", "less ",
        "Less!", "(less)", "“less”", "ಕಡಿಮೆ",
    ],
    "blurred": [
        "VAE", "vae", "the VAE", "those of the VAE", "The VAE's", "VAEs", "Those of the VAE.",
        "autoencoder", "variational autoencoder", "the variational autoencoder", "“VAE”",
    ],
}  # fmt: skip
WRONG: dict[str, list[object]] = {
    "generator-output": ["video", "a sound", "a text", "image or sound", "not an image", ""],
    "gan-stands-for": ["GAN", "generative network", "adversarial network", "general agents"],
    "number-of-networks": [3, "one", "2 or 3", True, "many", "22", "-2", "twenty-two"],
    "freezing": YES,
    "loss-of-guessing": [0.5, "0.7", "-0.69", "69", "log 3", "half"],
    "loss-reaches-0": YES,
    "clusters": ["the generator is faster", "neither", "faster"],
    "batch-normalisation": NO,
    "problems": ["balance", "sensitivity", "none", "money"],
    "healthy-losses": ["fall", "They rise", "fall and rise", "decrease", "do not oscillate"],
    "second-step": ["discriminator", "both", "neither", "not the generator"],
    "variety": ["generator", "both", "the generator, not the discriminator"],
    "convolutions": ["generator", "the discriminator", "neither"],
    "footprint": [4, "12", "sixty", "4 x 3"],
    "nearer-to-chance": ["without", "the run without augmentation", "neither"],
    "doublings": [4, "two", "2 or 3"],
    "what-changes": ["the network", "painting", "weights", "neither"],
    "exact-layer": ["relu4_2", "relu1_2", "the last layer", "deepest"],
    "variation": ["more", "as much", "more or less"],
    "hundred-images": ["plenty", "good", "few or good"],
    "unusable-files": [1, "three", "none"],
    "growing-starts": [8, "32", "one", "4 or 8"],
    "coarse-styles": ["B", "image B", "neither"],
    "truncation": ["more", "as much"],
    "blurred": ["GAN", "those of the GAN", "neither"],
}
MEASURED = (
    "loss first last without having gap_with gap_without of_a of_b full truncated vae gan real"
)
FACTS = dict.fromkeys(MEASURED.split(), 0.5)
FACTS |= {"balanced": 8, "faster": 0, "generator": 4, "discriminator": 4, "sides": [4, 8], "few": 1}


@pytest.fixture(autouse=True, params=LANGUAGES)
def spoken(request):
    language(request.param)
    yield request.param
    language("en")


def test_every_question_has_its_spellings():
    assert SPELLINGS.keys() == WRONG.keys() == questions("en").keys() == questions("kn").keys()
    assert all(len({repr(one) for one in spelt}) >= 10 for spelt in SPELLINGS.values())


@pytest.mark.parametrize("name", SPELLINGS)
def test_ten_spellings_are_right(name, spoken):
    for answer in SPELLINGS[name]:
        told = check(name, answer, question(name).answer, **FACTS)
        assert told.right is True, f"{answer!r}: {told}"
        assert told.because in str(told)
        assert str(told).startswith(messages()["right"][:2])


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_are_not(name, spoken):
    asked = question(name)
    for answer in WRONG[name]:
        told = check(name, answer, asked.answer, **FACTS)
        assert told.right is False, f"{answer!r}: {told}"
        assert asked.asks in str(told), "the cell in which to answer"
        assert f"{answer}" in str(told)
        if asked.read(answer) is not None or asked.open:
            assert told.because in str(told), "why the right answer is right"
            assert asked.written(asked.answer) in str(told)


@pytest.mark.parametrize("name", SPELLINGS)
def test_nothing_is_not_answered_yet(name, spoken):
    told = check(name, None, question(name).answer, **FACTS)
    assert told.right is None
    assert question(name).asks in str(told)
    assert told.because not in str(told)


def test_a_wrong_name_lists_the_nearest():
    with pytest.raises(UnknownNameError, match="healthy-losses"):
        check("healty-losses", "fall", "fall")
    with pytest.raises(UnknownNameError, match="oscillate"):
        check("healthy-losses", "fall", "oscilate", first=1.0, last=1.0)
    with pytest.raises(UnknownLanguageError, match="ಕನ್ನಡ"):
        language("fr")


def test_what_a_notebook_shows_of_feedback():
    shown = check("number-of-networks", "<b>2</b> or 3", 2)._repr_mimebundle_()
    assert "<b>2</b>" in shown["text/plain"]
    assert "&lt;b&gt;2&lt;/b&gt;" in shown["text/html"], "an answer is text, not markup"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", 1000), ("1,000,000.5", 1000000.5), ("0,5", 0.5), ("1/2", 0.5), ("a half", 0.5),
        ("-3", -3), ("\u22123", -3), ("twenty-one", 21), ("twenty one", 21), ("nineteen", 19),
        ("10-20", None), ("2 of 8", None), ("", None), ("1/0", None), ("twenty 1", None),
        ("1e3", 1000), ("٣", 3), ("nan", None),
        ("1e400", None), ("1e999999999", None), ("9" * 400, None), ("1/3e999999999", None),
    ],
)  # fmt: skip
def test_numbers(text, value):
    assert number(text) == value
    assert isinstance(number(Fraction(1, 2)), float)


def test_words():
    assert words("The Classes' boxes, and a body of studies!") == (
        "class", "box", "and", "body", "of", "study",
    )  # fmt: skip
    assert words("ಚಿತ್ರಗಳು!") == ("ಚಿತ್ರಗಳು",), "vowel signs are part of a word"
    assert choice("with it", {"with": [], "without": []}) == "with"

"""run.yaml, mutated: it is read as a whole run, or refused in a sentence."""

import pytest
from hypothesis import settings

import ganvas
from ganvas.config import Request, check, resolve
from ganvas.config import yaml as run_yaml
from ganvas.config.resolve import NOMINAL
from ganvas.errors import GanvasError
from ganvas.models import MODELS

LONGEST = 500
HOSTILE = {
    "a bomb of references": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nsource: *c\n",
    "a reference to itself": "source: digits\ndata: &a {size: *a}\n",
    "a section within itself": "source: digits\nnetwork: &a {width: 4, latent: *a}\n",
    "a date that is none": "source: digits\ntraining: {seed: 2001-99-99}\n",
    "a tag that is no timestamp": "source: digits\ntraining: {seed: !!timestamp x}\n",
    "code": "source: !!python/object/apply:os.system [true]\n",
    "bytes": "source: !!binary x\n",
    "bytes as a source": "source: !!binary aGVsbG8=\n",
    "deep": "[" * 5000,
    "deep, closed": "source: " + "[" * 3000 + "]" * 3000,
    "two documents": "source: digits\n---\nsource: emoji\n",
    "numbers as names": "1: {2: 3}\nsource: digits\n",
    "a list as a name": "[1, 2]: 3\nsource: digits\n",
    "a set": "source: !!set {digits}\n",
    "no text": b"\xff\xfe\x00\x01",
    "empty": "",
    "a long number": f"source: digits\ntraining: {{seed: {'9' * 5000}}}\n",
    "infinity": "source: digits\ntraining: {budget: .inf}\n",
    "no number": "source: digits\nmodel: fc\ngame: {lr_g: .nan}\n",
    "a control character": 'source: digits\ntraining: {precision: "\\e[2J"}\n',
}


def settled(content):
    return resolve(Request.of(content), NOMINAL, 10)


def said(work):
    """The sentence of an error for people, or nothing: any other error is a failure."""
    try:
        work()
    except GanvasError as fault:
        return str(fault)
    return ""


def is_a_sentence(text):
    return text.isprintable() and len(text) < LONGEST


@pytest.mark.parametrize("model", MODELS)
def test_values(model, mutator):
    whole = settled({"source": "digits", "model": model}).as_nested()
    refused, count = 0, settings().max_examples // len(MODELS) + 1
    for number in range(count):
        content = mutator(number).tree(whole)
        if isinstance(content, dict) and all(isinstance(key, str) for key in content):
            fault = said(lambda content=content: check(Request.of(content)))
            assert is_a_sentence(fault), (number, fault[:300])
            refused += bool(fault)
    assert refused > count / 3


def test_bytes(tmp_path, mutator):
    path = tmp_path / "run.yaml"
    run_yaml.write(path, settled({"source": "digits"}))
    data = path.read_bytes()
    refused, count = 0, settings().max_examples
    for number in range(count):
        path.write_bytes(mutator(number).data(data))
        fault = said(lambda: check(Request.of(run_yaml.read_whole(path))))
        assert is_a_sentence(fault.replace(str(tmp_path), "")), (number, fault[:300])
        refused += bool(fault)
    assert refused > count / 3


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_somebody_wrote_on_purpose(kind, tmp_path):
    path = tmp_path / "run.yaml"
    content = HOSTILE[kind]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in (run_yaml.read, run_yaml.read_whole):
        fault = said(lambda read=read: check(Request.of(read(path))))
        assert fault
        assert is_a_sentence(fault.replace(str(tmp_path), "")), fault[:300]
    with pytest.raises(GanvasError):
        list(ganvas.train(out=tmp_path / "run", given={"source": content, "model": content}))

"""Compare an answer with what the code of a notebook has found."""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from ganvas.lesson.questions import Question, messages, question

MIME = "application/vnd.ganvas.answer+json"  # what a page of the site makes of it
COLOURS = {None: "#808080", True: "#4e9a06", False: "#d33"}


@dataclass(frozen=True)
class Feedback:
    """What a check says of an answer; shown where it ends a cell."""

    right: bool | None  # None while nothing is answered
    sentence: str
    name: str  # of the question
    because: str
    found: str | float  # the right answer, according to the code

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = f'<b style="color: {COLOURS[self.right]}">{escape(self.sentence)}</b>'
        return {"text/plain": self.sentence, "text/html": shown, MIME: asdict(self)}

    def __repr__(self) -> str:
        return self.sentence


def check(name: str, answer: object, found: str | float, **facts: object) -> Feedback:
    """Compare an answer to a question with what was found.

    Args:
        name: the question, as questions.yaml calls it.
        answer: None, or the learner's answer: text, a number, True or False.
        found: the right answer according to the code above: an option's name, or a number.
        facts: what the run shows, by the names that the question has for it in braces.

    Raises:
        UnknownNameError: no question has this name, or none of its options is `found`.
    """
    asked = question(name)
    because = f"{asked.because} {asked.measured.format(**facts)}".rstrip()
    right, message = _judged(asked, answer, found)
    said = {"asks": asked.asks, "because": because, "answer": f"“{answer}”"}
    said |= {"right": asked.written(found), "wanted": asked.choices or messages()["a number"]}
    return Feedback(right, messages()[message].format(**said), name, because, found)


def _judged(asked: Question, answer: object, found: str | float) -> tuple[bool | None, str]:
    """Is it right? And which message says so."""
    if answer is None:
        return None, "unanswered"
    meant = asked.read(answer)
    if meant is None:
        return False, "wrong" if asked.open else "unclear"
    right = asked.same(meant, found)
    return right, "right" if right else "wrong"

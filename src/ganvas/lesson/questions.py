"""The lesson's questions, in every language that it is taught in, and what is said of answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ganvas.errors import GanvasError
from ganvas.lesson import answers
from ganvas.registry import choose

FOLDER = Path(__file__).parent
LANGUAGES = {"en": "English", "kn": "ಕನ್ನಡ"}
_language = "en"


class UnknownLanguageError(GanvasError, ValueError):
    """A language that the lesson is not taught in."""


@dataclass(frozen=True)
class Question:
    """A question, its right answer and every way to say it."""

    name: str
    language: str
    asks: str
    answer: str | float
    """The name of an option, or a number."""
    because: str
    """Why that is right."""
    measured: str = ""
    """What a run shows of it; its facts stand in braces."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The answers to choose from, each with other ways to say it, in every language."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """The options as this language writes them."""
    open: bool = False
    """The options are not shown."""
    tolerance: float = 0.0
    also: tuple[str, ...] = ()
    """Other ways to say the number."""

    @property
    def text(self) -> str:
        """The question with its options."""
        if self.open or not self.options:
            return self.asks
        return f"{self.asks} {self.choices}"

    @property
    def choices(self) -> str:
        """The options as a list in quotation marks; empty without options."""
        if not self.shown:
            return ""
        *first, last = (f'"{name}"' for name in self.shown.values())
        return f"{', '.join(first)} {messages(self.language)['or']} {last}"

    def read(self, answer: object) -> str | float | None:
        """What an answer means: an option's name or a number; None if that is unclear."""
        if self.options:
            return answers.choice(answer, self.options)
        if answers.words(answer) in map(answers.words, self.also):
            return self.answer
        return answers.number(answer)

    def same(self, one: str | float, other: str | float) -> bool:
        """Are two answers equal, numbers within the tolerance?"""
        if isinstance(one, str) or isinstance(other, str):
            return one == other
        return abs(one - other) <= self.tolerance

    def written(self, answer: str | float) -> str:
        """An option as this language writes it, or a number."""
        if isinstance(answer, str):
            return f'"{choose("option", self.shown, answer)}"'
        return f"{answer:g}"


def language(name: str) -> None:
    """Say everything in this language from now on: en or kn. Raises UnknownLanguageError."""
    global _language
    if name not in LANGUAGES:
        known = ", ".join(f"{code} ({spoken})" for code, spoken in LANGUAGES.items())
        raise UnknownLanguageError(f"the lesson is not taught in {name!r}; choose from {known}.")
    _language = name


def question(name: str, language: str | None = None) -> Question:
    """The question of this name; raises UnknownNameError when there is none."""
    return choose("question", questions(language or _language), name)


def messages(language: str | None = None) -> dict[str, str]:
    """What is said of answers, by name."""
    return dict(_read(language or _language)["messages"])


@cache
def questions(language: str) -> Mapping[str, Question]:
    """All questions by name, in the order of the lesson."""
    every = {code: _read(code)["questions"] for code in LANGUAGES}
    return {
        name: Question(
            name=name,
            language=language,
            asks=every[language][name]["asks"],
            answer=facts["answer"],
            because=every[language][name]["because"],
            measured=every[language][name].get("measured", ""),
            options=_options(name, every),
            shown=_shown(facts, every[language][name]),
            open=facts.get("open", False),
            tolerance=facts.get("tolerance", 0.0),
            also=tuple(facts.get("also", ())),
        )
        for name, facts in every["en"].items()
    }


def _options(name: str, every: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each option with all the ways to say it, those of other languages among them."""
    said = [language[name].get("options", {}) for language in every.values()]
    return {
        option: tuple(way for options in said for way in options.get(option, ()))
        for option in said[0]
    }


def _shown(facts: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, str]:
    """Elsewhere than in English, the first way to say an option is its name."""
    if facts is here:
        return {option: option for option in facts.get("options", {})}
    return {option: here["options"][option][0] for option in facts.get("options", {})}


@cache
def _read(language: str) -> dict[str, Any]:
    name = "questions.yaml" if language == "en" else f"questions.{language}.yaml"
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return content

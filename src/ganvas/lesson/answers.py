"""What an answer means, however it is written: case, plurals, number words, articles, signs."""

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from fractions import Fraction

YES_OR_NO = {
    "yes": ("true", "right", "correct", "y", "yep", "ಹೌದು", "ಸರಿ", "ನಿಜ"),
    "no": ("false", "wrong", "n", "nope", "not", "never", "ಇಲ್ಲ", "ಅಲ್ಲ", "ತಪ್ಪು", "ಸುಳ್ಳು"),
}
FILLING = frozenset(
    {"a", "an", "the", "it", "s", "is", "are", "they", "that", "this", "i", "think", "answer"}
)
NEGATIONS = {"not", "isn", "doesn", "don", "never", "ಅಲ್ಲ", "ಇಲ್ಲ"}
UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
KANNADA = """ಸೊನ್ನೆ ಒಂದು ಎರಡು ಮೂರು ನಾಲ್ಕು ಐದು ಆರು ಏಳು ಎಂಟು ಒಂಬತ್ತು ಹತ್ತು ಹನ್ನೊಂದು ಹನ್ನೆರಡು ಹದಿಮೂರು ಹದಿನಾಲ್ಕು
ಹದಿನೈದು ಹದಿನಾರು ಹದಿನೇಳು ಹದಿನೆಂಟು ಹತ್ತೊಂಬತ್ತು"""
NUMBER = re.compile(r"[+-]?[\d.,/]+(e\d{1,2})?")  # 1e999999999 would take hours to compute
NUMBER_WORDS: dict[str, int | Fraction] = {
    **{word: value for words in (UNITS, KANNADA) for value, word in enumerate(words.split())},
    **{word: 10 * ten for ten, word in enumerate(TENS.split(), 2)},
    "ಇಪ್ಪತ್ತು": 20,
    "half": Fraction(1, 2),
}


def choice(answer: object, options: Mapping[str, Iterable[str]]) -> str | None:
    """The option that an answer names, by its own name or another way to say it.

    None if it names none or several. Of phrases that overlap the longest counts: "generator and
    discriminator" names neither of the two alone.
    """
    filling = FILLING - {option.casefold() for option in options}  # image "A" is no article
    said = words(answer, filling)
    phrases = {
        words(text, filling): option
        for option, others in options.items()
        for text in (option, *others, *YES_OR_NO.get(option, ()))
    }
    if said in phrases:
        return phrases[said]
    if NEGATIONS & {*said} and not options.keys() <= YES_OR_NO.keys():
        return None  # "not the generator" names the generator, and does not mean it
    held = [phrase for phrase in phrases if _within(phrase, said)]
    longest = {
        phrases[phrase]
        for phrase in held
        if not any(len(other) > len(phrase) and _within(phrase, other) for other in held)
    }
    return longest.pop() if len(longest) == 1 else None


def number(answer: object) -> float | None:
    """The one number in an answer, in digits of any script or in words; None if it has none."""
    if isinstance(answer, bool):
        return None
    if isinstance(answer, int | float):
        return float(answer)
    found = [value for token in _tokens(str(answer)) if (value := _value(token)) is not None]
    if len(found) == 2 and _spelt(answer) and found[0] >= 20 > 10 > found[1]:
        found = [found[0] + found[1]]  # twenty-one
    try:
        return float(found[0]) if len(found) == 1 else None
    except OverflowError:  # larger than any answer
        return None


def words(text: object, filling: Container[str] = FILLING) -> tuple[str, ...]:
    """The words of a text in lower case and in the singular, without signs and filling ones."""
    tokens = _tokens(str(text), keep="")
    return tuple(_singular(token) for token in tokens if token not in filling)


def _tokens(text: str, keep: str = ".,/-+") -> list[str]:
    """Runs of letters, marks and digits; a sign is kept only inside or before a number."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    spaced = []
    for place, sign in enumerate(text):
        after = text[place + 1 : place + 2]
        before = text[place - 1 : place] if place else ""
        digit = after.isdecimal() and sign in keep
        inside = digit and before.isdecimal() and sign in ".,/"
        leading = digit and not before.isalnum() and sign in ".+-"
        wanted = unicodedata.category(sign)[0] in "LMN" or inside or leading
        spaced.append(sign if wanted else " ")
    return "".join(spaced).split()


def _value(token: str) -> Fraction | None:
    """The number that a token is: 16, 1,000, 0,69, 1/2, ೧೬, sixteen."""
    if token in NUMBER_WORDS:
        return Fraction(NUMBER_WORDS[token])
    if token.count(",") and "." not in token:
        groups = token.split(",")
        thousands = all(len(group) == 3 for group in groups[1:]) and groups[0].strip("+-0")
        token = token.replace(",", "" if thousands else ".")
    if not NUMBER.fullmatch(token):
        return None
    try:
        return Fraction(token.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        return None


def _spelt(answer: object) -> bool:
    return not any(sign.isdecimal() for sign in str(answer))


def _singular(word: str) -> str:
    """An English word without the s of its plural; any other as it is."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def _within(phrase: tuple[str, ...], said: tuple[str, ...]) -> bool:
    length = len(phrase)
    return any(said[start : start + length] == phrase for start in range(len(said) - length + 1))

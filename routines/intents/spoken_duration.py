"""Numbers and durations as people say them: "an hour and a half", "ninety seconds"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: value for value, word in enumerate(_ONES)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_NUMBERS |= {"oh": 0}
_SECONDS = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "hr": 3600,
    "day": 86_400,
    "week": 604_800,
}
_UNIT = r"(?P<unit>second|sec|minute|min|hour|hr|day|week)s?"
_PIECES = [
    re.compile(rf"(?P<number>\d+) and a half {_UNIT}(?!\w)"),
    re.compile(rf"(?P<number>\d+(?:\.\d+)?|an?) {_UNIT}(?P<half> and a half)?(?!\w)"),
    re.compile(rf"(?P<fraction>half)(?: of)?(?: an?)? {_UNIT}(?!\w)"),
    re.compile(rf"(?:a )?(?P<fraction>quarter) of an {_UNIT}(?!\w)"),
]
_FRACTIONS = {"half": 0.5, "quarter": 0.25}


def with_digits(text: str) -> str:
    """Return a text in lower case with its numbers in digits and without other punctuation.

    >>> with_digits("Twenty-five minutes")
    '25 minutes'
    """
    spaced = re.sub(r"(?<=\w)-(?=\w)", " ", text.lower())
    spaced = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", spaced).replace("o'clock", "oclock")
    spaced = re.sub(r"(\d)([ap]m)\b", r"\1 \2", spaced)
    words = re.sub(r"[^\w\s:.']|[.:](?!\d)", " ", spaced).split()
    return " ".join(_joined_numbers(words))


def _joined_numbers(words: Sequence[str]) -> list[str]:
    """Return words with numbers as digits; a ten and a one become one number, other neighbours do not."""
    done: list[str] = []
    had_ten = had_hundred = False
    for word in words:
        value = _NUMBERS.get(word)
        if word == "hundred" and done and done[-1] in {"a", *map(str, range(1, 10))}:
            done[-1] = str(100 * (1 if done[-1] == "a" else int(done[-1])))
            had_ten, had_hundred = False, True
        elif value is None:
            if not (word == "and" and had_hundred):
                had_ten = had_hundred = False
            done.append(word)
        elif (had_ten and 0 < value < 10) or had_hundred:
            if done[-1] == "and":
                done.pop()
            done[-1] = str(int(done[-1]) + value)
            had_ten, had_hundred = value >= 20, False
        else:
            done.append(str(value))
            had_ten, had_hundred = word in _TENS, False
    return done


def parse_spoken_duration(text: str) -> timedelta | None:
    """Return a duration, or None if the text says anything else as well."""
    duration, rest = leading_duration(text)
    return None if rest else duration


def leading_duration(text: str) -> tuple[timedelta | None, str]:
    """Return the duration with which a text begins, and what follows it (in digits, lower case)."""
    rest = with_digits(text)
    seconds = 0.0
    is_found = False
    while piece := next((m for pattern in _PIECES if (m := pattern.match(rest))), None):
        seconds += _seconds(piece)
        is_found = True
        rest = rest[piece.end() :].strip()
        joined = rest.removeprefix("and ")
        if not any(pattern.match(joined) for pattern in _PIECES):
            break
        rest = joined
    return (timedelta(seconds=seconds) if is_found and seconds > 0 else None), rest


def _seconds(piece: re.Match[str]) -> float:
    parts = piece.groupdict()
    unit = _SECONDS[parts["unit"]]
    if parts.get("fraction"):
        return _FRACTIONS[parts["fraction"]] * unit
    number = 1.0 if parts["number"] in {"a", "an"} else float(parts["number"])
    has_half = bool(parts.get("half")) or "and a half " in piece.group()
    return (number + (0.5 if has_half else 0.0)) * unit


def say_duration(duration: timedelta) -> str:
    """Return a duration in words and digits: "1 hour and 30 minutes"."""
    seconds = round(duration.total_seconds())
    parts = []
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "0 seconds"

"""Plain YAML as it is carried over, and the ways in which it cannot be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from routines.facts import Json

Words = dict[str, Json]
_TRUE = frozenset({"true", "yes", "on", "enable", "1"})
_FALSE = frozenset({"false", "no", "off", "disable", "0"})


class NotCarried(Exception):
    """Something of an automation has no like in a routine; the message says what and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was not carried over, or is not quite the same.

    Attributes
    ----------
    automation : str
        Id of the routine that was made; empty when it is about the whole file.
    place : str
        Where in the automation, as ``actions[2].choose[0]``.
    message : str
        What it is, and what to do about it.
    """

    automation: str
    place: str
    message: str


def listed(value: Json) -> list[Json]:
    """Return a list, what stands alone as a list of one, and nothing as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mapping(value: Json, what: str) -> Words:
    """Return a mapping.

    Raises
    ------
    NotCarried
        It is none.
    """
    if not isinstance(value, dict):
        raise NotCarried(f"{what} is written in a way that is not understood")
    return value


def entity_list(value: Json) -> list[str]:
    """Return entities, be they listed or separated by commas.

    Raises
    ------
    NotCarried
        There is something else among them.
    """
    texts = [str(one) for one in listed(value)]
    found = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    for one in found:
        if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", one):
            raise NotCarried(f"'{one}' is no entity id; devices and registry ids cannot be used here")
    if not found:
        raise NotCarried("no entity is named")
    return found


def one_or_many(values: Sequence[str]) -> Json:
    """Return a list, or what stands alone in it."""
    return values[0] if len(values) == 1 else list(values)


def flag(value: Json, what: str) -> bool:
    """Return yes or no, in whatever words YAML has for it.

    Raises
    ------
    NotCarried
        It is computed by a template.
    """
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise NotCarried(f"{what} is neither true nor false but {value!r}")
    return word in _TRUE


def number_or_entity(value: Json) -> Json:
    """Return a limit: numbers in quotes are numbers."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return entity_list(value)[0]
    return value


def duration(value: Json) -> Json:
    """Return a duration that routines understand.

    Raises
    ------
    NotCarried
        Its parts are computed.
    """
    if isinstance(value, dict):
        units = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1, "milliseconds": 0.001}
        try:
            return sum(units[unit] * float(str(part)) for unit, part in value.items() if part is not None)
        except (KeyError, ValueError):
            raise NotCarried("a duration of which a part is computed; write one template for all") from None
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    return value


def signed_duration(value: Json) -> Json:
    """Return an offset, which may be negative."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?", value):
        return float(value)
    return duration(value)


def only(words: Mapping[str, Json], known: Collection[str], what: str) -> None:
    """Refuse what has keys that nobody looked at.

    Raises
    ------
    NotCarried
        There are others than the known ones.
    """
    others = sorted(key for key, value in words.items() if key not in known and value is not None)
    if others:
        raise NotCarried(f"{what} with {', '.join(others)}")


def unique_slug(name: str, taken: Iterable[str]) -> str:
    """Return an id made of a name, as Home Assistant makes them, that is not taken yet."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:56] or "automation"
    others = set(taken)
    found, number = slug, 1
    while found in others:
        number += 1
        found = f"{slug}_{number}"
    return found

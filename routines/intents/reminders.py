"""Spoken timers, alarms and reminders: what is asked for, and the routine that does it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

from hassil import Intents, RecognizeResult, recognize_all
from ruamel.yaml import YAML

from routines.intents.made_routine import made_routine
from routines.intents.ranking import rank
from routines.intents.requests import (
    AlarmRequest,
    CancelRequest,
    Chosen,
    ExtendRequest,
    Kind,
    PauseRequest,
    RefusedRequest,
    ReminderRequest,
    Request,
    ResumeRequest,
    StatusRequest,
    TimerRequest,
)
from routines.intents.spoken_duration import leading_duration, parse_spoken_duration
from routines.intents.spoken_time import PastTime, Purpose, parse_spoken_time

__all__ = [
    "AlarmRequest",
    "CancelRequest",
    "Chosen",
    "ExtendRequest",
    "PauseRequest",
    "RefusedRequest",
    "ReminderRequest",
    "Request",
    "ResumeRequest",
    "SpokenReminders",
    "StatusRequest",
    "TimerRequest",
    "made_routine",
]

_HOME_NAMES = frozenset({"home", "house", "here", "this house", "apartment", "flat"})
_LEADS = ("to", "that", "about", "of")
_PURPOSES: Mapping[str, Purpose] = {"time": "alarm", "bare_time": "alarm", "waking_time": "waking"}
_WHEN_OR_WHERE = "Tell me also when or where I shall remind you"


@dataclass(frozen=True, slots=True)
class _Clock:
    now: datetime
    timezone: ZoneInfo

    def read(self, text: str, *, is_bare: bool = False, purpose: Purpose = "reminder") -> datetime | None:
        return parse_spoken_time(text, self.now, self.timezone, is_bare=is_bare, purpose=purpose)


class SpokenReminders:
    """Recognise sentences about timers, alarms and reminders.

    Parameters
    ----------
    people, places : sequence of str
        Names that are known, as they are to be written: "remind jane ..." is about a person only if the name
        is known; a place that is not known keeps the words that were said.
    """

    def __init__(self, *, people: Sequence[str] = (), places: Sequence[str] = ()) -> None:
        self._people = {name.casefold(): name for name in people}
        self._places = {name.casefold(): name for name in places}
        self._intents = _templates()
        # Templates are parsed on first use.
        list(recognize_all("remind timer timers alarm alarms wake", self._intents))

    def recognize(self, text: str, *, now: datetime, timezone: ZoneInfo) -> Request | None:
        """Return what is asked for, or None if the sentence is about something else.

        Parameters
        ----------
        text : str
            A transcript; case is kept in names and texts.
        now : datetime
            Time-zone aware.
        timezone : ZoneInfo
            Of the house: "at 7" means its clocks.
        """
        readings = sorted(recognize_all(_plain(text), self._intents), key=_order)
        try:
            requests = (self._request(reading, _Clock(now, timezone)) for reading in readings)
            return next((request for request in requests if request is not None), None)
        except PastTime as error:
            return RefusedRequest(reason=f"{str(error).capitalize()}")

    def _request(self, reading: RecognizeResult, clock: _Clock) -> Request | None:
        said = {key: str(entity.value).strip() for key, entity in reading.entities.items()}
        match reading.intent.name:
            case "SetTimer":
                return _timer(said)
            case "SetAlarm":
                return _alarm(said, clock)
            case "RemindArriving" | "RemindComingHome":
                return self._at_place(said, "enter", clock)
            case "RemindLeaving":
                return self._at_place(said, "leave", clock)
            case "Remind":
                return self._at_time(said["rest"], clock)
            case "Cancel":
                return CancelRequest(which=_chosen(said, reading.entities["kind"].text))
            case _:
                return StatusRequest(which=_chosen(said, reading.entities["kind"].text))

    def _at_place(
        self, said: Mapping[str, str], event: Literal["enter", "leave"], clock: _Clock
    ) -> Request | None:
        person, text = self._person(said["text"].split())
        words = [
            word for word in said["place"].split() if word.casefold() not in {"the", "my", "our", "back"}
        ]
        if not text or not words:
            return None
        if any(clock.read(" ".join(words[start:])) for start in range(1, len(words))):
            return RefusedRequest(reason="I can remind you at a place or at a time, but not at both")
        place = " ".join(words)
        known = "home" if place.casefold() in _HOME_NAMES else self._places.get(place.casefold(), place)
        return ReminderRequest(text=text, place=known, event=event, person=person)

    def _at_time(self, rest: str, clock: _Clock) -> Request | None:
        words = rest.split()
        for index in range(1, len(words) - 1):
            if words[index].lower() in _LEADS and (at := _leading_time(words[:index], clock)):
                return ReminderRequest(text=" ".join(words[index + 1 :]), at=at)
        for index in range(1, len(words)):
            if at := clock.read(" ".join(words[index:])):
                person, text = self._person(words[:index])
                return ReminderRequest(text=text, at=at, person=person) if text else None
        person, text = self._person(words)
        is_wish = person is not None or words[0].lower() in _LEADS
        return RefusedRequest(reason=_WHEN_OR_WHERE) if is_wish and text else None

    def _person(self, words: Sequence[str]) -> tuple[str | None, str]:
        """Return who is to be reminded and of what: "jane to call bob", "to call bob", "the bins"."""
        for count in range(1, len(words)):
            person = self._people.get(" ".join(words[:count]).casefold())
            if person is not None:
                return person, " ".join(_without_lead(words[count:]))
        return None, " ".join(_without_lead(words))


def _plain(text: str) -> str:
    """Return a sentence without punctuation, and with "I am" for "I'm"; case is kept."""
    for pronoun, verb in (("i", "m"), ("we|you|they", "re"), ("he|she", "s")):
        full = {"m": "am", "re": "are", "s": "is"}[verb]
        text = re.sub(rf"\b({pronoun})'{verb}\b", rf"\1 {full}", text, flags=re.IGNORECASE)
    return re.sub(r"[,;!?]+|\.+$", " ", text).strip()


def _order(reading: RecognizeResult) -> tuple[bool, tuple[int, int, int, int, str]]:
    """Return a key to sort by: the reading that finds no place in a reminder comes last."""
    return reading.intent.name == "Remind", rank(reading)


@cache
def _templates() -> Intents:
    text = files(__package__).joinpath("reminders.en.yaml").read_text(encoding="utf-8")
    return Intents.from_dict(YAML(typ="safe", pure=True).load(text))


def _timer(said: Mapping[str, str]) -> Request | None:
    duration = parse_spoken_duration(said["duration"]) if "duration" in said else None
    if "duration" in said and duration is None:
        return None
    label = said.get("label", "")
    length, rest = leading_duration(label)
    if length is not None and duration is not None:
        return None
    name = said.get("name") or (rest if length is not None else label)
    total = duration or length
    return TimerRequest(duration=total, name=name or None) if total is not None else None


def _alarm(said: Mapping[str, str], clock: _Clock) -> Request | None:
    key = next(key for key in _PURPOSES if key in said)
    at = clock.read(said[key], is_bare=key == "bare_time", purpose=_PURPOSES[key])
    if at is None and (length := parse_spoken_duration(said[key])):
        at = (clock.now.astimezone(UTC) + length).astimezone(clock.timezone)
    return None if at is None else AlarmRequest(at=at)


def _chosen(said: Mapping[str, str], kind_text: str) -> Chosen:
    kinds: Mapping[str, Kind] = {"timer": "timer", "alarm": "alarm", "reminder": "reminder"}
    label = " ".join(_without_lead(said.get("label", "").split()))
    length = parse_spoken_duration(label) if label else None
    return Chosen(
        kind=kinds[said["kind"]],
        name=label if label and length is None else None,
        started_for=length,
        is_every="every" in said or (kind_text.strip().endswith("s") and not label),
    )


def _leading_time(words: Sequence[str], clock: _Clock) -> datetime | None:
    """Return the time before the text: "tomorrow at 8", and "for 8" as in "a reminder for 8"."""
    is_bare = len(words) > 1 and words[0].lower() == "for"
    return clock.read(" ".join(words[1:] if is_bare else words), is_bare=is_bare)


def _without_lead(words: Sequence[str]) -> Sequence[str]:
    return words[1:] if words and words[0].lower() in _LEADS else words

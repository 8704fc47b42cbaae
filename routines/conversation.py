"""Answer what no routine waits for: built-in wishes, timers and reminders, "undo that", "why did …"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.effects import CallService
from routines.facts import HeardFact
from routines.home import Home
from routines.intents.built_in import BuiltInIntents
from routines.intents.directory import Directory
from routines.intents.plan import Plan, plan
from routines.intents.reminders import SpokenReminders
from routines.intents.requests import Request, TimerRequest
from routines.made_routines import Change, answer_request
from routines.phrases import plain_sentence
from routines.routine import Routine

_UNDO = re.compile(r"(please )?(undo (that|it|this)|take that back|put (it|that|everything) back)( please)?")
_WHY = re.compile(
    r"why (did|is|are|was|were|has|have) (the |my )?(?P<thing>.+?)"
    r"( (go|went|turn|switch|come|been|get|open|close|lock|unlock)\b.*| on| off| closed)?"
)
_KINDS = {
    "light": "light",
    "lights": "light",
    "fan": "fan",
    "heating": "climate",
    "music": "media_player",
    "blinds": "cover",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be done about a sentence.

    Attributes
    ----------
    why : tuple of str
        Entities whose last change is to be explained.
    """

    calls: tuple[CallService, ...] = ()
    reply: str | None = None
    broadcast: str | None = None
    change: Change | None = None
    is_undo: bool = False
    why: tuple[str, ...] = ()


class Conversation:
    """Understands the built-in sentences about one home.

    Parameters
    ----------
    directory : Directory
        What the home calls its things.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._intents = BuiltInIntents(directory)
        self._reminders = SpokenReminders()

    def answer(
        self,
        fact: HeardFact,
        home: Home,
        made: Mapping[str, Routine],
        *,
        now: datetime,
        timezone: ZoneInfo,
    ) -> Answer | None:
        """Return what a sentence asks for, None if it is none of the built-in ones."""
        plain = plain_sentence(fact.text)
        if _UNDO.fullmatch(plain):
            return Answer(is_undo=True)
        asked_why = _WHY.fullmatch(plain)
        if asked_why is not None and (things := self._things(asked_why.group("thing"))):
            return Answer(why=things)
        room = fact.room or None
        request = self._reminders.recognize(fact.text, now=now, timezone=timezone)
        if request is not None:
            return self._about(request, home, made, room=room, now=now, timezone=timezone)
        planned = self._planned(fact.text, home, room=room, now=now, timezone=timezone)
        if planned is None:
            return None
        if planned.request is not None:
            return self._about(planned.request, home, made, room=room, now=now, timezone=timezone)
        return Answer(
            calls=planned.calls, reply=planned.refusal or planned.reply, broadcast=planned.broadcast
        )

    def _planned(
        self, text: str, home: Home, *, room: str | None, now: datetime, timezone: ZoneInfo
    ) -> Plan | None:
        intent = self._intents.recognize(text, area=room)
        if intent is None:
            return None
        return plan(intent, self._directory, home, area=room, now=now, timezone=timezone)

    def _about(
        self,
        request: Request,
        home: Home,
        made: Mapping[str, Routine],
        *,
        room: str | None,
        now: datetime,
        timezone: ZoneInfo,
    ) -> Answer:
        calls: tuple[CallService, ...] = ()
        if isinstance(request, TimerRequest) and request.command is not None:
            planned = self._planned(request.command, home, room=room, now=now, timezone=timezone)
            if planned is None or not planned.calls:
                refusal = None if planned is None else planned.refusal
                return Answer(reply=refusal or f"I do not know how to {request.command}")
            calls = planned.calls
        change = answer_request(request, made, room=room, now=now, timezone=timezone, calls=calls)
        return Answer(change=change, reply=change.reply)

    def _things(self, spoken: str) -> tuple[str, ...]:
        """Return the entities of a name; "the light" alone is any light."""
        named = tuple(entity.entity_id for entity in self._directory.named(spoken))
        if named:
            return named
        domain = _KINDS.get(spoken)
        every = () if domain is None else self._directory.select(domains={domain})
        return tuple(entity.entity_id for entity in every)

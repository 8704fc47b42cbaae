"""What a sentence starts, in this order: a wait, a routine's phrase, a built-in wish, nearly a phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routines.armed import Armed, armed_triggers
from routines.conversation import Answer, Conversation
from routines.facts import HeardFact, Json
from routines.intents.directory import Directory
from routines.intents.fuzzy import FuzzyLimits, FuzzyMatch, FuzzyPhrases, is_guarded
from routines.json_tree import mappings_in
from routines.phrases import Phrasebook, match_phrases, plain_sentence
from routines.routine import Routine
from routines.situation import Situation
from routines.targets import entities_of
from routines.vocabulary.triggers import VoiceTrigger
from routines.watch import Noticed, Watch

_ASKS_FOR = timedelta(seconds=20)
"""How long an answer to "did you mean" is waited for."""
_YES = re.compile(r"(yes|yeah|yep|sure|right|correct|exactly|do it|of course)( please)?|please( do)?|ok(ay)?")
_NO = re.compile(r"no( thanks?| thank you)?|nope|cancel|stop|never ?mind|don't")
_OUTER_DOORS = frozenset({"door", "garage", "gate"})
_NEVER_ROUGHLY = frozenset({"lock", "alarm_control_panel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The hub asks back before it does something that it has not clearly heard."""

    text: str


Heard = Noticed | Answer | Question


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """What was nearly said, or opens the house, until somebody says yes or no."""

    heard: Noticed | Answer
    room: str
    until: datetime


class Hearing:
    """The sentences that routines and the house itself wait for."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._conversation: Conversation | None = None
        self._directory = Directory()
        self._routines: Mapping[str, Routine] = {}
        self._phrases = Phrasebook.from_sentences(None, ())
        self._fuzzy: FuzzyPhrases | None = None
        self._pending: _Pending | None = None

    def take(
        self, routines: Sequence[Routine], directory: Directory, conversation: Conversation | None
    ) -> None:
        """Take other routines or other names of the home.

        Parameters
        ----------
        conversation : Conversation or None
            Understands the built-in sentences; None leaves them unanswered.
        """
        self._directory = directory
        self._conversation = conversation
        self._routines = {routine.id: routine for routine in routines}
        self._phrases = Phrasebook.from_sentences(None, routines, directory)
        self._fuzzy = None

    def hear(self, fact: HeardFact, made: Mapping[str, Routine], situation: Situation) -> Iterator[Heard]:
        """Yield what a sentence asks for; nothing if nobody waits for it."""
        reason = f"heard {fact.text!r}" + (f" in {fact.room}" if fact.room else "")
        pending, self._pending = self._pending, None
        if pending is not None and pending.room == fact.room and situation.now <= pending.until:
            plain = plain_sentence(fact.text)
            if _YES.fullmatch(plain):
                yield pending.heard
                return
            if _NO.fullmatch(plain):
                return
        found = self._awaited(fact, reason) or self._phrase(fact, fact.text, reason)
        if found is not None:
            yield found
            return
        answer = None
        if self._conversation is not None:
            home, now, zone = situation.home, situation.now, situation.timezone
            answer = self._conversation.answer(fact, home, made, now=now, timezone=zone)
        if answer is None:
            yield from self._roughly(fact, reason, situation)
        elif (opened := self._opened(answer)) is not None:
            yield self._ask(f"Shall I really {opened}?", answer, fact, situation)
        else:
            yield answer

    def _opened(self, answer: Answer) -> str | None:
        """Return how a wish opens the house, None if it does not: a misheard sentence must not do that."""
        for call in answer.calls:
            domain, _, verb = call.action.partition(".")
            entities = entities_of(call.target, self._directory)
            known = [one for one in map(self._directory.entity, entities) if one is not None]
            if domain == "lock" and verb in ("unlock", "open"):
                return f"unlock {', '.join(one.name for one in known) or 'it'}"
            doors = [one.name for one in known if one.device_class in _OUTER_DOORS]
            if domain == "cover" and verb in ("open_cover", "toggle", "set_cover_position") and doors:
                return f"open {', '.join(doors)}"
        return None

    def _ask(self, text: str, heard: Noticed | Answer, fact: HeardFact, situation: Situation) -> Question:
        """Keep what was heard until somebody says yes."""
        self._pending = _Pending(heard=heard, room=fact.room, until=situation.now + _ASKS_FOR)
        return Question(text=text)

    def _awaited(self, fact: HeardFact, reason: str) -> Noticed | None:
        for armed in self._watch.waiting_for_voice(fact):
            trigger = armed.trigger
            if isinstance(trigger, VoiceTrigger) and (trigger.rooms is None or fact.room in trigger.rooms):
                slots = match_phrases(trigger, armed.routine.lists, fact.text, self._directory)
                if slots is not None:
                    return _noticed(armed, fact, slots, reason)
        return None

    def _phrase(self, fact: HeardFact, sentence: str, reason: str) -> Noticed | None:
        found = self._phrases.match_routine(sentence, fact.room or None)
        routine = None if found is None else self._routines.get(found.routine or "")
        if found is None or routine is None or found.trigger is None:
            return None
        return _noticed(_armed(routine, found.trigger), fact, found.slots, reason)

    def _roughly(self, fact: HeardFact, reason: str, situation: Situation) -> Iterator[Heard]:
        """Yield the phrase that was nearly said, or the question whether it is meant."""
        near = self._near(fact.text)
        found = None if near is None else self._phrase(fact, near.sentence, reason)
        if near is None or found is None:
            return
        if not near.needs_confirmation:
            yield found
            return
        yield self._ask(f"Did you mean: {near.sentence}?", found, fact, situation)

    def _near(self, text: str) -> FuzzyMatch | None:
        if self._fuzzy is None:
            self._fuzzy = _fuzzy_phrases(self._routines.values())
        return self._fuzzy.match(text)


def _fuzzy_phrases(routines: Iterable[Routine]) -> FuzzyPhrases:
    """Return the phrases that may be taken for what was nearly said.

    A routine that moves covers is among them only if its author says so by ``match:``, one that works a lock
    or an alarm never.
    """
    phrases: dict[str, list[str]] = {}
    limits: dict[str, FuzzyLimits] = {}
    for routine in routines:
        domains = acted_on(routine)
        for index, trigger in routine.voice_triggers():
            match = trigger.match
            if domains & _NEVER_ROUGHLY or (match is None and is_guarded(domains)):
                continue
            owner = f"{routine.id}.{index}"
            phrases[owner] = list(trigger.phrases)
            if match is not None:
                limits[owner] = FuzzyLimits(fuzzy=match.fuzzy, confirm_below=match.confirm_below)
    return FuzzyPhrases(phrases, limits)


def acted_on(routine: Routine) -> set[str]:
    """Return the kinds of things that a routine acts on: ``light``, ``lock``."""
    found: set[str] = set()
    for words in mappings_in(
        [action.model_dump(mode="json", by_alias=True, exclude_unset=True) for action in routine.actions]
    ):
        for key in ("action", "entity_id"):
            named = words.get(key)
            names = named if isinstance(named, list) else [named]
            found.update(name.partition(".")[0] for name in names if isinstance(name, str))
    return found


def _noticed(armed: Armed, fact: HeardFact, slots: Mapping[str, Json], reason: str) -> Noticed:
    """Return what a sentence fires; what is not known of it is left out, so that templates see it missing."""
    said: dict[str, Json] = {
        "sentence": fact.text,
        "room": fact.room or None,
        "device": fact.device,
        "confidence": fact.confidence,
        "azimuth": fact.azimuth_degrees,
        "slots": dict(slots),
    }
    seen = {key: value for key, value in said.items() if value is not None}
    return Noticed(armed=armed, verdict="fired", reason=reason, variables=seen)


def _armed(routine: Routine, index: int) -> Armed:
    return next(one for one in armed_triggers(routine) if one.index == index)

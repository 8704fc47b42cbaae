"""What a sentence starts, in this order: a wait, a routine's phrase, a built-in wish, nearly a phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routines.armed import Armed, armed_triggers
from routines.certainty import Certainty
from routines.conversation import Answer, Conversation
from routines.facts import HeardFact, Json
from routines.intents.directory import Directory
from routines.intents.fuzzy import FuzzyLimits, FuzzyMatch, FuzzyPhrases, is_guarded
from routines.json_tree import mappings_in
from routines.opening import opened_by, opened_by_routine
from routines.outputs import Verdict, VerdictKind
from routines.phrases import Phrasebook, match_phrases, plain_sentence
from routines.routine import Routine
from routines.situation import Situation
from routines.spoken import SPOKEN
from routines.vocabulary.triggers import VoiceTrigger
from routines.watch import Noticed, Watch

_ASKS_FOR = timedelta(seconds=20)
"""How long an answer to "did you mean" is waited for."""
_YES = re.compile(r"(yes|yeah|yep|sure|right|correct|exactly|do it|of course)( please)?|please( do)?|ok(ay)?")
_NO = re.compile(r"no( thanks?| thank you)?|nope|cancel|stop|never ?mind|don't")
_AGAIN = "I did not hear that clearly. Please say it again."
_UNCLEAR = "I did not understand that, so I leave it."
_NEVER_ROUGHLY = frozenset({"lock", "alarm_control_panel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The hub asks back before it does something that it has not clearly heard."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """What was heard starts nothing, and why; ``routine`` is the one it would have started."""

    routine: str
    trigger: str
    verdict: VerdictKind
    reason: str

    def verdict_at(self, now: datetime) -> Verdict:
        """Return it for the history."""
        return Verdict(
            at=now, routine=self.routine, trigger=self.trigger, verdict=self.verdict, reason=self.reason
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done about a sentence that no routine waits for."""

    answer: Answer
    reason: str


Heard = Noticed | Wish | Question | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """What was not clearly said, or opens the house, until somebody says yes or no.

    ``heard`` is None where it has to be said again.
    """

    heard: Noticed | Wish | None
    fact: HeardFact
    question: Question
    until: datetime


class Hearing:
    """The sentences that routines and the house itself wait for."""

    def __init__(self, watch: Watch, certainty: Certainty) -> None:
        self._watch = watch
        self._certainty = certainty
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

    def is_asking(self, now: datetime) -> bool:
        """Return whether the hub has asked back and waits for what is said then."""
        return self._pending is not None and now <= self._pending.until

    def awaits_answer(self, said: str, run_id: str, now: datetime) -> bool:
        """Return whether somebody shall answer what a run has just said: the hub's question, or its own."""
        pending = self._pending
        if pending is not None and now <= pending.until and pending.question.text == said:
            return bool(pending.fact.room)
        waits = self._watch.waiting_for_voice(HeardFact(room="", text=""))
        return any(armed.wait is not None and armed.wait[0] == run_id for armed in waits)

    def hear(self, fact: HeardFact, made: Mapping[str, Routine], situation: Situation) -> Iterator[Heard]:
        """Yield what a sentence asks for; nothing if nobody waits for it."""
        if fact.confidence < self._certainty.ask:
            yield from self._too_unsure(fact)
            return
        pending, self._pending = self._pending, None
        if pending is not None and pending.fact.room == fact.room and situation.now <= pending.until:
            decided = self._decided(pending, fact, made, situation)
            if decided is not None:
                yield decided
                return
        reason = self._reason(fact)
        found = self._awaited(fact, reason) or self._phrase(fact, fact.text, reason)
        meant = found or self._wish(fact, reason, made, situation)
        if meant is not None:
            yield from self._weigh(meant, fact, situation)
        elif fact.confidence >= self._certainty.sure:  # what nearly was a guess is none
            yield from self._roughly(fact, reason, situation)

    def _reason(self, fact: HeardFact) -> str:
        where = f" in {fact.room}" if fact.room else ""
        doubt = "" if fact.confidence >= self._certainty.secure else f", {fact.confidence:.0%} sure"
        return f"heard {fact.text!r}{where}{doubt}"

    def _too_unsure(self, fact: HeardFact) -> Iterator[Heard]:
        """Yield why nothing is done about noise that looks like a routine's phrase, or is no answer."""
        reason = self._reason(fact)
        found = self._phrase(fact, fact.text, reason)
        if found is not None:
            yield _ignored(found, "unsure", reason)
        if fact.is_answer and self._pending is not None:
            self._pending = None
            yield Wish(answer=Answer(reply=_UNCLEAR), reason=reason)

    def _wish(
        self, fact: HeardFact, reason: str, made: Mapping[str, Routine], situation: Situation
    ) -> Wish | None:
        if self._conversation is None:
            return None
        home, now, zone = situation.home, situation.now, situation.timezone
        answer = self._conversation.answer(fact, home, made, now=now, timezone=zone)
        return None if answer is None else Wish(answer=answer, reason=reason)

    def _weigh(
        self, heard: Noticed | Wish, fact: HeardFact, situation: Situation, *, guess: str | None = None
    ) -> Iterator[Heard]:
        """Yield what was heard if it was heard surely enough, else what is asked back.

        Parameters
        ----------
        guess : str or None
            The phrase, where only something like it was said.
        """
        opened = self._opened(heard)
        if opened is not None and fact.confidence < self._certainty.secure:
            reason = f"{heard.reason}, and to {opened} takes {self._certainty.secure:.0%}"
            yield _ignored(heard, "unsure", reason)
            yield self._ask(_AGAIN, None, reason, fact, situation)
        elif opened is not None:
            yield self._ask(f"Shall I really {opened}?", heard, heard.reason, fact, situation)
        elif guess is not None or fact.confidence < self._certainty.sure:
            text = f"Did you mean: {guess or plain_sentence(fact.text)}?"
            yield self._ask(text, heard, heard.reason, fact, situation)
        else:
            yield heard

    def _opened(self, heard: Noticed | Wish) -> str | None:
        """Return how something opens the house, None if it does not: a misheard sentence must not do that."""
        if isinstance(heard, Noticed):
            return opened_by_routine(heard.armed.routine, self._routines, self._directory)
        change = heard.answer.change
        later = [] if change is None else [opened_by_routine(one, {}, self._directory) for one in change.made]
        return opened_by(heard.answer.calls, self._directory) or next(filter(None, later), None)

    def _ask(
        self, text: str, heard: Noticed | Wish | None, reason: str, fact: HeardFact, situation: Situation
    ) -> Question:
        """Keep what was heard until somebody says yes."""
        question = Question(text=text, reason=reason)
        until = situation.now + _ASKS_FOR
        self._pending = _Pending(heard=heard, fact=fact, question=question, until=until)
        return question

    def _decided(
        self, pending: _Pending, fact: HeardFact, made: Mapping[str, Routine], situation: Situation
    ) -> Heard | None:
        """Return what a yes or a no makes of the question, None where neither was said.

        A yes that may be none is asked for once more. Without the wake word before it, a yes that opens the
        house must be as sure as the wish itself.
        """
        heard, plain = pending.heard, plain_sentence(fact.text)
        if heard is None:
            return None
        if _NO.fullmatch(plain):
            return _ignored(heard, "declined", f"{heard.reason}, and {fact.text!r} after it")
        if not _YES.fullmatch(plain):
            return None
        needs_secure = fact.is_answer and self._opened(heard) is not None
        if fact.confidence < (self._certainty.secure if needs_secure else self._certainty.sure):
            return self._ask(pending.question.text, heard, heard.reason, pending.fact, situation)
        reason = f"{heard.reason}, and {fact.text!r} to {pending.question.text!r}"
        if isinstance(heard, Noticed):
            return replace(heard, reason=reason)
        # worked out anew: a timer counts from the yes
        return self._wish(pending.fact, reason, made, situation) or replace(heard, reason=reason)

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
        guess = near.sentence if near.needs_confirmation else None
        yield from self._weigh(found, fact, situation, guess=guess)

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


def _ignored(heard: Noticed | Wish, verdict: VerdictKind, reason: str) -> Ignored:
    armed = heard.armed if isinstance(heard, Noticed) else None
    return Ignored(
        routine=SPOKEN if armed is None else armed.routine.id,
        trigger="voice" if armed is None else armed.name,
        verdict=verdict,
        reason=reason,
    )


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

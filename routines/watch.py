"""Watch for triggers: facts and time in, what they fire out; ``for:`` is held here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from routines.armed import Armed, TriggerIndex
from routines.clockwork import CATCH_UP_HELD, ON_TIME, next_due, words_for
from routines.deadlines import Deadlines
from routines.facts import Fact, HeardFact, Json, MessageFact, PresenceFact, StateFact
from routines.matcher import Before, Fires, Ignored, covers, is_now_true, match, still_holds
from routines.memory import Notebook
from routines.outputs import VerdictKind
from routines.quantities import parse_duration
from routines.situation import Situation
from routines.templates.template import is_template, render
from routines.templates.values import NotKnown, TemplateFailed
from routines.vocabulary.triggers import (
    ClockTrigger,
    HeldTrigger,
    MqttTrigger,
    PresenceTrigger,
    TemplateTrigger,
)

_ASKS_THE_TIME = re.compile(r"\b(?:now|today_at)\s*\(")
_MOST_MISSED = 1_000
"""Occurrences that are gone through to name the last of those that were missed."""
_CATCH_UP_ONCE = timedelta(days=1)
"""A timer or reminder that fell due while the hub was down is still told within this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A trigger fired (``fired``, ``caught_up``), or would have but for what the verdict says."""

    armed: Armed
    verdict: VerdictKind
    reason: str
    variables: Mapping[str, Json] = field(default_factory=dict)

    @property
    def has_fired(self) -> bool:
        """Whether it starts or ends something."""
        return self.verdict in ("fired", "caught_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A trigger that fires if its subject still holds at the deadline."""

    fires: Fires
    deadline: datetime


class Watch:
    """The armed triggers, those that are held, and when time will fire which.

    Parameters
    ----------
    situate : callable
        Returns the situation as it is now.
    last_effect : callable
        Returns when a routine last did something.
    """

    def __init__(
        self,
        *,
        situate: Callable[[], Situation],
        deadlines: Deadlines,
        notebook: Notebook,
        last_effect: Callable[[str], datetime | None],
    ) -> None:
        self._situate = situate
        self._deadlines = deadlines
        self._notebook = notebook
        self._last_effect = last_effect
        self._index = TriggerIndex()
        self._held: dict[str, dict[str, _Held]] = {}

    def arm(self, armed: Armed, *, missed: datetime | None = None) -> None:
        """Watch for a trigger.

        Parameters
        ----------
        missed : datetime or None
            When time should have fired it before the hub went down.
        """
        known = self._index.get(armed.key)
        self._index.add(armed)
        if known is not None:  # edited elsewhere: this trigger is as it was, and so are its timers
            armed.was_true = known.was_true
            return
        if isinstance(armed.trigger, TemplateTrigger):
            armed.was_true = is_now_true(armed.trigger, self._seen_by(armed))
            self._look_again(armed)
        if isinstance(armed.trigger, ClockTrigger):
            self._set_clock(armed, self._situate().now, missed)

    def disarm(self, key: str) -> None:
        """Watch for a trigger no more, and forget what it held."""
        self._index.remove(key)
        self._deadlines.cancel(("clock", key))
        self._deadlines.cancel(("minute", key))
        self._notebook.note("clock", key)
        for subject in list(self._held.get(key, ())):
            self._drop(key, subject)

    def keys(self) -> set[str]:
        """Return the keys of all armed triggers of routines."""
        return {armed.key for armed in self._index.all() if armed.wait is None}

    def armed(self, key: str) -> Armed | None:
        """Return the armed trigger with a key."""
        return self._index.get(key)

    def listens_to(self, topic: str) -> bool:
        """Return whether a trigger waits for messages on an MQTT topic."""
        armed = self._index.candidates(MessageFact(topic=topic, payload=""))
        return any(isinstance(one.trigger, MqttTrigger) and covers(one.trigger.topic, topic) for one in armed)

    def waiting_for_voice(self, fact: HeardFact) -> Sequence[Armed]:
        """Return the waits that a sentence may end."""
        return [armed for armed in self._index.candidates(fact) if armed.wait is not None]

    def notice(self, fact: Fact, before: Before) -> Iterator[Noticed]:
        """Yield what a fact fires, breaks off, or would have fired; the home has learnt it already."""
        for armed in self._index.candidates(fact):
            situation = self._seen_by(armed)
            if self._is_own_motion(armed, fact, situation.now):
                if isinstance(armed.trigger, PresenceTrigger) and armed.trigger.to == "detected":
                    words = f"own motion: {armed.routine.id} itself did something a moment ago"
                    yield Noticed(armed=armed, verdict="suppressed", reason=words)
                continue
            yield from self._let_go(armed, situation)
            if isinstance(armed.trigger, TemplateTrigger):
                entity = fact.entity_id if isinstance(fact, StateFact) else ""
                found = _became_true(armed, armed.trigger, entity, situation)
            else:
                found = match(armed.trigger, fact, before, situation)
            yield from self._taken(armed, found, situation)

    def due(self, key: tuple[str, ...], at: datetime) -> Iterator[Noticed]:
        """Yield what a deadline of this watch fires."""
        armed = self._index.get(key[1])
        if armed is None:
            return
        if key[0] == "clock":
            yield from self._clock_due(armed, at)
        elif key[0] == "minute":
            yield from self._minute_due(armed)
        else:
            yield from self._held_due(armed, key[2], at)

    def _seen_by(self, armed: Armed) -> Situation:
        """Return the situation as the templates of a trigger see it."""
        return replace(self._situate(), variables=armed.variables)

    def _look_again(self, armed: Armed) -> None:
        """Look once a minute at what a template says that the time alone may change."""
        if isinstance(armed.trigger, TemplateTrigger) and _ASKS_THE_TIME.search(armed.trigger.value_template):
            minute = self._situate().now.replace(second=0, microsecond=0)
            self._deadlines.set(("minute", armed.key), minute + timedelta(minutes=1))

    def _minute_due(self, armed: Armed) -> Iterator[Noticed]:
        if isinstance(armed.trigger, TemplateTrigger):
            situation = self._seen_by(armed)
            self._look_again(armed)
            yield from self._let_go(armed, situation)
            yield from self._taken(armed, _became_true(armed, armed.trigger, "", situation), situation)

    def _taken(self, armed: Armed, found: Fires | Ignored | None, situation: Situation) -> Iterator[Noticed]:
        if isinstance(found, Ignored):
            yield Noticed(armed=armed, verdict="unavailable_ignored", reason=found.reason)
        elif found is not None:
            yield from self._matched(armed, found, situation)

    def _is_own_motion(self, armed: Armed, fact: Fact, now: datetime) -> bool:
        """Return whether presence may be the echo of what the routine itself has just done."""
        trigger = armed.trigger
        if not isinstance(trigger, PresenceTrigger) or trigger.ignore_own_motion is None:
            return False
        if not isinstance(fact, PresenceFact) or not fact.present:
            return False
        last = self._last_effect(armed.routine.id)
        return last is not None and now - last < trigger.ignore_own_motion

    def _matched(self, armed: Armed, found: Fires, situation: Situation) -> Iterator[Noticed]:
        trigger = armed.trigger
        span = trigger.for_ if isinstance(trigger, HeldTrigger) else None
        try:
            held_for = None if span is None else _span(span, found, situation)
        except (NotKnown, TemplateFailed, ValueError) as error:
            yield Noticed(armed=armed, verdict="cannot_decide", reason=f"{found.reason}, but for: {error}")
            return
        if not held_for:
            yield self._fired(armed, found, "fired", found.reason)
            return
        if found.subject in self._held.get(armed.key, {}):
            return  # only an attribute changed, or its own motion interrupted it: neither counts
        self._hold(armed, found, situation.now + held_for)

    def _fired(self, armed: Armed, found: Fires, verdict: VerdictKind, reason: str) -> Noticed:
        return Noticed(armed=armed, verdict=verdict, reason=reason, variables=found.variables)

    def _hold(self, armed: Armed, fires: Fires, deadline: datetime) -> None:
        self._held.setdefault(armed.key, {})[fires.subject] = _Held(fires=fires, deadline=deadline)
        self._deadlines.set(("held", armed.key, fires.subject), deadline)
        self._notebook.note("held", _held_key(armed.key, fires.subject))

    def _drop(self, key: str, subject: str) -> None:
        held = self._held.get(key, {})
        held.pop(subject, None)
        if not held:
            self._held.pop(key, None)
        self._deadlines.cancel(("held", key, subject))
        self._notebook.note("held", _held_key(key, subject))

    def _let_go(self, armed: Armed, situation: Situation) -> Iterator[Noticed]:
        """Drop what a trigger holds and no longer is so; what is not known for a while is still held."""
        for subject, held in list(self._held.get(armed.key, {}).items()):
            fires = held.fires
            if still_holds(armed.trigger, subject, fires.value, fires.before, situation) is False:
                self._drop(armed.key, subject)
                until = held.deadline.astimezone(situation.timezone).isoformat(timespec="seconds")
                reason = f"{fires.reason}, but it did not last until {until}"
                yield Noticed(armed=armed, verdict="held_not_long_enough", reason=reason)

    def _held_due(self, armed: Armed, subject: str, at: datetime) -> Iterator[Noticed]:
        held = self._held.get(armed.key, {}).get(subject)
        if held is None or not isinstance(armed.trigger, HeldTrigger):
            return
        yield from self._let_go(armed, self._seen_by(armed))  # own motion that has stayed is somebody
        if subject not in self._held.get(armed.key, {}):
            return
        self._drop(armed.key, subject)
        fires, situation = held.fires, self._seen_by(armed)
        if still_holds(armed.trigger, subject, fires.value, fires.before, situation) is None:
            reason = f"{fires.reason}, but whether it still is so is not known"
            yield Noticed(armed=armed, verdict="cannot_decide", reason=reason)
            return
        late = situation.now - at
        limit = CATCH_UP_HELD if armed.trigger.catch_up is None else armed.trigger.catch_up
        reason = f"{fires.reason}, and it held"
        if late > max(ON_TIME, limit) and armed.wait is None:  # a wait goes on, however late
            words = f"{reason}, but that was {_rounded(late)} ago (catch_up is {limit})"
            yield Noticed(armed=armed, verdict="skipped_late", reason=words)
        else:
            verdict: VerdictKind = "caught_up" if late > ON_TIME else "fired"
            yield self._fired(armed, fires, verdict, reason)

    def _clock_due(self, armed: Armed, at: datetime) -> Iterator[Noticed]:
        trigger = armed.trigger
        if not isinstance(trigger, ClockTrigger):
            return
        situation = self._situate()
        now = situation.now
        limit = trigger.catch_up
        if limit is None:
            limit = _CATCH_UP_ONCE if armed.routine.once else timedelta(0)
        verdict: VerdictKind = "fired"
        if now - at > ON_TIME and armed.wait is None:
            # Of several that were missed, the last is the one to catch up with.
            last = (
                at
                if now - at <= limit
                else next_due(trigger, now - limit, situation.timezone, situation.place)
            )
            is_recent = bool(limit) and last is not None and last <= now
            verdict = "caught_up" if is_recent else "skipped_late"
            at = _last_before(trigger, last if last is not None and last <= now else at, situation)
        self._set_clock(armed, now)
        reason = words_for(trigger, at, situation.timezone)
        if verdict != "fired":
            reason = f"{reason}, but the hub was down or its clock was set ({_rounded(now - at)} late)"
        local = at.astimezone(situation.timezone).isoformat()
        fires = Fires(reason=reason, variables={"now": local})
        yield self._fired(armed, fires, verdict, reason)

    def _set_clock(self, armed: Armed, after: datetime, missed: datetime | None = None) -> None:
        assert isinstance(armed.trigger, ClockTrigger)
        situation = self._situate()
        at = missed or next_due(armed.trigger, after, situation.timezone, situation.place)
        if at is not None:
            self._deadlines.set(("clock", armed.key), at)
        self._notebook.note("clock", armed.key)

    def set_clocks(self) -> None:
        """Compute anew when time will fire what, after the wall clock was set back."""
        for armed in self._index.all():
            if isinstance(armed.trigger, ClockTrigger):
                self._set_clock(armed, self._situate().now)

    def shift(self, by: timedelta) -> None:
        """Move what is held, after the wall clock was set."""
        for key, subjects in self._held.items():
            for subject, held in subjects.items():
                subjects[subject] = _Held(fires=held.fires, deadline=held.deadline + by)
                self._notebook.note("held", _held_key(key, subject))

    def held_to_json(self, row_key: str) -> Json:
        """Return what is held under a row's key, None when nothing is any more."""
        key, _, subject = row_key.partition("|")
        held = self._held.get(key, {}).get(subject)
        if held is None:
            return None
        fires = held.fires
        return {
            "deadline": held.deadline.isoformat(),
            "reason": fires.reason,
            "value": fires.value,
            "before": fires.before,
            "variables": dict(fires.variables),
        }

    def recall_held(self, row_key: str, content: Mapping[str, Json]) -> bool:
        """Hold again what was held before the hub went down; return whether its trigger still exists."""
        key, _, subject = row_key.partition("|")
        armed = self._index.get(key)
        if armed is None:
            self._notebook.note("held", row_key)
            return False
        variables = content["variables"]
        fires = Fires(
            reason=str(content["reason"]),
            subject=subject,
            value=str(content["value"]),
            before=str(content["before"]),
            variables=variables if isinstance(variables, dict) else {},
        )
        self._hold(armed, fires, datetime.fromisoformat(str(content["deadline"])))
        return True

    def let_go_stale(self) -> Iterator[Noticed]:
        """Drop what is held and is no longer so, by what the links told after a restart."""
        for key in list(self._held):
            armed = self._index.get(key)
            if armed is not None:
                yield from self._let_go(armed, self._seen_by(armed))


def _became_true(
    armed: Armed, trigger: TemplateTrigger, entity_id: str, situation: Situation
) -> Fires | Ignored | None:
    was, armed.was_true = armed.was_true, is_now_true(trigger, situation)
    if not armed.was_true or was:
        return None
    if was is None:
        return Ignored(reason="the template is true, but what it said before is not known")
    return Fires(reason="the template became true", variables={"entity_id": entity_id})


def _last_before(trigger: ClockTrigger, at: datetime, situation: Situation) -> datetime:
    """Return the last instant until now at which a trigger fell due, ``at`` or one of those after it."""
    for _ in range(_MOST_MISSED):
        following = next_due(trigger, at, situation.timezone, situation.place)
        if following is None or following > situation.now:
            break
        at = following
    return at


def _held_key(key: str, subject: str) -> str:
    return f"{key}|{subject}"


def _span(span: float | str, found: Fires, situation: Situation) -> timedelta:
    if not is_template(span):
        return parse_duration(span)
    seen = {**situation.variables, "trigger": dict(found.variables)}
    return parse_duration(render(span, replace(situation, variables=seen).scope))


def _rounded(late: timedelta) -> timedelta:
    return timedelta(seconds=round(late.total_seconds()))

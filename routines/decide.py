"""Does a condition hold now? Yes, no, or an error that names what is not known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from routines.facts import UNKNOWN_STATES
from routines.home import Home
from routines.vocabulary.conditions import (
    AndCondition,
    Condition,
    NotCondition,
    OrCondition,
    PresenceCondition,
    StateCondition,
    TimeCondition,
)
from routines.vocabulary.words import WEEKDAYS


class CannotDecide(Exception):
    """A value that the condition needs is unknown or unavailable.

    Attributes
    ----------
    path : str
        Which condition, e.g. ``conditions[1].or[0]``.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


def decide(condition: Condition, path: str, *, home: Home, now: datetime, timezone: ZoneInfo) -> bool:
    """Return whether a condition holds.

    ``and`` is false as soon as one part is false, even when another cannot be decided; ``or`` likewise
    true (Kleene's logic): an unknown value matters only where it could change the answer.

    Raises
    ------
    CannotDecide
        The answer hangs on a value that is not known.
    """
    match condition:
        case StateCondition():
            return _state(condition, path, home, now)
        case PresenceCondition():
            return _presence(condition, path, home, now)
        case TimeCondition():
            return _time(condition, now.astimezone(timezone))
        case AndCondition(conditions=parts):
            return all_hold(parts, f"{path}.and", home=home, now=now, timezone=timezone)
        case OrCondition(conditions=parts):
            return _any_holds(parts, f"{path}.or", home, now, timezone)
        case NotCondition(conditions=parts):
            return not _any_holds(parts, f"{path}.not", home, now, timezone)
        case _:
            assert_never(condition)


def all_hold(
    conditions: tuple[Condition, ...], path: str, *, home: Home, now: datetime, timezone: ZoneInfo
) -> bool:
    """Return whether all conditions hold; see `decide`."""
    doubt: CannotDecide | None = None
    for index, part in enumerate(conditions):
        try:
            if not decide(part, f"{path}[{index}]", home=home, now=now, timezone=timezone):
                return False
        except CannotDecide as error:
            doubt = doubt or error
    if doubt is not None:
        raise doubt
    return True


def _any_holds(
    parts: tuple[Condition, ...], path: str, home: Home, now: datetime, timezone: ZoneInfo
) -> bool:
    doubt: CannotDecide | None = None
    for index, part in enumerate(parts):
        try:
            if decide(part, f"{path}[{index}]", home=home, now=now, timezone=timezone):
                return True
        except CannotDecide as error:
            doubt = doubt or error
    if doubt is not None:
        raise doubt
    return False


def _state(condition: StateCondition, path: str, home: Home, now: datetime) -> bool:
    known = home.state(condition.entity_id)
    if known is None:
        raise CannotDecide(path, f"{condition.entity_id} has never reported a state")
    if known.state in UNKNOWN_STATES and known.state not in condition.state:
        raise CannotDecide(path, f"{condition.entity_id} is {known.state}")
    held = now - known.since
    return known.state in condition.state and (condition.for_ is None or held >= condition.for_)


def _presence(condition: PresenceCondition, path: str, home: Home, now: datetime) -> bool:
    known = home.presence(condition.room)
    if known is None:
        raise CannotDecide(path, f"presence in {condition.room} is not known yet")
    held = now - known.since
    return known.present == condition.present and (condition.for_ is None or held >= condition.for_)


def _time(condition: TimeCondition, local: datetime) -> bool:
    """Return whether local time lies in the window ``[after, before)``, which may wrap midnight."""
    clock = local.time()
    day = local
    after, before = condition.after, condition.before
    is_inside = (after is None or clock >= after) and (before is None or clock < before)
    if after is not None and before is not None and after > before:
        is_inside = clock >= after or clock < before
        if condition.weekday_of == "window_start" and clock < before:
            day = local - timedelta(days=1)
    return is_inside and (condition.weekday is None or WEEKDAYS[day.weekday()] in condition.weekday)

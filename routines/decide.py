"""Does a condition hold now? Yes, no, or an error that names what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from routines.facts import UNKNOWN_STATES, Json
from routines.home import EntityState
from routines.schedule.sun import is_up, sun_event
from routines.situation import Situation
from routines.templates.template import compile_template, holds, render
from routines.templates.values import NotKnown, TemplateFailed
from routines.vocabulary.conditions import (
    AndCondition,
    Condition,
    NotCondition,
    NumericStateCondition,
    OrCondition,
    PresenceCondition,
    StateCondition,
    SunCondition,
    TemplateCondition,
    TimeCondition,
    TriggerCondition,
)
from routines.vocabulary.number_range import NumberRange
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


def decide(condition: Condition, path: str, situation: Situation) -> bool:
    """Return whether a condition holds.

    ``and`` is false as soon as one part is false, even when another cannot be decided; ``or`` likewise
    true (Kleene's logic): an unknown value matters only where it could change the answer.

    Raises
    ------
    CannotDecide
        The answer hangs on a value that is not known.
    """
    try:
        return _decide(condition, path, situation)
    except NotKnown as error:
        raise CannotDecide(path, str(error)) from error
    except TemplateFailed as error:
        raise CannotDecide(path, f"the template failed: {error}") from error


def all_hold(conditions: Sequence[Condition], path: str, situation: Situation) -> bool:
    """Return whether all conditions hold; see `decide`."""
    return first_false(conditions, path, situation) is None


def first_false(conditions: Sequence[Condition], path: str, situation: Situation) -> str | None:
    """Return the path of the first condition that does not hold, None when all do; see `decide`."""
    doubt: CannotDecide | None = None
    for where, part in _paths(conditions, path):
        try:
            if not decide(part, where, situation):
                return where
        except CannotDecide as error:
            doubt = doubt or error
    if doubt is not None:
        raise doubt
    return None


def _paths(conditions: Sequence[Condition], path: str) -> Iterable[tuple[str, Condition]]:
    return ((f"{path}[{index}]", part) for index, part in enumerate(conditions) if part.enabled)


def _any_holds(parts: Sequence[Condition], path: str, situation: Situation) -> bool:
    doubt: CannotDecide | None = None
    for where, part in _paths(parts, path):
        try:
            if decide(part, where, situation):
                return True
        except CannotDecide as error:
            doubt = doubt or error
    if doubt is not None:
        raise doubt
    return False


def _decide(condition: Condition, path: str, situation: Situation) -> bool:
    match condition:
        case StateCondition():
            return _state(condition, path, situation)
        case NumericStateCondition():
            return _numeric(condition, path, situation)
        case PresenceCondition():
            return _presence(condition, path, situation)
        case TimeCondition():
            return in_window(condition, situation.local)
        case SunCondition():
            return _sun(condition, path, situation)
        case TriggerCondition(id=ids):
            trigger = situation.variables.get("trigger")
            return isinstance(trigger, dict) and trigger.get("id") in ids
        case TemplateCondition(value_template=template):
            return holds(template, situation.scope)
        case AndCondition(conditions=parts):
            return all_hold(parts, f"{path}.and", situation)
        case OrCondition(conditions=parts):
            return _any_holds(parts, f"{path}.or", situation)
        case NotCondition(conditions=parts):
            return not _any_holds(parts, f"{path}.not", situation)
        case _:
            assert_never(condition)


def _known(entity_id: str, path: str, situation: Situation) -> EntityState:
    known = situation.home.state(entity_id)
    if known is None:
        raise CannotDecide(path, f"{entity_id} has never reported a state")
    return known


def _state(condition: StateCondition, path: str, situation: Situation) -> bool:
    doubt: CannotDecide | None = None
    wants_all = condition.match == "all"
    for entity_id in condition.entity_id:
        try:
            if _is_in(condition, entity_id, path, situation) is not wants_all:
                return not wants_all
        except CannotDecide as error:
            doubt = doubt or error
    if doubt is not None:
        raise doubt
    return wants_all


def _is_in(condition: StateCondition, entity_id: str, path: str, situation: Situation) -> bool:
    known = _known(entity_id, path, situation)
    value = known.state
    if value in UNKNOWN_STATES and (condition.attribute or value not in condition.state):
        raise CannotDecide(path, f"{entity_id} is {value}")
    if condition.attribute is not None:
        if condition.attribute not in known.attributes:
            raise CannotDecide(path, f"{entity_id} has no attribute {condition.attribute}")
        value = attribute_text(known.attributes[condition.attribute])
    held = situation.now - known.since
    return value in condition.state and (condition.for_ is None or held >= condition.for_)


def attribute_text(value: Json) -> str:
    """Return an attribute as states are written: on and off for yes and no."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def numeric_value(
    spec: NumberRange,
    entity_id: str,
    known: EntityState,
    path: str,
    situation: Situation,
) -> float:
    """Return the number that a numeric_state looks at.

    Raises
    ------
    CannotDecide
        There is none.
    """
    if known.state in UNKNOWN_STATES:
        raise CannotDecide(path, f"{entity_id} is {known.state}")
    value: Json = known.state
    if spec.attribute is not None:
        if spec.attribute not in known.attributes:
            raise CannotDecide(path, f"{entity_id} has no attribute {spec.attribute}")
        value = known.attributes[spec.attribute]
    if spec.value_template is not None:
        seen: Json = {"entity_id": entity_id, "state": known.state, "attributes": dict(known.attributes)}
        scope = replace(situation, variables={**situation.variables, "state": seen}).scope
        try:
            value = compile_template(spec.value_template).render(scope)
        except (NotKnown, TemplateFailed) as error:
            raise CannotDecide(path, str(error)) from error
    try:
        return float(value) if isinstance(value, str | int | float) else float("nan")
    except ValueError:
        raise CannotDecide(path, f"{entity_id} is {value!r}, which is no number") from None


def in_range(spec: NumberRange, number: float, path: str, situation: Situation) -> bool:
    """Return whether a number lies between the limits of a numeric_state.

    Raises
    ------
    CannotDecide
        A limit is an entity whose number is not known.
    """
    above, below = (_limit(limit, path, situation) for limit in (spec.above, spec.below))
    return (above is None or number > above) and (below is None or number < below)


def _limit(limit: float | str | None, path: str, situation: Situation) -> float | None:
    if limit is None or isinstance(limit, int | float):
        return limit
    known = _known(limit, path, situation)
    try:
        return float(known.state)
    except ValueError:
        raise CannotDecide(path, f"{limit} is {known.state!r}, which is no number") from None


def _numeric(condition: NumericStateCondition, path: str, situation: Situation) -> bool:
    for entity_id in condition.entity_id:
        known = _known(entity_id, path, situation)
        value = numeric_value(condition, entity_id, known, path, situation)
        if not in_range(condition, value, path, situation):
            return False
    return True


def _presence(condition: PresenceCondition, path: str, situation: Situation) -> bool:
    room = str(render(condition.room, situation.scope))
    known = situation.home.presence(room)
    if known is None:
        raise CannotDecide(path, f"presence in {room} is not known yet")
    if not known.is_known:
        raise CannotDecide(path, f"presence in {room} cannot be told at the moment")
    held = situation.now - known.since
    is_so = known.present == (condition.state == "detected")
    return is_so and (condition.for_ is None or held >= condition.for_)


def in_window(condition: TimeCondition, local: datetime) -> bool:
    """Return whether local time lies in the window ``[after, before)``, which may wrap midnight."""
    clock = local.time()
    day = local
    after, before = condition.after, condition.before
    is_inside = (after is None or clock >= after) and (before is None or clock < before)
    if after is not None and before is not None and after >= before:  # as in Home Assistant, all day if equal
        is_inside = clock >= after or clock < before
        if condition.weekday_of == "window_start" and clock < before:
            day = local - timedelta(days=1)
    return is_inside and (condition.weekday is None or WEEKDAYS[day.weekday()] in condition.weekday)


def _sun(condition: SunCondition, path: str, situation: Situation) -> bool:
    if situation.place is None:
        raise CannotDecide(path, "where the home is is not known; set home.latitude and home.longitude")
    after = None if condition.after is None else _is_past(condition.after, condition.after_offset, situation)
    before = (
        None
        if condition.before is None
        else not _is_past(condition.before, condition.before_offset, situation)
    )
    if condition.after == "sunset" and condition.before == "sunrise":
        return bool(after or before)  # the night, which midnight cuts in two
    return after is not False and before is not False


def _is_past(event: Literal["sunrise", "sunset"], offset: timedelta | None, situation: Situation) -> bool:
    """Return whether today's event is over; where the sun does not rise or set, whether it is as after it."""
    assert situation.place is not None  # seen by the caller
    at = sun_event(event, situation.local.date(), situation.place, situation.timezone)
    if at is None:
        return is_up(situation.place, situation.now) == (event == "sunrise")
    return situation.now >= at + (offset or timedelta(0))

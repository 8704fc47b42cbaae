"""What must be so when conditions hold: enough to see that some can never hold together.

All of it errs on one side. What is known is never more than what the conditions say, so that two lists of
conditions that exclude each other here really do; many that exclude each other are not noticed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from routines.analysis.expressions import StateDemand, TriggerDemand, demand_of
from routines.analysis.ranges import Minutes, Range, Span, Words, covers, joined, met
from routines.analysis.windows import is_whole_minutes, minutes_of
from routines.templates.template import is_template
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

Key = tuple[str, ...]
"""Of what something is known: ``("state", "light.hall", "")`` with the attribute last, ``("time",)``."""
Known = Mapping[Key, Range]
NOTHING: Known = {}
_NEVER: Known = {("never",): Words(frozenset())}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is known when a condition holds; ``is_exact`` when it also holds whenever that is so."""

    known: Known
    is_exact: bool


def known_from(conditions: Iterable[Condition]) -> Known:
    """Return what must be so when all conditions hold."""
    known: Known = NOTHING
    for condition in conditions:
        if condition.enabled:
            known = both(known, meaning_of(condition).known)
    return known


def both(one: Known, other: Known) -> Known:
    """Return what is known from two sides."""
    if not one or not other:
        return one or other
    merged = dict(one)
    for key, values in other.items():
        merged[key] = met(merged[key], values) if key in merged else values
    return merged


def impossible(known: Known) -> Key | None:
    """Return of what so much is known that it cannot be, or None."""
    return next((key for key, values in known.items() if values.is_empty), None)


def implies(some: Sequence[Condition], others: Sequence[Condition]) -> bool:
    """Return whether the others all hold whenever some hold."""
    known = known_from(some)
    said = [_plain(one) for one in some if one.enabled]
    return all(_plain(one) in said or _follows(known, meaning_of(one)) for one in others if one.enabled)


def denied(conditions: Sequence[Condition]) -> Known:
    """Return what must be so when not all conditions hold."""
    every = AndCondition(condition="and", conditions=tuple(conditions))
    return meaning_of(NotCondition(condition="not", conditions=(every,))).known


def _plain(condition: Condition) -> Condition:
    return condition if condition.alias is None else condition.model_copy(update={"alias": None})


def _follows(known: Known, meaning: Meaning) -> bool:
    return meaning.is_exact and all(
        key in known and covers(values, known[key]) for key, values in meaning.known.items()
    )


def meaning_of(condition: Condition) -> Meaning:
    """Return what is known when a condition holds."""
    match condition:
        case StateCondition():
            return _state(condition)
        case NumericStateCondition():
            return _number(condition)
        case PresenceCondition(room=room, state=state, for_=held):
            known: Known = NOTHING if is_template(room) else {("presence", room): Words(frozenset({state}))}
            return Meaning(known, is_exact=bool(known) and held is None)
        case TriggerCondition(id=ids):
            return Meaning({("trigger",): Words(frozenset(ids))}, is_exact=True)
        case TimeCondition():
            return Meaning({("time",): Minutes(minutes_of(condition))}, is_exact=is_whole_minutes(condition))
        case SunCondition():
            return _sun(condition)
        case TemplateCondition(value_template=template):
            return _template(template)
        case AndCondition(conditions=parts):
            return Meaning(known_from(parts), all(meaning_of(part).is_exact for part in _enabled(parts)))
        case OrCondition(conditions=parts):
            return _any(parts)
        case NotCondition(conditions=parts):
            return _none(parts)


def _enabled(parts: Iterable[Condition]) -> list[Condition]:
    return [part for part in parts if part.enabled]


def _state(condition: StateCondition) -> Meaning:
    if condition.match == "any" and len(condition.entity_id) > 1:
        return Meaning(NOTHING, is_exact=False)
    states = Words(frozenset(condition.state))
    known: Known = {
        ("state", entity_id, condition.attribute or ""): states for entity_id in condition.entity_id
    }
    return Meaning(known, is_exact=condition.for_ is None)


def _number(condition: NumericStateCondition) -> Meaning:
    limits = (condition.above, condition.below)
    if condition.value_template is not None:
        return Meaning(NOTHING, is_exact=False)
    above, below = (limit if isinstance(limit, int | float) else None for limit in limits)
    span = Span(-math.inf if above is None else above, math.inf if below is None else below)
    known: Known = {
        ("number", entity_id, condition.attribute or ""): span for entity_id in condition.entity_id
    }
    return Meaning(known, is_exact=not any(isinstance(limit, str) for limit in limits))


def _sun(condition: SunCondition) -> Meaning:
    if condition.after == "sunset" and condition.before == "sunrise":
        return Meaning(NOTHING, is_exact=False)  # the night is either of the two
    known: Known = NOTHING
    if condition.after is not None:
        offset = condition.after_offset.total_seconds() if condition.after_offset else 0.0
        known = both(known, {("sun", condition.after): Span(above=offset)})
    if condition.before is not None:
        offset = condition.before_offset.total_seconds() if condition.before_offset else 0.0
        known = both(known, {("sun", condition.before): Span(below=offset)})
    return Meaning(known, is_exact=True)


def _template(template: str) -> Meaning:
    match demand_of(template):
        case True:
            return Meaning(NOTHING, is_exact=True)
        case False:
            return Meaning(_NEVER, is_exact=True)
        case StateDemand(entity_id=entity_id, states=states):
            return Meaning({("state", entity_id, ""): Words(states)}, is_exact=True)
        case TriggerDemand(ids=ids):
            return Meaning({("trigger",): Words(ids)}, is_exact=True)
        case _:
            return Meaning(NOTHING, is_exact=False)


def _any(parts: Sequence[Condition]) -> Meaning:
    meanings = [meaning_of(part) for part in _enabled(parts)]
    possible = [meaning for meaning in meanings if impossible(meaning.known) is None]
    if not possible:
        return Meaning(_NEVER, is_exact=True)
    first, *others = possible
    shared = dict(first.known)
    for meaning in others:
        shared = {
            key: joined(values, meaning.known[key]) for key, values in shared.items() if key in meaning.known
        }
    of_words = all(isinstance(values, Words) for values in shared.values())
    about_one = all(len(meaning.known) == 1 and meaning.known.keys() == shared.keys() for meaning in possible)
    is_exact = (of_words and about_one) or len(possible) == 1
    return Meaning(shared, is_exact and all(meaning.is_exact for meaning in possible))


def _none(parts: Sequence[Condition]) -> Meaning:
    known, is_exact = NOTHING, True
    for part in _enabled(parts):
        meaning = meaning_of(part)
        if not meaning.is_exact or len(meaning.known) > 1:
            is_exact = False
        elif not meaning.known:
            return Meaning(_NEVER, is_exact=True)
        else:
            [(key, values)] = meaning.known.items()
            if key == ("never",):
                continue
            is_exact = is_exact and not isinstance(values, Span)
            known = both(known, {key: values.negated()})
    return Meaning(known, is_exact)

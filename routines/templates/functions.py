"""The filters, functions, methods and tests that templates may use; nothing else can be called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import assert_never

from routines.facts import UNKNOWN_STATES, Json
from routines.templates.values import (
    MAX_SIZE,
    MAX_TEXT,
    Missing,
    NotKnown,
    Scope,
    TemplateFailed,
    Unknown,
    Value,
    bounded,
    is_something,
    is_true,
    known,
    number,
    parse_json,
    shown,
    text,
)

Arguments = Sequence[Value]
_NOTHING = Missing("")
_FORMATS = re.compile(r"(?:[^%]|%-?[aAbBdHIjmMpSuVwyY%])*")
"""Formats of times without field widths, which can ask for gigabytes."""


def _to_number(value: Value, default: Value, convert: Callable[[str], int | float]) -> Value:
    if isinstance(value, Missing | Unknown):
        return known(value) if default is _NOTHING else default
    try:
        if isinstance(value, bool | int | float | str):
            result = convert(str(float(value)) if isinstance(value, bool | int | float) else value.strip())
            if result == result and abs(result) != float("inf"):
                return bounded(result)
    except (ValueError, OverflowError):
        pass
    if default is _NOTHING:
        raise TemplateFailed(f"{shown(value)} is not a number; give a default, e.g. | float(0)")
    return default


def _round(value: Value, digits: Value = 0) -> Value:
    places = int(number(digits, "round"))
    if abs(places) > 15:
        raise TemplateFailed("round takes at most 15 digits")
    result = round(number(value, "round"), places)
    return int(result) if places == 0 else result


def _replace(value: Value, old: Value, new: Value) -> Value:
    whole, before, after = text(value), text(old), text(new)
    if len(whole) + whole.count(before) * max(0, len(after) - len(before)) > MAX_TEXT:
        raise TemplateFailed("the text would become too long")
    return whole.replace(before, after)


def _join(value: Value, glue: Value = "") -> Value:
    parts, between = [text(item) for item in items(value)], text(glue)
    if sum(map(len, parts)) + len(between) * len(parts) > MAX_TEXT:
        raise TemplateFailed("the text would become too long")
    return between.join(parts)


def items(value: Value) -> Sequence[Value]:
    """Return the items of a list.

    Raises
    ------
    TemplateFailed
        It is no list.
    """
    value = known(value)
    if isinstance(value, list | tuple):
        return value
    raise TemplateFailed(f"{shown(value)} is not a list")


def _length(value: Value) -> Value:
    value = known(value)
    if isinstance(value, str | list | tuple | dict):
        return len(value)
    raise TemplateFailed(f"{shown(value)} has no length")


def _from_json(value: Value) -> Value:
    try:
        return bounded(parse_json(text(value)))
    except ValueError:
        raise TemplateFailed(f"{shown(value)} is not JSON") from None


def _extreme(pick: Callable[[Sequence[float]], float]) -> Callable[..., Value]:
    def chosen(*values: Value) -> Value:
        among = items(values[0]) if len(values) == 1 else values
        if not among:
            raise TemplateFailed("min and max need at least one number")
        return pick([number(value, "min and max") for value in among])

    return chosen


def _default(value: Value, instead: Value = "", also_false: Value = False) -> Value:
    if isinstance(value, Missing | Unknown):
        return instead
    return instead if also_false is True and not is_something(value) else value


def _sorted(value: Value) -> Value:
    values = [known(item) for item in items(value)]
    if all(isinstance(item, str) for item in values):
        return sorted(values, key=str)
    return sorted(values, key=lambda item: number(item, "sort"))


FILTERS: Mapping[str, Callable[..., Value]] = {
    "abs": lambda value: abs(number(value, "abs")),
    "bool": lambda value, default=_NOTHING: _to_bool(value, default),
    "capitalize": lambda value: text(value).capitalize(),
    "default": _default,
    "d": _default,
    "first": lambda value: _item_or_missing(items(value), 0),
    "float": lambda value, default=_NOTHING: _to_number(value, default, float),
    "from_json": _from_json,
    "iif": lambda value, yes=True, no=False: yes if is_something(value) else no,
    "int": lambda value, default=_NOTHING: _to_number(value, default, lambda words: int(float(words))),
    "join": _join,
    "last": lambda value: _item_or_missing(items(value), -1),
    "length": _length,
    "count": _length,
    "list": lambda value: list(items(value)),
    "lower": lambda value: text(value).lower(),
    "max": _extreme(max),
    "min": _extreme(min),
    "replace": _replace,
    "round": _round,
    "sort": _sorted,
    "string": text,
    "sum": lambda value: bounded(sum(number(item, "sum") for item in items(value))),
    "title": lambda value: text(value).title(),
    "trim": lambda value: text(value).strip(),
    "upper": lambda value: text(value).upper(),
}


def _to_bool(value: Value, default: Value) -> Value:
    try:
        return is_true(value)
    except (NotKnown, TemplateFailed):
        if default is _NOTHING:
            raise
        return default


def _item_or_missing(values: Sequence[Value], index: int) -> Value:
    return values[index] if values else Missing("an item of an empty list")


def _state(scope: Scope, entity_id: Value) -> Value:
    name = text(entity_id)
    found = scope.home.state(name)
    if found is None:
        return Missing(f"the state of {name}")
    return Unknown(name, found.state) if found.state in UNKNOWN_STATES else found.state


def _state_attribute(scope: Scope, entity_id: Value, attribute: Value) -> Value:
    name, key = text(entity_id), text(attribute)
    found = scope.home.state(name)
    if found is None or found.state in UNKNOWN_STATES:
        return _state(scope, entity_id)
    return from_json_value(found.attributes[key]) if key in found.attributes else Missing(f"{name}.{key}")


def equal(left: Value, right: Value) -> bool:
    """Return whether two values are the same; an unknown state equals only its own word.

    Raises
    ------
    NotKnown
        The answer hangs on a value that is not known.
    """
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Unknown) and isinstance(other, str) and other in UNKNOWN_STATES:
            return one.state == other
    return known(left) == known(right)


def _today_at(scope: Scope, clock: Value) -> Value:
    try:
        moment = time.fromisoformat(text(clock))
    except ValueError:
        raise TemplateFailed(f"today_at needs a time such as '07:30', not {shown(clock)}") from None
    return datetime.combine(scope.now.date(), moment, scope.now.tzinfo)


def _timestamp(value: Value) -> Value:
    value = known(value)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise TemplateFailed(f"{shown(value)} is not a time") from None
    return value.timestamp() if isinstance(value, datetime) else number(value, "as_timestamp")


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "now": lambda scope: scope.now,
    "today_at": _today_at,
    "states": _state,
    "is_state": lambda scope, entity_id, state: _is_any(_state(scope, entity_id), state),
    "state_attr": _state_attribute,
    "is_state_attr": lambda scope, entity_id, key, value: equal(
        _state_attribute(scope, entity_id, key), value
    ),
    "has_value": lambda scope, entity_id: not isinstance(_state(scope, entity_id), Missing | Unknown),
    "as_timestamp": lambda _scope, value: _timestamp(value),
    "iif": lambda _scope, value, yes=True, no=False: yes if is_something(value) else no,
    "min": lambda _scope, *values: FILTERS["min"](*values),
    "max": lambda _scope, *values: FILTERS["max"](*values),
    "float": lambda _scope, value, default=_NOTHING: FILTERS["float"](value, default),
    "int": lambda _scope, value, default=_NOTHING: FILTERS["int"](value, default),
}
"""Functions by name; each is given the scope first."""


def _is_any(found: Value, wanted: Value) -> bool:
    among = wanted if isinstance(wanted, list | tuple) else [wanted]
    return any(equal(found, one) for one in among)


def _string_method(method: Callable[..., Value]) -> Callable[..., Value]:
    def call(value: Value, *arguments: Value) -> Value:
        if not isinstance(known(value), str):
            raise TemplateFailed(f"{shown(value)} is not a text")
        return method(value, *(text(argument) for argument in arguments))

    return call


def _time_method(method: Callable[..., Value]) -> Callable[..., Value]:
    def call(value: Value, *arguments: Value) -> Value:
        if not isinstance(known(value), datetime):
            raise TemplateFailed(f"{shown(value)} is not a time")
        return method(value, *arguments)

    return call


def _format_time(value: datetime, form: Value) -> Value:
    pattern = text(form)
    if len(pattern) > 100 or not _FORMATS.fullmatch(pattern):
        raise TemplateFailed(f"the format {shown(pattern)} is not understood")
    return value.strftime(pattern)


METHODS: Mapping[str, Callable[..., Value]] = {
    "capitalize": _string_method(str.capitalize),
    "endswith": _string_method(str.endswith),
    "isoformat": _time_method(datetime.isoformat),
    "isoweekday": _time_method(datetime.isoweekday),
    "lower": _string_method(str.lower),
    "replace": _string_method(_replace),
    "split": _string_method(lambda value, *by: bounded(value.split(*by[:1]) if by != ("",) else [value])),
    "startswith": _string_method(str.startswith),
    "strftime": _time_method(_format_time),
    "strip": _string_method(str.strip),
    "timestamp": _time_method(datetime.timestamp),
    "title": _string_method(str.title),
    "upper": _string_method(str.upper),
    "weekday": _time_method(datetime.weekday),
}
"""What may be called on a text or a time; never found by looking into the object."""

TIME_FIELDS: Mapping[str, Callable[[datetime], int]] = {
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
}

TESTS: Mapping[str, Callable[[Value], bool]] = {
    "defined": lambda value: not isinstance(value, Missing | Unknown),
    "undefined": lambda value: isinstance(value, Missing | Unknown),
    "none": lambda value: known(value) is None,
    "number": lambda value: isinstance(known(value), int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(known(value), str),
    "boolean": lambda value: isinstance(known(value), bool),
    "true": lambda value: known(value) is True,
    "false": lambda value: known(value) is False,
    "mapping": lambda value: isinstance(known(value), dict),
    "sequence": lambda value: isinstance(known(value), list | tuple | str),
    "odd": lambda value: number(value, "odd") % 2 == 1,
    "even": lambda value: number(value, "even") % 2 == 0,
}


def from_json_value(value: Json) -> Value:
    """Return JSON as a template sees it."""
    return value


def to_json_value(value: Value) -> Json:
    """Return a template's result as JSON; instants become RFC 3339 texts.

    Raises
    ------
    NotKnown
        Something in it is missing or unknown.
    TemplateFailed
        It is too large in all: a list that holds itself twice, made again and again, fills the memory.
    """
    return _Plain().of(value)


class _Plain:
    """Makes JSON and counts how much it has made: one for each value, and the characters of texts."""

    def __init__(self) -> None:
        self._left = MAX_SIZE

    def of(self, value: Value) -> Json:
        """Return a value as JSON."""
        self._left -= 1 + (len(value) if isinstance(value, str) else 0)
        if self._left < 0:
            raise TemplateFailed(f"the result is too large (at most {MAX_SIZE} items and characters)")
        match known(value):
            case None | bool() | int() | float() | str() as plain:
                return plain
            case datetime() as instant:
                return instant.isoformat()
            case list() | tuple() as sequence:
                return [self.of(item) for item in sequence]
            case Mapping() as mapping:
                return {key: self.of(item) for key, item in mapping.items()}
            case Missing() | Unknown() | Sequence() as odd:
                raise TemplateFailed(f"{odd!r} is no result")
            case never:
                assert_never(never)

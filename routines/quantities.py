"""Durations and times of day as users write them."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86_400}
_WORDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|sec|seconds?|min|minutes?|h|hours?|days?)")
_LONGEST = timedelta(days=3_653)
_CLOCK = re.compile(r"(\d{1,6}):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?")


def parse_duration(value: object) -> timedelta:
    """Return a duration from ``"00:05:00"``, ``300``, ``"5 min"`` or ``{minutes: 5}``.

    Raises
    ------
    ValueError
        The value is none of these, or negative.
    """
    if isinstance(value, timedelta):
        return value
    try:
        duration = _duration(value)
    except OverflowError:
        duration = None
    if duration is not None and duration <= _LONGEST:
        return duration
    if duration is not None:
        raise ValueError(f"{value!r} is longer than ten years")
    raise ValueError(f'{value!r} is not a duration; write "00:05:00", 300 (seconds) or "5 min"')


def _duration(value: object) -> timedelta | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return timedelta(seconds=value)
    if isinstance(value, dict) and value and _are_parts(value):
        return timedelta(**value)
    if isinstance(value, str):
        if clock := _CLOCK.fullmatch(value.strip()):
            hours, minutes, seconds = clock.groups(default="0")
            return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
        if words := _WORDS.fullmatch(value.strip()):
            unit = words.group(2) if words.group(2) in _UNITS else words.group(2).rstrip("s")
            return timedelta(seconds=float(words.group(1)) * _UNITS[unit])
    return None


def _are_parts(value: dict[object, object]) -> bool:
    """Return whether a mapping is made of hours, minutes and the like."""
    has_numbers = all(isinstance(part, int | float) and part >= 0 for part in value.values())
    return has_numbers and value.keys() <= {"days", "hours", "minutes", "seconds"}


def parse_time(value: object) -> time:
    """Return a time of day from ``"07:30"`` or ``"07:30:15"``.

    Raises
    ------
    ValueError
        The value is no time of day. Unquoted ``22:30`` reaches us as a number in old YAML; quote it.
    """
    if isinstance(value, time):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", value):
        try:
            return time.fromisoformat(value if value[2] == ":" else f"0{value}")
        except ValueError:
            pass
    raise ValueError(f'{value!r} is not a time of day; write "07:30" or "07:30:15" in quotes')


def parse_offset(value: object) -> timedelta:
    """Return a duration that may be negative, ``"-00:30:00"`` or ``-1800``.

    Raises
    ------
    ValueError
        See `parse_duration`.
    """
    if isinstance(value, str) and value.strip().startswith(("-", "+")):
        sign = -1 if value.strip()[0] == "-" else 1
        return sign * parse_duration(value.strip()[1:])
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return -parse_duration(-value)
    return parse_duration(value)


_seconds = PlainSerializer(timedelta.total_seconds, return_type=float)
_Written = str | float | dict[str, float]

Duration = Annotated[timedelta, BeforeValidator(parse_duration, json_schema_input_type=_Written), _seconds]
Offset = Annotated[timedelta, BeforeValidator(parse_offset, json_schema_input_type=_Written), _seconds]
TimeOfDay = Annotated[time, BeforeValidator(parse_time, json_schema_input_type=str)]

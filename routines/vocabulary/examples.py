"""The tests that a routine brings along: given, when, expect."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from routines.quantities import Duration
from routines.vocabulary.words import State, Word, as_tuple


class GivenState(Word):
    """A state with attributes."""

    state: State
    attributes: dict[str, JsonValue] = Field(default_factory=dict)


States = dict[str, GivenState | State]
"""States by entity; ``presence.<room>`` is detected or not_detected."""


class Expected(Word):
    """What must have happened; what is left out is not looked at.

    Calls and messages are compared in order and number, their data as far as it is written here. As a step it
    is about what happened since the step before it that expected something, at the end about everything.
    """

    calls: tuple[dict[str, JsonValue], ...] | None = None
    calls_count: int | None = None
    published: tuple[dict[str, JsonValue], ...] | None = None
    said: Annotated[tuple[dict[str, JsonValue] | str, ...] | None, BeforeValidator(lambda v: _listed(v))] = (
        None
    )
    notified: Annotated[
        tuple[dict[str, JsonValue] | str, ...] | None, BeforeValidator(lambda v: _listed(v))
    ] = None
    played: Annotated[
        tuple[dict[str, JsonValue] | str, ...] | None, BeforeValidator(lambda v: _listed(v))
    ] = None
    slots: dict[str, JsonValue] | None = None
    runs: int | None = None
    results: tuple[str, ...] | None = None
    verdicts: dict[str, Annotated[tuple[str, ...], BeforeValidator(as_tuple)]] | None = None


def _listed(value: object) -> object:
    return value if value is None else as_tuple(value)


class Step(Word):
    """One thing that happens; exactly one of its kinds, with the words that go with it."""

    presence: str | None = None
    to: Literal["detected", "not_detected"] | None = None
    kind: Literal["major", "minor"] | None = None
    confidence: float | None = None
    set: States | None = None
    advance: Duration | None = None
    restart: Duration | None = None
    expect: Expected | None = None
    say: str | None = None
    heard_by: str | None = None
    room: str | None = None
    mqtt: str | None = None
    payload: JsonValue = None
    event: str | None = None
    data: dict[str, JsonValue] | None = None
    location: str | None = None
    zone: str | None = None
    fail: str | None = None
    error: str | None = None
    run: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        kinds = [kind for kind in _STEP_KINDS if getattr(self, kind) is not None]
        if kinds == ["event", "location"]:  # {location: jane, zone: home, event: enter}
            kinds = ["location"]
        if len(kinds) != 1:
            raise ValueError(f"a step is one of {', '.join(_STEP_KINDS)}")
        if kinds == ["presence"] and self.to is None:
            raise ValueError("a presence step needs to: detected or not_detected")
        return self


_STEP_KINDS = (
    "presence",
    "set",
    "advance",
    "restart",
    "expect",
    "say",
    "mqtt",
    "event",
    "location",
    "fail",
    "run",
)


def _when_it_is(value: str) -> str:
    datetime.fromisoformat(value)
    return value


class Example(Word):
    """A test of a routine, played in virtual time through the engine itself."""

    name: str
    at: Annotated[str, AfterValidator(_when_it_is)] = "2026-01-05T12:00:00"
    timezone: str | None = None
    given: States = Field(default_factory=dict)
    when: tuple[Step, ...] = ()
    expect: Expected = Expected()

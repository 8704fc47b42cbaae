"""Conditions: yes, no, and what cannot be decided."""

from __future__ import annotations

from datetime import datetime

import pytest

from routines.facts import Fact, Json
from routines.schedule.sun import Place
from tests.routines.house import House, message, presence, state

YES, NO, DOUBT = "fired", "condition_false", "cannot_decide"
HOME: list[Fact] = [
    state("light.a", "on", brightness=80, is_dimmed=True),
    state("light.b", "off"),
    state("sensor.t", "21.5", limit=20),
    state("sensor.text", "warm"),
    state("sensor.gone", "unavailable", limit=1),
    state("input_number.low", "20"),
    presence(room="hall"),
    presence(room="den"),
]


def verdict(
    condition: str, *, at: str = "2026-11-20T12:00Z", timezone: str = "UTC", place: Place | None = None
) -> str:
    """Return what a gate of one condition says; Friday, 20 November, noon."""
    house = House(
        "  - id: a\n    triggers: [{trigger: mqtt, topic: go, id: push}]\n"
        f"    conditions: [{condition}]\n    actions: [{{say: x}}]\n",
        start=datetime.fromisoformat(at),
        timezone=timezone,
        place=place,
        given=HOME,
    )
    house.tell(presence(False, room="den"))
    house.tell(message(), after=30)
    return house.verdicts[-1]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{condition: state, entity_id: light.a, state: 'on'}", YES),
        ("{condition: state, entity_id: light.a, state: on}", YES),
        ("{condition: state, entity_id: light.a, state: ['off', 'on']}", YES),
        ("{condition: state, entity_id: [light.a, light.b], state: 'on'}", NO),
        ("{condition: state, entity_id: [light.a, light.b], state: 'on', match: any}", YES),
        ("{condition: state, entity_id: light.a, state: 'on', for: 30}", YES),
        ("{condition: state, entity_id: light.a, state: 'on', for: 31}", NO),
        ("{condition: state, entity_id: light.a, attribute: brightness, state: 80}", YES),
        ("{condition: state, entity_id: light.a, attribute: is_dimmed, state: on}", YES),
        ("{condition: state, entity_id: light.a, attribute: nothing, state: 80}", DOUBT),
        ("{condition: state, entity_id: light.never, state: 'on'}", DOUBT),
        ("{condition: state, entity_id: sensor.gone, state: 'on'}", DOUBT),
        ("{condition: state, entity_id: sensor.gone, state: unavailable}", YES),
        ("{condition: state, entity_id: sensor.gone, attribute: limit, state: 1}", DOUBT),
        ("{condition: state, entity_id: [sensor.gone, light.b], state: 'on'}", NO),
        ("{condition: state, entity_id: [sensor.gone, light.a], state: 'on'}", DOUBT),
        ("{condition: state, entity_id: [sensor.gone, light.a], state: 'on', match: any}", YES),
        ("{condition: state, entity_id: [sensor.gone, light.b], state: 'on', match: any}", DOUBT),
        ("{condition: state, entity_id: light.b, state: 'on', enabled: false}", YES),
        ("{condition: numeric_state, entity_id: sensor.t, above: 21}", YES),
        ("{condition: numeric_state, entity_id: sensor.t, above: 21.5}", NO),
        ("{condition: numeric_state, entity_id: sensor.t, above: 21, below: 22}", YES),
        ("{condition: numeric_state, entity_id: sensor.t, above: input_number.low}", YES),
        ("{condition: numeric_state, entity_id: sensor.t, above: sensor.never}", DOUBT),
        ("{condition: numeric_state, entity_id: sensor.t, below: sensor.gone}", DOUBT),
        ("{condition: numeric_state, entity_id: sensor.t, attribute: limit, below: 21}", YES),
        ("{condition: numeric_state, entity_id: sensor.text, above: 1}", DOUBT),
        ("{condition: numeric_state, entity_id: sensor.gone, above: 1}", DOUBT),
        ("{condition: numeric_state, entity_id: sensor.t, above: 40, value_template:"
         " '{{ state.attributes.limit * 2.5 }}'}", YES),
        ("{condition: numeric_state, entity_id: sensor.t, above: 4, value_template: '{{ nobody }}'}", DOUBT),
        ("{condition: presence, room: hall}", YES),
        ("{condition: presence, room: hall, present: false}", NO),
        ("{condition: presence, room: den, state: not_detected, for: 30}", YES),
        ("{condition: presence, room: den, state: not_detected, for: 31}", NO),
        ("{condition: presence, room: hall, for: '00:00:30'}", YES),
        ("{condition: presence, room: attic}", DOUBT),
        ("{condition: presence, room: \"{{ 'ha' ~ 'll' }}\"}", YES),
        ("{condition: presence, room: '{{ nobody }}'}", DOUBT),
        ("{condition: trigger, id: push}", YES),
        ("{condition: trigger, id: [other, push]}", YES),
        ("{condition: trigger, id: other}", NO),
        ("{condition: template, value_template: '{{ 1 < 2 }}'}", YES),
        ("{condition: template, value_template: 1 > 2}", NO),
        ("\"{{ is_state('light.a', 'on') }}\"", YES),
        ("\"{{ states('sensor.gone') == 'on' }}\"", DOUBT),
        ("\"{{ states('light.never') }}\"", DOUBT),
        ("\"{{ 'perhaps' }}\"", DOUBT),
        ("'{{ 1 / 0 }}'", DOUBT),
    ],
)  # fmt: skip
def test_a_condition_is_decided_by_the_home(condition: str, expected: str) -> None:
    assert verdict(condition) == expected


TRUTH: dict[str, str] = {
    "t": "'{{ true }}'",
    "f": "'{{ false }}'",
    "u": "{condition: state, entity_id: light.never, state: 'on'}",
}


@pytest.mark.parametrize(
    ("word", "parts", "expected"),
    [
        ("and", "tt", YES), ("and", "tf", NO), ("and", "uf", NO), ("and", "fu", NO), ("and", "ut", DOUBT),
        ("and", "", YES), ("or", "ff", NO), ("or", "ft", YES), ("or", "ut", YES), ("or", "tu", YES),
        ("or", "uf", DOUBT), ("or", "", NO), ("not", "f", YES), ("not", "t", NO), ("not", "u", DOUBT),
        ("not", "ut", NO), ("not", "uf", DOUBT), ("not", "ff", YES),
    ],
)  # fmt: skip
def test_unknown_values_matter_only_where_they_could_change_the_answer(
    word: str, parts: str, expected: str
) -> None:
    listed = ", ".join(TRUTH[part] for part in parts)
    assert verdict(f"{{condition: {word}, conditions: [{listed}]}}") == expected
    assert verdict(f"{{{word}: [{listed}]}}") == expected


def test_the_verdict_names_the_condition_and_why() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: mqtt, topic: go}]\n    conditions:\n"
        "      - '{{ true }}'\n      - not: [{or: [{condition: state, entity_id: light.x, state: 'on'}]}]\n"
        "    actions: [{say: x}]"
    )
    house.tell(message(), state("light.x", "on"), message())
    assert "conditions[1].not[0].or[0]" in house.reasons[0]
    assert "light.x has never reported a state" in house.reasons[0]
    assert house.reasons[1].endswith("conditions[1] is false")


@pytest.mark.parametrize(
    ("window", "at", "expected"),
    [
        ("after: '08:00', before: '20:00'", "2026-11-20T08:00Z", YES),
        ("after: '08:00', before: '12:00:30'", "2026-11-20T12:00Z", NO),
        ("after: '22:00', before: '06:00'", "2026-11-20T23:00Z", YES),
        ("after: '22:00', before: '06:00'", "2026-11-20T05:59Z", YES),
        ("after: '22:00', before: '06:00'", "2026-11-20T12:00Z", NO),
        ("after: '06:00', before: '06:00'", "2026-11-20T12:00Z", YES),
        ("after: '12:00:30'", "2026-11-20T12:00Z", YES),
        ("before: '12:00:30'", "2026-11-20T12:00Z", NO),
        ("weekday: fri", "2026-11-20T12:00Z", YES),
        ("weekday: [mon, thu]", "2026-11-20T12:00Z", NO),
        # Friday's window in the small hours of Saturday
        ("after: '22:00', before: '06:00', weekday: fri", "2026-11-21T01:00Z", NO),
        ("after: '22:00', before: '06:00', weekday: fri, weekday_of: window_start", "2026-11-21T01:00Z", YES),
        ("after: '22:00', before: '06:00', weekday: fri, weekday_of: window_start", "2026-11-20T01:00Z", NO),
        ("after: '22:00', before: '06:00', weekday: fri, weekday_of: window_start", "2026-11-20T23:00Z", YES),
    ],
)
def test_a_window_of_time_may_wrap_midnight(window: str, at: str, expected: str) -> None:
    assert verdict(f"{{condition: time, {window}}}", at=at) == expected


def test_a_window_goes_by_the_clock_of_the_house() -> None:
    window = "{condition: time, after: '20:00', before: '22:00'}"
    assert verdict(window, at="2026-11-20T12:00Z", timezone="Asia/Tokyo") == YES
    assert verdict(window, at="2026-11-20T20:00Z", timezone="Asia/Tokyo") == NO


BERLIN, SYDNEY, POLAR = Place(latitude=52.5, longitude=13.4), Place(latitude=-33.9, longitude=151.2), Place(
    latitude=78.2, longitude=15.6
)  # fmt: skip
NIGHT, DAY = "after: sunset, before: sunrise", "after: sunrise, before: sunset"


@pytest.mark.parametrize(
    ("place", "zone", "words", "at", "expected"),
    [
        (BERLIN, "Europe/Berlin", "after: sunset", "2026-11-20T15:00Z", NO),
        (BERLIN, "Europe/Berlin", "after: sunset", "2026-11-20T15:10Z", YES),
        (BERLIN, "Europe/Berlin", "after: sunset, after_offset: '-00:30:00'", "2026-11-20T15:00Z", YES),
        (BERLIN, "Europe/Berlin", "after: sunset", "2026-11-21T00:30Z", NO),
        (BERLIN, "Europe/Berlin", NIGHT, "2026-11-21T00:30Z", YES),
        (BERLIN, "Europe/Berlin", NIGHT, "2026-11-20T12:00Z", NO),
        (BERLIN, "Europe/Berlin", DAY, "2026-11-20T12:00Z", YES),
        (BERLIN, "Europe/Berlin", "before: sunrise, before_offset: 3600", "2026-11-20T07:00Z", YES),
        (BERLIN, "Europe/Berlin", "before: sunrise", "2026-11-20T07:00Z", NO),
        (SYDNEY, "Australia/Sydney", NIGHT, "2026-11-20T12:00Z", YES),
        (SYDNEY, "Australia/Sydney", DAY, "2026-11-20T00:00Z", YES),
        (SYDNEY, "Australia/Sydney", DAY, "2026-06-20T07:00Z", NO),
        (SYDNEY, "Australia/Sydney", DAY, "2026-12-20T07:00Z", YES),
        (POLAR, "Arctic/Longyearbyen", NIGHT, "2026-12-20T12:00Z", YES),
        (POLAR, "Arctic/Longyearbyen", "after: sunset", "2026-12-20T12:00Z", YES),
        (POLAR, "Arctic/Longyearbyen", DAY, "2026-06-20T00:00Z", YES),
        (POLAR, "Arctic/Longyearbyen", "after: sunset", "2026-06-20T23:00Z", NO),
        (None, "UTC", NIGHT, "2026-06-20T23:00Z", DOUBT),
    ],
)
def test_the_sun_decides_in_both_hemispheres_and_at_the_pole(
    place: Place | None, zone: str, words: str, at: str, expected: str
) -> None:
    assert verdict(f"{{condition: sun, {words}}}", at=at, timezone=zone, place=place) == expected


@pytest.mark.parametrize(
    ("variables", "expected", "done"),
    [
        ("{x: 1, y: '{{ x + 1 }}'}", YES, ["2"]),
        ("{y: '{{ nobody }}'}", DOUBT, []),
        ("{y: '{{ 1 / 0 }}'}", DOUBT, []),
        ("{x: '{{ trigger.payload_json }}', y: '{{ x.a }}'}", YES, ["[1]"]),
    ],
)
def test_variables_see_those_before_them_and_conditions_see_them(
    variables: str, expected: str, done: list[Json]
) -> None:
    house = House(
        f"  - id: a\n    triggers: [{{trigger: mqtt, topic: go}}]\n    variables: {variables}\n"
        "    conditions: ['{{ y is defined }}']\n    actions: [{say: '{{ y }}'}]"
    )
    house.tell(message(payload='{"a": [1]}'))
    assert (house.verdicts, house.done) == ([expected], done)

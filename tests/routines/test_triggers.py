"""What fires each trigger, and what does not."""

from __future__ import annotations

import pytest

from routines.facts import Fact, Json
from tests.routines.house import House, event, heard, location, message, presence, state


def triggered(trigger: str, more: str = "") -> str:
    return (
        f"  - id: a\n    mode: parallel\n    max: 100\n{more}    triggers: [{{{trigger}}}]\n"
        "    actions: [{say: x}]\n"
    )


def fired(trigger: str, facts: list[Fact], given: list[Fact] | None = None) -> list[str]:
    """Return what each fact led to: a verdict, or a dot."""
    house = House(triggered(trigger), given=given or [])
    seen: list[str] = []
    for fact in facts:
        before = len(house.verdicts)
        house.tell(fact, after=1)
        seen.append("+".join(house.verdicts[before:]) or ".")
    return seen


OFF, ON, DIM, BRIGHT = (
    state("light.a", "off"),
    state("light.a", "on"),
    state("light.a", "on", brightness=10),
    state("light.a", "on", brightness=20),
)
GONE, UNKNOWN = state("light.a", "unavailable"), state("light.a", "unknown")
F, N, U = "fired", ".", "unavailable_ignored"
LAMP = "trigger: state, entity_id: light.a"


@pytest.mark.parametrize(
    ("words", "facts", "expected"),
    [
        ("", [ON, ON, DIM, DIM, BRIGHT, OFF], [F, N, F, N, F, F]),
        (", to: null", [ON, ON, DIM, BRIGHT, OFF], [F, N, N, N, F]),
        (", from: null", [ON, DIM, OFF], [F, N, F]),
        (", to: 'on'", [ON, DIM, OFF, ON], [F, N, N, F]),
        (", to: on", [ON, OFF], [F, N]),
        (", from: 'on'", [ON, DIM, OFF], [N, N, F]),
        (", from: 'off', to: 'on'", [ON, OFF, DIM], [F, N, F]),
        (", to: ['on', idle]", [ON, state("light.a", "idle"), OFF], [F, F, N]),
        (", not_to: 'off'", [ON, OFF, ON, DIM], [F, N, F, N]),
        (", not_from: ['off']", [ON, OFF], [N, F]),
        (", not_from: idle, to: 'on'", [state("light.a", "idle"), ON, OFF, ON], [N, N, N, F]),
        (", to: 'on'", [GONE, ON, UNKNOWN, OFF, ON], [N, U, N, N, F]),
        ("", [GONE, OFF, ON], [U, U, F]),
        (", to: unavailable", [GONE, UNKNOWN, OFF, GONE], [F, N, N, F]),
        (", from: unavailable", [GONE, OFF], [N, F]),
        (", to: 'on', include_unavailable: true", [GONE, ON, ON, UNKNOWN, ON], [N, F, N, N, F]),
        (", include_unavailable: true", [GONE, ON], [F, F]),
        (", attribute: brightness", [ON, DIM, DIM, BRIGHT, OFF], [N, F, N, F, F]),
        (", attribute: brightness, to: '20'", [DIM, BRIGHT, OFF, BRIGHT], [N, F, N, F]),
        (", attribute: brightness, from: '10'", [DIM, BRIGHT], [N, F]),
        (", attribute: effect", [ON, DIM, BRIGHT, OFF], [N, N, N, N]),
        (", attribute: brightness", [state("light.a", "on", brightness=None), ON, DIM], [N, N, F]),
        (", enabled: false", [ON], [N]),
    ],
)
def test_a_state_trigger_fires_as_its_filters_say(words: str, facts: list[Fact], expected: list[str]) -> None:
    assert fired(LAMP + words, facts, [OFF]) == expected


def test_the_first_sight_of_an_entity_fires_nothing_unless_asked_for() -> None:
    assert fired(LAMP + ", to: 'on'", [ON]) == [U]
    assert fired(LAMP + ", to: 'off'", [ON, OFF]) == [N, F]
    assert fired(LAMP + ", include_unavailable: true, to: 'on'", [ON]) == [F]
    assert fired(LAMP, [ON, OFF]) == [U, F]


def test_what_is_learnt_before_the_start_fires_nothing() -> None:
    assert House(triggered(LAMP + ", to: 'on', include_unavailable: true"), given=[ON]).verdicts == []


def test_several_entities_are_watched_each_for_itself() -> None:
    house = House(
        triggered("trigger: state, entity_id: [light.a, light.b], to: 'on', for: 10"),
        given=[OFF, state("light.b", "off")],
    )
    house.tell(ON)
    house.tell(state("light.b", "on"), after=5)
    house.tell(OFF, after=2)
    house.wait(60)
    assert house.verdicts == ["held_not_long_enough", "fired"]
    assert house.timed == [(15, "x")]


@pytest.mark.parametrize(
    ("words", "script", "expected"),
    [
        (", to: 'on', for: 10", [(0, ON), (9, DIM), (5, OFF)], [10]),
        (", for: 10", [(0, ON), (9, DIM)], [10]),
        (", to: 'on', for: 10", [(0, ON), (9, OFF), (0, ON)], [19]),
        (", to: 'on', for: 10", [(0, ON), (9, GONE), (0, ON)], [10]),
        (", to: 'on', for: 10", [(0, ON), (3, GONE)], []),
        (", to: 'on', for: 10", [(0, ON), (3, GONE), (3, OFF)], []),
        (", to: 'on', for: 10, include_unavailable: true", [(0, ON), (9, GONE), (0, ON)], [19]),
        (", from: 'off', for: 10", [(0, ON), (3, state("light.a", "idle"))], [10]),
        (", from: 'off', for: 10", [(0, ON), (3, OFF)], []),
        (", to: ['on', idle], for: 10", [(0, ON), (3, state("light.a", "idle"))], [13]),
        (", to: 'on', for: {minutes: 1}", [(0, ON)], [60]),
        (", to: 'on', for: '00:01'", [(0, ON)], [60]),
        (", to: 'on', for: 0", [(0, ON)], [0]),
        (", attribute: brightness, to: '10', for: 10", [(0, DIM), (5, BRIGHT), (0, DIM)], [15]),
        (
            ", to: 'on', for: '{{ trigger.to_state.attributes.brightness }}'",
            [(0, DIM), (5, OFF), (0, BRIGHT)],
            [25],
        ),
    ],
)
def test_for_holds_from_the_change_until_the_value_is_another(
    words: str, script: list[tuple[float, Fact]], expected: list[float]
) -> None:
    house = House(triggered(LAMP + words), given=[OFF])
    for after, fact in script:
        house.tell(fact, after=after)
    house.wait(300)
    assert [at for at, _ in house.timed] == expected


def test_a_for_that_cannot_be_computed_is_said_and_fires_nothing() -> None:
    assert fired(LAMP + ", to: 'on', for: '{{ nobody }}'", [ON], [OFF]) == ["cannot_decide"]


def number(value: str, **more: Json) -> Fact:
    return state("sensor.t", value, **more)


@pytest.mark.parametrize(
    ("words", "values", "expected"),
    [
        ("above: 20", ["19", "21", "25", "20", "20.1"], [U, F, N, N, F]),
        ("below: 20", ["19", "18", "20", "19.9"], [U, N, N, F]),
        ("above: 20, below: 30", ["10", "25", "35", "29"], [N, F, N, F]),
        ("above: 20", ["10", "unavailable", "25", "10", "25"], [N, N, U, N, F]),
        ("above: 20", ["10", "hot", "25"], [N, U, U]),
        ("above: 20, value_template: '{{ state.state | float * 2 }}'", ["9", "11"], [N, F]),
        ("above: sensor.limit", ["10", "25"], [N, F]),
        ("above: sensor.nothing", ["10", "25"], [U, U]),
    ],
)
def test_a_number_fires_when_it_crosses_into_the_range(
    words: str, values: list[str], expected: list[str]
) -> None:
    trigger = f"trigger: numeric_state, entity_id: sensor.t, {words}"
    seen = fired(trigger, [number(value) for value in values], [state("sensor.limit", "20")])
    assert seen[1:] == expected[1:]


def test_a_number_must_stay_in_the_range_for_as_long_as_for_says() -> None:
    house = House(
        triggered("trigger: numeric_state, entity_id: sensor.t, attribute: c, above: 20, for: 10"),
        given=[number("x", c=10)],
    )
    house.tell(number("x", c=25))
    house.tell(number("x", c=30), after=9)
    house.tell(number("x", c=10), after=5)
    house.tell(number("x", c=25), after=5)
    house.tell(number("x", c=19), after=5)
    house.wait(60)
    assert house.verdicts == ["fired", "held_not_long_enough"]
    assert house.timed == [(10, "x")]


SURE = "trigger: presence, room: hall"


@pytest.mark.parametrize(
    ("words", "facts", "expected"),
    [
        ("", [presence(), presence(), presence(False), presence(False), presence()], [F, N, N, N, F]),
        ("", [presence(room="den")], [N]),
        (", to: not_detected", [presence(False), presence(), presence(False)], [N, N, F]),
        (", level: major", [presence(kind="minor"), presence(kind="major")], [N, N]),
        (", level: minor", [presence(kind="minor"), presence(False), presence(kind="major")], [F, N, N]),
        (
            ", level: minor, to: not_detected",
            [presence(kind="minor"), presence(False), presence(kind="major"), presence(False)],
            [N, F, N, N],
        ),
        (", min_confidence: 0.7", [presence(confidence=0.6)], [N]),
        (
            ", min_confidence: 0.7",
            [presence(confidence=0.6), presence(confidence=0.8), presence(confidence=0.9)],
            [N, F, N],
        ),
        (", min_confidence: 0.7", [presence(confidence=0.7), presence(confidence=0.1)], [F, N]),
    ],
)
def test_presence_is_an_edge(words: str, facts: list[Fact], expected: list[str]) -> None:
    assert fired(SURE + words, facts) == expected


def test_presence_of_any_room_fires_where_no_room_is_named() -> None:
    assert fired("trigger: presence", [presence(room="den"), presence(room="hall")]) == [F, F]
    assert fired("trigger: presence, room: [den, hall]", [presence(room="attic")]) == [N]


def test_motion_that_the_routine_itself_makes_does_not_count() -> None:
    house = House(
        "  - id: a\n    mode: parallel\n    triggers:\n"
        "      - {trigger: presence, room: hall, id: come, ignore_own_motion: 5}\n"
        "      - {trigger: presence, room: hall, to: not_detected, for: 20, id: gone, ignore_own_motion: 5}\n"
        "      - {trigger: mqtt, topic: blinds, id: blinds}\n    actions: [{say: '{{ trigger.id }}'}]"
    )
    house.tell(presence())
    house.tell(presence(False), after=10)
    house.tell(message("blinds"), after=5)
    house.tell(presence(), after=2)  # the blinds moved
    house.tell(presence(False), after=1)
    house.wait(60)
    assert house.timed == [(0, "come"), (15, "blinds"), (30, "gone")]
    assert "suppressed" in house.verdicts


def test_motion_that_was_taken_for_its_own_but_stays_is_somebody() -> None:
    house = House(
        "  - id: a\n    mode: parallel\n    triggers:\n"
        "      - {trigger: presence, room: hall, to: not_detected, for: 20, ignore_own_motion: 5}\n"
        "      - {trigger: mqtt, topic: blinds}\n    actions: [{say: '{{ trigger.platform }}'}]"
    )
    house.tell(presence(), presence(False))
    house.tell(message("blinds"), after=5)
    house.tell(presence(), after=2)
    house.wait(60)
    assert house.done == ["mqtt"]
    assert house.verdicts[-1] == "held_not_long_enough"
    house.tell(presence(False))
    house.wait(20)
    assert house.timed[-1] == (87, "presence")


@pytest.mark.parametrize(
    ("words", "message_", "expected"),
    [
        ("topic: a/b", message("a/b"), F),
        ("topic: a/b", message("a/b/c"), N),
        ("topic: a/+/c", message("a/x/c"), F),
        ("topic: a/+/c", message("a/x/y/c"), N),
        ("topic: 'a/#'", message("a"), F),
        ("topic: 'a/#'", message("a/b/c"), F),
        ("topic: '#'", message("a/b"), F),
        ("topic: '#'", message("$SYS/load"), N),
        ("topic: +/b", message("/b"), F),
        ("topic: t, payload: 'on'", message("t", "on"), F),
        ("topic: t, payload: 'on'", message("t", "off"), N),
        ("topic: t, payload: '5', value_template: '{{ value_json.x }}'", message("t", '{"x": 5}'), F),
        ("topic: t, payload: '5', value_template: '{{ payload_json.x }}'", message("t", '{"x": 6}'), N),
        ("topic: t, payload: 'x', value_template: '{{ trigger.payload_json.y }}'", message("t", "{}"), U),
        ("topic: t, max_age: 60", message("t", '{"ts": "2026-11-20T11:59:30+00:00"}'), F),
        ("topic: t, max_age: 60", message("t", '{"ts": "2026-11-20T11:58:00+00:00"}'), U),
        ("topic: t", message("t", '{"expires_at": "2026-11-20T11:58:00Z"}'), U),
        ("topic: t", message("t", '{"expires_at": "2026-11-20T12:58:00Z"}'), F),
        ("topic: t, max_age: 60", message("t", "x"), F),
        ("topic: t, max_age: 60", message("t", "x", retained=True), U),
        ("topic: t", message("t", "x", retained=True), U),
    ],
)
def test_a_message_fires_by_topic_payload_and_age(words: str, message_: Fact, expected: str) -> None:
    assert fired(f"trigger: mqtt, {words}", [message_]) == [expected]


@pytest.mark.parametrize(
    ("trigger", "fact", "expected"),
    [
        ("trigger: event, event_type: tag", event("tag", id="5"), F),
        ("trigger: event, event_type: [tag, ring]", event("ring"), F),
        ("trigger: event, event_type: tag, event_data: {id: '5'}", event("tag", id="5", by="x"), F),
        ("trigger: event, event_type: tag, event_data: {id: '5'}", event("tag", id="6"), N),
        ("trigger: event, event_type: tag", event("ring"), N),
        ("trigger: location, person: jane, zone: Whole Foods", location("jane", "Whole Foods"), F),
        ("trigger: location, person: jane, zone: home, event: leave", location("jane", "home"), N),
        ("trigger: location, event: leave", location("bob", "home", "leave"), F),
        ("trigger: location, person: [jane, ann]", location("bob", "home"), N),
        ("trigger: zone, entity_id: person.jane, zone: zone.whole_foods", location("Jane", "Whole Foods"), F),
    ],
)
def test_events_and_places_fire_by_what_they_hold(trigger: str, fact: Fact, expected: str) -> None:
    assert fired(trigger, [fact]) == [expected]


def test_a_template_fires_when_it_becomes_true() -> None:
    words = "trigger: template, value_template: \"{{ states('sensor.t') | float > 20 }}\""
    values = ["25", "10", "25", "30", "unavailable", "25", "10", "25"]
    seen = fired(words, [number(value) for value in values])
    assert seen == [U, N, F, N, N, U, N, F]


def test_a_template_about_the_time_is_looked_at_every_minute() -> None:
    house = House(triggered("trigger: template, value_template: '{{ now().minute == 30 }}', for: 20"))
    house.tell(number("1"), after=30 * 60 + 5)
    house.wait(2 * 3600)
    assert [at for at, _ in house.timed] == [30 * 60 + 20, 90 * 60 + 20]


def test_a_template_holds_for_as_long_as_it_stays_true() -> None:
    words = "trigger: template, value_template: \"{{ is_state('light.a', 'on') }}\", for: 10"
    house = House(triggered(words), given=[OFF])
    house.tell(ON)
    house.tell(OFF, after=5)
    house.tell(ON, after=5)
    house.wait(60)
    assert house.timed == [(20, "x")]


def test_the_start_of_the_hub_fires_each_time() -> None:
    house = House(triggered("trigger: hub"))
    house.restart()
    assert house.timed == [(0, "x"), (60, "x")]


VOICE = (
    "  - id: a\n    mode: parallel\n    lists: {shade: {values: [red, {in: '[deep] blue', out: b}]}}\n"
    "    triggers:\n"
    "      - {trigger: voice, id: light, phrases: ['(make|turn) [the] {area} light {shade}']}\n"
    "      - {trigger: voice, id: here, phrases: [good night], rooms: [den]}\n"
    "    actions: [{say: '{{ trigger.id }} {{ trigger.slots.shade | default(0) }}"
    " {{ trigger.slots.area | default(0) }}', room: kitchen}]\n"
)


@pytest.mark.parametrize(
    ("fact", "done"),
    [
        (heard("Turn the kitchen light RED!"), ["light red kitchen"]),
        (heard("make kitchen light deep blue"), ["light b kitchen"]),
        (heard("make kitchen light green"), []),
        (heard("good night", room="den"), ["here 0 0"]),
        (heard("good night", room="hall"), []),
        (heard("time for breakfast"), []),
    ],
)
def test_a_phrase_fires_with_its_slots_in_its_rooms(fact: Fact, done: list[str]) -> None:
    house = House(VOICE)
    house.tell(fact)
    assert house.done == done


def test_templates_see_what_fired() -> None:
    house = House(
        "  - id: a\n    triggers: [{trigger: voice, id: v, phrases: [hello], variables: {who: me}}]\n"
        "    actions: [{say: '{{ trigger.id }} {{ trigger.room }} {{ trigger.device }} {{ trigger.azimuth }}"
        " {{ trigger.sentence }} {{ trigger.who }}'}]"
    )
    house.tell(heard("Hello", device="hub1", azimuth_degrees=45.0))
    assert house.done == ["v hall hub1 45.0 Hello me"]

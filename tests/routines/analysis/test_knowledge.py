"""What the analysis concludes from conditions agrees with what the engine decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from routines.analysis.knowledge import denied, implies, impossible, known_from
from routines.decide import all_hold
from routines.home import EntityState, Home, RoomPresence
from routines.schedule.sun import Place
from routines.situation import Situation
from routines.vocabulary.conditions import Condition

_READ: TypeAdapter[Condition] = TypeAdapter(Condition)
_NOW = datetime(2026, 3, 9, tzinfo=UTC)
_STATE = st.sampled_from(["1", "2", "30"])
_ENTITY = st.sampled_from(["s.a", "s.b"])
_SINGLE = st.one_of(
    st.fixed_dictionaries(
        {
            "condition": st.just("state"),
            "entity_id": _ENTITY | st.just(["s.a", "s.b"]),
            "state": st.lists(_STATE, min_size=1, max_size=2),
        },
        optional={"match": st.sampled_from(["any", "all"]), "for": st.just(60)},
    ),
    st.fixed_dictionaries(
        {"condition": st.just("numeric_state"), "entity_id": _ENTITY, "above": st.sampled_from([0, 1, 2])},
        optional={"below": st.sampled_from([1, 2, 40])},
    ),
    st.fixed_dictionaries(
        {"condition": st.just("time"), "after": st.sampled_from(["06:00", "20:00:30"])},
        optional={"before": st.sampled_from(["06:00", "12:00", "21:00"]), "weekday": st.just(["mon", "tue"])},
    ),
    st.fixed_dictionaries(
        {"condition": st.just("presence"), "room": st.just("hall"), "present": st.booleans()}
    ),
    st.fixed_dictionaries({"condition": st.just("trigger"), "id": st.sampled_from(["x", "y"])}),
    st.fixed_dictionaries(
        {"condition": st.just("sun")},
        optional={"before": st.sampled_from(["sunset", "sunrise"]), "after_offset": st.just("-01:00:00")},
    ).map(lambda words: {"after": "sunset", **words}),
    st.sampled_from(
        ["is_state('s.a', '1')", "states('s.b') in ['1', '2']", "trigger.id == 'x'", "{{ true }}", "false"]
    ),
)
_ANY = st.recursive(
    _SINGLE,
    lambda inner: st.tuples(st.sampled_from(["and", "or", "not"]), st.lists(inner, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=5,
)
_CONDITIONS = st.lists(_ANY.map(_READ.validate_python), max_size=3)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    now = _NOW + timedelta(minutes=draw(st.integers(0, 3 * 24 * 60)), seconds=draw(st.sampled_from([0, 30])))
    home = Home()
    for entity_id in ("s.a", "s.b"):
        since = now - timedelta(seconds=draw(st.sampled_from([0, 100])))
        home.put_state(entity_id, EntityState(state=draw(_STATE), attributes={}, since=since))
    home.put_presence("hall", RoomPresence(present=draw(st.booleans()), since=now))
    place = Place(latitude=52.5, longitude=13.4)
    trigger = {"trigger": {"id": draw(st.sampled_from(["x", "y", "z"]))}}
    return Situation(home=home, now=now, timezone=ZoneInfo("UTC"), place=place, variables=trigger)


@settings(max_examples=400, deadline=None)
@given(conditions=_CONDITIONS, situation=situations())
def test_conditions_that_are_called_impossible_never_hold(
    conditions: list[Condition], situation: Situation
) -> None:
    if all_hold(conditions, "", situation):
        assert impossible(known_from(conditions)) is None
    else:
        assert impossible(denied(conditions)) is None


@settings(max_examples=600, deadline=None)
@given(some=_CONDITIONS, others=_CONDITIONS, situation=situations())
def test_conditions_that_are_called_implied_hold_with_the_others(
    some: list[Condition], others: list[Condition], situation: Situation
) -> None:
    if implies(some, others) and all_hold(some, "", situation):
        assert all_hold(others, "", situation)

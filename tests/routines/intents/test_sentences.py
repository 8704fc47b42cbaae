from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hassil import RangeSlotList, Sentence
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.intents.built_in import BuiltInIntents
from routines.intents.directory import Directory, Entity
from routines.intents.plan import Plan, plan
from routines.intents.requests import TimerRequest
from tests.routines.intents.made_up_home import CHICAGO, DIRECTORY, NOW, TABLE, told_home

BUILT_IN = BuiltInIntents(DIRECTORY)
HOME = told_home()

Row = dict[str, Any]


def said(row: Row) -> str:
    return f"{row['say']} @ {row.get('in', '-')}"


def planned(text: str, area: str | None = None, directory: Directory = DIRECTORY) -> Plan:
    recogniser = BUILT_IN if directory is DIRECTORY else BuiltInIntents(directory)
    intent = recogniser.recognize(text, area=area)
    assert intent is not None
    return plan(intent, directory, HOME, area=area, now=NOW, timezone=CHICAGO)


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(TABLE["sentences"]) >= 250
    assert len(TABLE["nothing"]) >= 40


@pytest.mark.parametrize("row", TABLE["sentences"], ids=said)
def test_a_sentence_means_its_intent(row: Row) -> None:
    intent = BUILT_IN.recognize(row["say"], area=row.get("in"))
    assert intent is not None
    assert (intent.name, dict(intent.slots)) == (row["intent"], row.get("slots", {}))


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE["sentences"] if {"calls", "reply", "refusal", "broadcast"} & set(row)],
    ids=said,
)
def test_a_sentence_leads_to_its_plan(row: Row) -> None:
    plan = planned(row["say"], row.get("in"))
    calls = [[call.action, call.target.get("entity_id"), dict(call.data)] for call in plan.calls]
    assert calls == row.get("calls", [])
    for key in {"reply", "refusal", "broadcast"} & set(row):
        assert getattr(plan, key) == row[key]


@pytest.mark.parametrize("area", ["kitchen", "hall", None])
@pytest.mark.parametrize("text", TABLE["nothing"])
def test_a_sentence_means_nothing(text: str, area: str | None) -> None:
    assert BUILT_IN.recognize(text, area=area) is None


def test_a_refusal_calls_nothing() -> None:
    refused = [planned(row["say"], row.get("in")) for row in TABLE["sentences"] if "refusal" in row]
    assert refused
    assert all(not plan.calls and plan.reply is None for plan in refused)


def test_lights_without_an_area_are_nobodys() -> None:
    assert BUILT_IN.recognize("turn on the lights", area=None) is None


def test_the_area_may_be_named_as_people_do() -> None:
    intent = BUILT_IN.recognize("turn on the lights", area="Lounge")
    assert intent is not None
    assert (intent.slots["area"], intent.is_area_implied) == ("living_room", True)


def test_a_room_that_nobody_listed_has_no_lights() -> None:
    assert planned("turn on the lights", "wine_cellar").refusal == "I know no light in the wine cellar"


def test_case_and_punctuation_do_not_matter() -> None:
    intent = BUILT_IN.recognize("Turn on the Desk Lamp, please!", area=None)
    assert intent is not None
    assert intent.slots == {"name": "light.desk"}


def test_a_name_with_brackets_is_plain_text() -> None:
    odd = Directory(entities=(Entity(entity_id="light.odd", names=("kid's [main] (lamp)", "<the> {lamp}")),))
    assert BuiltInIntents(odd).recognize("turn on the main", area=None) is None


def test_an_empty_home_refuses_instead_of_failing() -> None:
    empty = Directory()
    assert planned("turn on the lights", "kitchen", empty).refusal == "I know no light in the kitchen"
    assert planned("what is the weather", None, empty).refusal == "I know no weather"


def test_a_thing_that_is_gone_is_not_called() -> None:
    intent = BUILT_IN.recognize("turn on the desk lamp", area=None)
    assert intent is not None
    fewer = replace(DIRECTORY, entities=())
    gone = plan(intent, fewer, HOME, area=None, now=NOW, timezone=CHICAGO)
    assert (gone.calls, gone.refusal) == ((), "I do not know light.desk any more")


def test_a_delayed_command_keeps_its_sentence() -> None:
    request = planned("turn off the tv in 20 minutes").request
    assert isinstance(request, TimerRequest)
    assert (request.command, request.duration.total_seconds()) == ("turn off the tv", 1200)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="no built-in sentences"):
        BuiltInIntents(DIRECTORY, language="tlh")


def test_what_is_one_player_of_many_rooms_is_asked_for() -> None:
    quiet = plan(
        BUILT_IN.recognize("next track", area="hall"),  # type: ignore[arg-type]
        DIRECTORY,
        type(HOME)(),
        area="hall",
        now=NOW,
        timezone=CHICAGO,
    )
    assert quiet.refusal == "I know no media player in the hall; say which one you mean"


def one_sentence(expression: Expression, rules: dict[str, Sentence], draw: random.Random) -> str:
    """Return a random sentence of a template; hassil's own sampling goes through them all in order."""
    match expression:
        case TextChunk(original_text=text):
            return text
        case Alternative(items=items):
            return one_sentence(draw.choice(items), rules, draw)
        case Permutation(items=items):
            return " ".join(one_sentence(item, rules, draw) for item in draw.sample(items, len(items)))
        case Group(items=items):
            return "".join(one_sentence(item, rules, draw) for item in items)
        case RuleReference(rule_name=name):
            return one_sentence(rules[name].expression, rules, draw)
        case ListReference(list_name=name):
            values = {**BUILT_IN.intents.slot_lists, **BUILT_IN.slot_lists}[name]
            if isinstance(values, RangeSlotList):
                return str(draw.randint(values.start, values.stop))
            return one_sentence(draw.choice(values.values).text_in, rules, draw)
    raise AssertionError(expression)


def sampled(seed: int) -> list[tuple[str, str]]:
    """Return (intent, sentence) pairs of templates about places and kinds of things, without wildcards."""
    draw = random.Random(seed)
    pairs = []
    for name, intent in BUILT_IN.intents.intents.items():
        for block in intent.data:
            rules = {**BUILT_IN.intents.expansion_rules, **block.expansion_rules}
            sentence = draw.choice(block.sentences)
            lists = set(sentence.list_names(rules))
            if "name" not in lists and not lists & block.wildcard_list_names:
                pairs.append((name, one_sentence(sentence.expression, rules, draw)))
    return pairs


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_sentences_of_the_templates_are_understood_as_their_own_intent(seed: int) -> None:
    pairs = sampled(seed)
    assert len(pairs) > 100
    heard = [(name, text, BUILT_IN.recognize(text, area="kitchen")) for name, text in pairs]
    assert [text for _, text, intent in heard if intent is None] == []
    others = [(text, name, intent.name) for name, text, intent in heard if intent and intent.name != name]
    # Some sentences belong to two intents in the data itself ("start mower"); they are few.
    assert len(others) <= 0.02 * len(pairs), others


def test_every_intent_of_the_data_has_a_plan() -> None:
    for name in BUILT_IN.intents.intents:
        intent = replace(BUILT_IN.recognize("nevermind", area=None), name=name)  # type: ignore[type-var]
        made = plan(intent, DIRECTORY, HOME, area=None, now=NOW, timezone=CHICAGO)
        assert made.refusal != "I have not learned how to do that", name

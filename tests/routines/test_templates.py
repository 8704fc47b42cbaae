"""Templates: what they compute, what they refuse, and that none can hurt the house."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.facts import Json
from routines.home import EntityState, Home
from routines.load import load_routines
from routines.templates.template import (
    RunScope,
    TemplateProblem,
    check_templates,
    compile_condition,
    compile_template,
    holds,
    render,
)
from routines.templates.values import NotKnown, TemplateFailed
from tests.routines.house import House, actions, each, message, state

NOW = datetime(2026, 11, 20, 22, 15, 30, tzinfo=UTC)
VARIABLES: dict[str, Json] = {
    "trigger": {"slots": {"area": "hall"}, "room": "den", "payload_json": {"a": [1, 2, {"b": None}]}},
    "n": 3,
    "half": 0.5,
    "name": "Ann",
    "items": ["b", "a"],
    "off": False,
    "huge": 10**400,
    "endless": float("inf"),
    "odd": float("nan"),
}


def scope() -> RunScope:
    home = Home()
    for entity_id, value, attributes in (
        ("light.a", "on", {"brightness": 128, "level": None}),
        ("sensor.t", "21.5", {}),
        ("sensor.gone", "unavailable", {"x": 1}),
    ):
        home.put_state(entity_id, EntityState(state=value, attributes=attributes, since=NOW))
    return RunScope(variables=VARIABLES, home=home, now=NOW)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 20 if now().hour >= 22 else 80 }}", 20),
        ("{{ n }}", 3),
        (" {{ n }}", " 3"),
        ("{{ n * 2 + 1 }} lights", "7 lights"),
        ("{{ n / 2 }}", 1.5),
        ("{{ n // 2 }}", 1),
        ("{{ -n % 2 }}", 1),
        ("{{ half }}", 0.5),
        ("{{ n == 3 and not off }}", True),
        ("{{ none }}", None),
        ("{{ items }}", ["b", "a"]),
        ("{{ {'a': n} }}", {"a": 3}),
        ("{{ items | sort | join('-') }}", "a-b"),
        ("{{ items[0] ~ items[-1] }}", "ba"),
        ("{{ 'abc'[1:] }}", "bc"),
        ("{{ name.upper() | replace('N', 'x') }}", "Axx"),
        ("{{ '3.7' | int }}", 3),
        ("{{ 'x' | int(0) }}", 0),
        ("{{ 'inf' | int(5) }}", 5),
        ("{{ '1e999' | float(5) }}", 5),
        ("{{ 2.5 | round }}", 2),
        ("{{ 'a' in items }}", True),
        ("{{ 1 < n <= 3 }}", True),
        ("{{ trigger.payload_json.a[2].b }}", None),
        ("{{ states('sensor.t') | float + 1 }}", 22.5),
        ("{{ state_attr('light.a', 'brightness') }}", 128),
        ("{{ is_state('light.a', ['on', 'dim']) }}", True),
        ("{{ is_state('sensor.gone', 'unavailable') }}", True),
        ("{{ states('sensor.gone') in ['unavailable'] }}", True),
        ("{{ has_value('sensor.gone') }}", False),
        ("{{ states('sensor.gone') | default('none') }}", "none"),
        ("{{ states('sensor.gone') | float(7) }}", 7),
        ("{{ (states('sensor.none') | float) | default(8) }}", 8),
        ("{{ nobody | default('x') }}", "x"),
        ("{{ trigger.slots.movie | default(trigger.room) | default('y') }}", "den"),
        ("{{ nobody is defined }}", False),
        ("{{ off | default('x', true) }}", "x"),
        ("{{ off or nobody | default(1) }}", 1),
        ("{{ now().strftime('%H:%M') }}", "22:15"),
        ("{{ now() > today_at('22:00') }}", True),
        ("{{ now() }}", NOW.isoformat()),
        ("{{ '{\"a\": [1]}' | from_json }}", {"a": [1]}),
        ("{{ 'a' if n > 5 else 'b' }}{# gone #}", "b"),
        ("{{ max(1, n) + min([4, 2]) }}", 5),
    ],
)
def test_a_template_computes_and_keeps_the_type_of_a_lone_expression(source: str, expected: Json) -> None:
    result = render(source, scope())
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "source",
    [
        "{{ nobody }}",
        "{{ trigger.slots.movie }}",
        "{{ trigger.slots.movie.title }}",
        "{{ states('light.never') }}",
        "{{ states('sensor.gone') }}",
        "{{ states('sensor.gone') | float }}",
        "{{ states('sensor.gone') == 'on' }}",
        "{{ not nobody }}",
        "{{ nobody and true }}",
        "{{ true and nobody }}",
        "{{ [1, nobody] }}",
        "{{ 'a' ~ nobody }}",
        "{{ 1 if nobody else 2 }}",
        "{{ [] | first }}",
    ],
)
def test_a_value_that_is_not_known_is_said_to_be_so(source: str) -> None:
    with pytest.raises(NotKnown):
        render(source, scope())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("false and nobody", False),
        ("nobody and false", False),
        ("true or nobody", True),
        ("nobody or true", True),
    ],
)
def test_an_unknown_value_matters_only_where_it_could_change_the_answer(source: str, expected: bool) -> None:
    assert holds(source, scope()) is expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ name + 1 }}", "{{ n / 0 }}", "{{ 'x' | float }}", "{{ items | round }}", "{{ name < 1 }}",
        "{{ huge / 3 }}", "{{ huge * huge }}", "{{ -huge }}", "{{ odd + 1 }}", "{{ 'abc'[:odd] }}",
        "{{ 'abc'[:endless] }}", "{{ endless | int }}", "{{ 1 in 1 }}", "{{ now().strftime('%9999999d') }}",
        "{{ '[' * 3 }}", "{{ 'x' | from_json }}", "{{ name.split() | sum }}", "{{ n.upper() }}",
        "{{ name.startswith() }}", "{{ today_at('25:00') }}", "{{ 3 | round(99) }}", "{{ [n] - 1 }}",
    ],
)  # fmt: skip
def test_a_template_for_other_values_fails_by_name(source: str) -> None:
    with pytest.raises((TemplateFailed, TemplateProblem)):
        render(source, scope())


def test_odd_keys_are_missing_or_equal_to_nothing_and_never_a_crash() -> None:
    assert render("{{ now()[[1]] | default('x') }}", scope()) == "x"
    assert render("{{ items[{}] | default('x') }}", scope()) == "x"
    with pytest.raises(NotKnown):
        render("{{ states('sensor.gone') == [1] }}", scope())


REFUSED = {
    "{% if a %}x{% endif %}": "{% if %} is not allowed",
    "{% set a = 1 %}": "is not allowed",
    "{% for a in b %}{% endfor %}": "is not allowed",
    "{{ x.__class__ }}": "'.__class__' is not allowed",
    "{{ x._y }}": "'._y' is not allowed",
    "{{ ''.format(1) }}": "cannot be called",
    "{{ range(10) }}": "cannot be called",
    "{{ x.pop() }}": "cannot be called",
    "{{ stats('a') }}": "did you mean 'states'",
    "{{ x | map('upper') }}": "the filter 'map' is not allowed",
    "{{ x | uper }}": "did you mean 'upper'",
    "{{ x is callable }}": "'is callable' is not allowed",
    "{{ x is divisibleby 3 }}": "is not allowed",
    "{{ states.light.a }}": "states('light.kitchen')",
    "{{ states }}": "call it",
    "{{ 'a' + 'b' }}": "join texts with ~",
    "{{ x[::2] }}": "slices with a step",
    "{{ states(entity_id='a') }}": "plain arguments",
    "{{ f(*x) }}": "plain arguments",
    "{{ 1 if x }}": "needs an 'else'",
    "{{ 2 ** 9999 }}": "is not allowed",
    "{{ 99999999999999999999 }}": "too large",
    "{{ x | round(method='ceil') }}": "no named values",
    "{{ ( }}": "template",
    "{{ '" + "x" * 1_024 + "' }}": "longer than",
    "{{ " + "(" * 300 + "1" + ")" * 300 + " }}": "nested too deeply",
    "{{ " + "-" * 300 + "1 }}": "nested too deeply",
    "{{ " + "not " * 200 + "x }}": "nested too deeply",
    "{{ x" + "|abs" * 150 + " }}": "nested too deeply",
    "{{ x" + ".a" * 200 + " }}": "nested too deeply",
}


@pytest.mark.parametrize(("source", "words"), REFUSED.items())
def test_a_refused_construct_is_a_problem_of_the_file_with_its_place_and_a_hint(
    source: str, words: str
) -> None:
    text = json.dumps(source)
    _, [problem] = load_routines(
        f"version: 1\nroutines:\n  - id: a\n    actions:\n      - say: {text}\n", "x"
    )
    assert words in str(problem)
    # The text begins behind its quote, and the fault is at the template's first mark on its line.
    marks = {15 + max(0, source.find(mark)) for mark in ("{{", "{%")} | {15}
    assert problem.line == 5 + source.count("\n")
    assert "\n" in source or problem.column in marks


def test_the_problem_knows_the_line_inside_a_long_template() -> None:
    with pytest.raises(TemplateProblem) as caught:
        compile_template("one\ntwo {{ x.__class__ }}")
    assert caught.value.place == (1, 4)


def test_a_problem_in_a_template_is_told_at_its_place_in_the_file() -> None:
    text = (
        "version: 1\nroutines:\n  - id: a\n    actions:\n"
        '      - say: "good morning {{ x.__class__ }}"\n'
        "      - say: |-\n          two\n          lines {{ range(3) }}\n"
        "      - wait_template: '{{ 2 ** 3 }}'\n"
    )
    _, problems = load_routines(text, "x")
    assert [(one.line, one.column) for one in problems] == [(5, 28), (8, 7), (9, 9)]


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + " ~ ".join(["text"] * 140) + " }}",
        "{{ [" + ", ".join(["big"] * 180) + "] }}",
        "{{ [" + ", ".join(["big"] * 180) + "] ~ '' }}",
        "{{ text | replace('a', text) }}",
        "{{ " + "text | replace('a', 'aaaaaaaaaa') " + "| replace('a', 'aaaaaaaaaa') " * 20 + "}}",
        "{{ big | join(text) }}",
        "{{ ('[' ~ text) | from_json }}",
        "{{ deep | from_json }}",
        "{{ text.split('') }}",
        "{{ [big] == [big] and [big] == [big] }}",
        "{{ " + " + ".join(["1"] * 95) + " }}",
        "{{ '%d' * 9 }}",
        "{{ now().strftime('" + "%A" * 49 + "') }}",
    ],
)
def test_a_hostile_template_ends_soon_and_makes_nothing_large(source: str) -> None:
    big: Json = [["x" * 30] * 40] * 40
    variables: dict[str, Json] = {"text": "a" * 16_000, "big": big, "deep": "[" * 900 + "]" * 900}
    began = process_time()
    try:
        seen = RunScope(variables=variables, home=Home(), now=NOW)
        assert len(json.dumps(render(source, seen))) < 200_000
    except (TemplateFailed, TemplateProblem, NotKnown):
        pass
    assert process_time() - began < 2


def test_a_list_that_doubles_in_a_loop_stops_the_run_and_not_the_hub() -> None:
    began = process_time()
    house = House(
        actions(
            "[{variables: {x: [1]}}, {repeat: {count: 100, sequence: [{variables: {x: '{{ [x, x] }}'}}]}}]"
        )
    )
    house.tell(message())
    assert house.results == ["failed"]
    assert "too large" in house.ends[0].why
    assert process_time() - began < 2


def test_a_message_nested_without_end_is_text_and_no_json() -> None:
    for payload in ("[" * 900 + "]" * 900, "[" * 60 + "]" * 60, '{"a":' * 90 + "1" + "}" * 90):
        house = House(actions("[{say: '{{ trigger.payload_json is none }}'}]"))
        house.tell(message(payload=payload))
        house.restart()
        assert house.done == ["True"]
    house = House(actions("[{say: '{{ trigger.payload_json.a / 3 }}'}]"))
    house.tell(message(payload='{"a": 1' + "0" * 400 + "}"))
    assert house.results == ["failed"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", True), ("yes", True), ("1", True), ("false", False), ("off", False), ("", False), ("'0'", False)],
)
def test_a_condition_takes_the_words_for_yes_and_no(value: str, expected: bool) -> None:
    assert holds(f"{{{{ '{value.strip(chr(39))}' }}}}", scope()) is expected


def test_a_condition_of_any_other_word_is_not_guessed() -> None:
    with pytest.raises(TemplateFailed, match="neither yes nor no"):
        holds("{{ name }}", scope())


def test_text_without_braces_is_left_alone_and_nested_values_are_computed() -> None:
    value: Json = {"a": ["{{ n }}", {"b": "x {{ n }}"}], "c": "{ n }", "d": 5}
    assert render(value, scope()) == {"a": [3, {"b": "x 3"}], "c": "{ n }", "d": 5}


PIECES = st.sampled_from(
    each(
        "{{ |}}|(|)|[|]|{|}|%|.|,|:|'|x|n|1|1.5|- |+ |* |/ |// |~|==|<|in |not |and |or |if |else |"
        "is |defined |none |true |items|trigger|.a|[0]|[1:]|[[1]]|!!|!int|!default(|!join|!from_json|now()|"
        "states(|'light.a'|'sensor.gone'|state_attr(|huge|odd|endless|__class__|{%|%}|#}|{#| |\n|min(|.split("
        "|.strftime(|'%Y'"
    )
).map(lambda piece: piece.replace("!", "|"))


def survives(source: str) -> None:
    """Compile and compute a text; only the errors of the contract may come of it."""
    try:
        check_templates([source])
        render(source, scope())
        compile_condition(source)
        holds(source, scope())
    except (TemplateProblem, NotKnown, TemplateFailed):
        pass


@given(st.lists(PIECES, max_size=14))
@settings(max_examples=600, deadline=None)
def test_random_pieces_of_templates_raise_nothing_unexpected(pieces: list[str]) -> None:
    survives("{{ " + "".join(pieces) + " }}")


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_random_text_raises_nothing_unexpected(text: str) -> None:
    survives(text)
    survives("{{" + text + "}}")


VALUES = st.sampled_from(
    each(
        "n|half|name|items|off|none|huge|odd|endless|nobody|trigger|now()|states('sensor.gone')|"
        "states('light.a')|'x'|1|[]|{}|{'a': 1}|now().hour"
    )
)
OPERATORS = st.sampled_from(each("+|-|*|/|//|%|~|==|!=|<|>=|in|not in|and|or"))
ACCESSES = each(
    "|.a|.hour|[0]|['a']|[n]|[items]|[1:odd]|[:huge]|.upper()|.split(n)|.timestamp()|.isoformat(1)"
)
FILTERS = each(
    "abs|bool|capitalize|first|float|float(0)|from_json|iif|iif(1, 2)|int|int(0)|join|join(1)|last|"
    "length|list|lower|max|min|replace(1, 2)|round|round(n)|round(huge)|sort|string|sum|title|trim|upper|"
    "default(1)|d"
)
TESTS = each("defined|none|number|string|boolean|true|mapping|sequence|odd|even")
ENDS = st.sampled_from(
    [*ACCESSES, *(f" | {name}" for name in FILTERS), *(f" is {name}" for name in TESTS)],
)


@given(VALUES, ENDS, OPERATORS, VALUES, ENDS)
@settings(max_examples=600, deadline=None)
def test_any_operation_on_any_value_raises_nothing_unexpected(
    left: str, of_left: str, operator: str, right: str, of_right: str
) -> None:
    survives(f"{{{{ (({left}){of_left}) {operator} (({right}){of_right}) }}}}")


def test_states_of_the_home_reach_the_actions() -> None:
    house = House(
        actions("[{action: light.turn_on, data: {brightness: \"{{ states('sensor.t') | float * 2 }}\"}}]"),
        given=[state("sensor.t", "20.5")],
    )
    house.tell(message())
    assert house.effects[0].data == {"brightness": 41.0}  # type: ignore[union-attr]

"""Files that want to break the loader: it always answers, soon, with problems that have a place."""

from __future__ import annotations

import random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.engine import Engine
from routines.load import load_routines
from routines.problems import Problem
from tests.routines.house import House, each, message

LIMIT_SECONDS = 2.0
"""The attacks took from seconds to minutes; the bench measures the 250 ms that are promised."""

RICH = """\
version: 1
lists:
  movie: {wildcard: true}
  shade: {values: [red, {in: "[deep] blue", out: blue}]}
routines:
  - id: evening
    alias: Evening
    mode: restart
    suppress: {for: "00:02:00", except: [clear]}
    active:
      - {after: "06:30", before: "23:30", weekday: [mon, tue]}
    triggers:
      - {trigger: presence, id: clear, room: kitchen, to: not_detected, for: "00:10:00"}
      - {trigger: voice, phrases: ["(watch|play) {movie} [in {shade}]"], match: {fuzzy: 0.9}}
      - {trigger: time, at: ["20:30", "2026-12-24T18:00:00"], dst: {gap: skip}}
      - trigger: numeric_state
        entity_id: sensor.t
        above: 20
        value_template: "{{ state.attributes.t | float(0) }}"
    conditions:
      - or:
          - {condition: state, entity_id: light.kitchen, state: on}
          - "{{ now().hour > 20 }}"
    variables: {room: "{{ trigger.slots.area | default('hall') }}"}
    actions:
      - choose:
          - conditions: [{condition: trigger, id: clear}]
            sequence: [{action: light.turn_off, target: {area_id: kitchen}, retry: {times: 2, delay: 1}}]
      - repeat: {count: 3, sequence: [{say: hello}, {delay: "00:00:05"}]}
    tests:
      - {name: t, when: [{presence: kitchen, to: detected}, {advance: 60}], expect: {runs: 1}}
"""


def load_soon(text: str) -> list[Problem]:
    """Load a text, see that it did not take long and that every problem lies inside it."""
    began = process_time()
    routines, problems = load_routines(text, "x.yaml")
    assert process_time() - began < LIMIT_SECONDS
    assert not (routines and problems)
    lines = text.count("\n") + 1
    assert all(1 <= one.line <= lines + 1 and one.column >= 1 and one.message for one in problems)
    return problems


def with_value(value: str) -> str:
    return f"version: 1\nroutines:\n  - id: a\n    actions: [{{say: {value}}}]\n"


def test_the_file_that_is_mutated_below_is_a_good_one() -> None:
    assert load_soon(RICH) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "aliases"),
        ("version: 1\nroutines: &a []\nlists: {<<: *a}\n", "aliases"),
        ("version: 1\nroutines: " + "[" * 30_000, "too deeply"),
        ("version: 1\nroutines: " + "[ \n" * 20_000, "too deeply"),
        ("version: 1\nroutines: " + "[x, " * 10_000, "too deeply"),
        ("version: 1\nroutines: " + "{a: " * 10_000, "too deeply"),
        ("version: 1\nroutines: " + "- " * 20_000, "not valid YAML"),
        ("version: 1\nroutines:\n  " + "- " * 20_000, "too deeply"),
        ("? " * 10_000, "a key must be a word"),
        ("x: " + "y" * 70_000, "larger than 64 KiB"),
        ("x: '" + "\u00e4" * 40_000 + "'", "larger than 64 KiB"),
        ("version: 1\nroutines: !!python/object/apply:os.system [ls]\n", "tag"),
        ("version: 1\nroutines: !!set {a}\n", "tag"),
        (with_value("!!int abc"), "tag"),
        (with_value("!!binary '%%'"), "tag"),
        ("--- {version: 1}\n--- {version: 1}\n", "second document"),
        ("\x00", "not valid YAML"),
        ("a: \ud800", "not valid YAML"),
        ("%YAML 9.9\n--- {}\n", "not valid YAML"),
        ("a: b: c\n", "not valid YAML"),
        ("{{ a }}: 1\n", "a key must be a word"),
    ],
)
def test_an_attack_on_the_parser_is_one_problem(text: str, words: str) -> None:
    [problem] = load_soon(text)
    assert words in problem.message


@pytest.mark.parametrize(
    "value",
    [
        "9" * 5_000,
        "1e999",
        ".nan",
        "-.inf",
        "2026-13-45",
        "2026-02-31T99:00:00Z",
        "0x" + "f" * 300,
        "~",
        "0o8",
    ],
)
def test_a_scalar_that_is_no_value_is_text_or_a_problem_at_its_place(value: str) -> None:
    for problem in load_soon(with_value(value)):
        assert (problem.line, problem.column) == (4, 16)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("22:30", "22:30"),
        ("2026-11-20", "2026-11-20"),
        ("1_000", "1_000"),
        ("!secret x", "x"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("<<", "<<"),
    ],
)
def test_words_that_older_yaml_took_for_something_else_are_text(written: str, meant: str) -> None:
    house = House(f"  - {{id: a, triggers: [{{trigger: mqtt, topic: go}}], actions: [{{say: {written}}}]}}")
    house.tell(message())
    assert house.done == [meant]


def test_of_thousands_of_problems_the_first_hundred_are_told() -> None:
    text = with_value("x").replace("[{say: x}]", "[" + "{sayy: x}," * 2_000 + "]")
    routines, problems = load_routines(text, "x.yaml")
    assert routines == []
    assert len(problems) == 101
    assert "1900 more problems" in problems[-1].message


def test_a_template_that_cannot_be_accepted_is_a_problem_with_line_and_column() -> None:
    for source in (
        "{{ 99999999999999999999 }}",
        "{{ x.__class__ }}",
        "{% for a in b %}{% endfor %}",
        "{{ ( }}",
    ):
        [problem] = load_soon(with_value(f'"{source}"'))
        assert (problem.line, problem.column) == (4, 22)
        assert "template" in problem.message


def test_a_list_whose_value_cannot_be_spoken_is_a_problem_and_not_a_crash_when_somebody_speaks() -> None:
    for value in ("((", "<thing>", "{shade}", "{in: '[(', out: 1}"):
        written = value if value.startswith("{in") else f'"{value}"'
        problems = load_soon(RICH.replace("[red,", f"[{written},"))
        assert problems
        assert problems[0].line == 4


def test_the_deepest_file_that_is_accepted_runs() -> None:
    depth = 46
    text = "[{sequence: " * depth + "[{say: deep}]" + "}]" * depth
    house = House(f"  - id: a\n    triggers: [{{trigger: mqtt, topic: go}}]\n    actions: {text}\n")
    house.tell(message())
    house.restart()
    assert (house.done, house.results) == (["deep"], ["finished"])


SCALARS = st.sampled_from(
    each(
        "|~|1|-1|1.5|.nan|on|[]|{}|[[]]|{a: {b: [c]}}|'{{'|'{{ x'|'{% x %}'|!a b|\u2028|'\\0'|-|? |: |&a|*a|#"
        "|9e99|'00:00'|'99:99'|>"
    )
)


@given(st.integers(0, len(RICH.splitlines()) - 1), SCALARS)
@settings(max_examples=200, deadline=None)
def test_any_value_may_be_of_any_wrong_type(line: int, value: str) -> None:
    lines = RICH.splitlines()
    key, colon, _ = lines[line].partition(": ")
    lines[line] = f"{key}{colon}{value}"
    load_soon("\n".join(lines) + "\n")


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_a_mutated_file_never_raises(seed: int, times: int) -> None:
    chance = random.Random(seed)
    text = RICH
    for _ in range(times):
        at, to = sorted(chance.randrange(len(text)) for _ in range(2))
        piece = text[at : min(to, at + 30)]
        text = chance.choice(
            [
                text[:at] + text[at + len(piece) :],
                text[:at] + piece + text[at:],
                text[:at] + chance.choice("{}[]:,-'\"\n #&*!|>%@`\t0\\~?é\u200b") + text[at:],
                text[:to] + piece + text[to:],
            ]
        )
    load_soon(text)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_text_never_raises(text: str) -> None:
    load_soon(text)


def test_what_is_loaded_can_always_be_armed_and_spoken_to() -> None:
    routines, problems = load_routines(RICH, "x.yaml")
    assert problems == []
    house = House("  - {id: a, actions: [{say: x}]}")
    engine: Engine = house.simulator.engine
    engine.replace(routines, now=house.simulator.now)
    assert engine.roster.own.keys() == {"evening"}

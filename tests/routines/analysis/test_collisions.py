"""Sentences that more than one routine understands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routines.analysis.sampling import MOST_SENTENCES, SampledPhrase
from routines.intents.directory import Directory, Entity
from tests.routines.analysis.looking import findings

LISTS = (
    "{movie: {wildcard: true}, level: {range: {from: 1, to: 9}}, "
    "tone: {values: [warm, {in: bright, out: b}]}}"
)


def collisions(first: str, second: str) -> list[tuple[str, str]]:
    yaml = f"""
    - {{id: one, triggers: [{{trigger: voice, {first}}}], actions: [{{say: x}}]}}
    - {{id: two, triggers: [{{trigger: voice, {second}}}], actions: [{{say: x}}]}}
    """
    return [(f.routine, f.severity) for f in findings(yaml, "phrase_collision", lists=LISTS)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("phrases: movie time", "phrases: 'Movie time!'"),
        ("phrases: '[start|begin] movie time'", "phrases: movie time"),
        ("phrases: 'play {movie}'", "phrases: '(watch|play) {movie}'"),
        ("phrases: movie time", "phrases: movie time, rooms: [hall]"),
    ],
)
def test_a_sentence_of_two_routines_is_found_where_it_loses(first: str, second: str) -> None:
    assert len(collisions(first, second)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("phrases: movie time", "phrases: dinner time"),
        ("phrases: movie time, rooms: [bath]", "phrases: movie time, rooms: [hall]"),
        ("phrases: movie time", "phrases: movie time, enabled: false"),
        ("phrases: 'set {level} percent'", "phrases: set 12 percent"),
        ("phrases: 'light {tone}'", "phrases: light cold"),
        ("phrases: 'play {movie} now'", "phrases: 'play {movie} later'"),
    ],
)
def test_phrases_without_a_common_sentence_or_room_do_not_collide(first: str, second: str) -> None:
    assert collisions(first, second) == []


def test_the_first_routine_wins_an_equal_phrase_and_the_second_is_warned() -> None:
    assert collisions("phrases: movie time", "phrases: movie time") == [("two", "warning")]


def test_a_phrase_with_open_words_loses_a_few_sentences_to_an_exact_one_which_is_a_hint() -> None:
    yaml = """
    - {id: any, triggers: [{trigger: voice, phrases: ['play {movie}', 'show {movie}']}], actions: [{say: x}]}
    - {id: jazz, triggers: [{trigger: voice, phrases: play some jazz}], actions: [{say: x}]}
    """
    [finding] = findings(yaml, "phrase_collision", lists=LISTS)
    assert (finding.routine, finding.severity) == ("any", "hint")
    assert finding.path == ("triggers", 0, "phrases", 0)
    assert finding.message == "'play some jazz' is also a phrase of 'jazz', which wins"


@pytest.mark.parametrize(("phrase", "count"), [("set it to 5 percent", 1), ("set it to 50 percent", 0)])
def test_numbers_between_the_sampled_ends_are_found_too(phrase: str, count: int) -> None:
    assert len(collisions("phrases: 'set it to {level} percent'", f"phrases: {phrase}")) == count


def test_a_phrase_that_the_house_knows_already_is_a_hint() -> None:
    home = Directory(entities=(Entity(entity_id="light.desk", names=("desk lamp",)),))
    yaml = """
    - {id: a, triggers: [{trigger: voice, phrases: [good night, turn on the desk lamp]}], actions: [{say: x}]}
    - {id: b, triggers: [{trigger: voice, phrases: desk lamp party}], actions: [{say: x}]}
    """
    [finding] = findings(yaml, "built_in_phrase", directory=home, with_built_in=True)
    assert (finding.routine, finding.severity, finding.path[-1]) == ("a", "hint", 1)
    assert findings(yaml, "built_in_phrase", directory=home) == []


_WORDS = st.sampled_from(["turn", "on", "light", "hall", "now", "please"])
_PIECES = st.one_of(
    _WORDS,
    _WORDS.map(lambda word: f"[{word}]"),
    st.lists(_WORDS, min_size=2, max_size=3).map(lambda words: f"({'|'.join(words)})"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=6))
def test_a_phrase_reads_every_sentence_that_is_sampled_from_it(pieces: list[str]) -> None:
    phrase = SampledPhrase(" ".join(["go", *pieces]), {}, {})
    assert 0 < len(phrase.sentences) <= MOST_SENTENCES
    assert all(phrase.may_be(sentence) and phrase.reads(sentence) for sentence in phrase.sentences)

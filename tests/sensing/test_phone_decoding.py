"""Decoding phones with a grammar: exact, the same however frames come, and at the pace of speech."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.hearing import BUILT_IN_SENTENCES, read_phrases
from sensing.speech.biasing import combined, recency_bias, room_bias
from sensing.speech.grammar import Grammar, compile_grammar
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_graph import compile_phones
from sensing.speech.phones import BLANK, LABELS, phone_labels
from sensing.speech.sentence_search import FoundSentence, SentenceSearch
from sensing.speech.token_passing import TokenPassing
from sensing.speech.word_automaton import minimal_automaton
from tests.conftest import recordings_folder
from tests.sensing.phone_frames import (
    best_alignment,
    best_by_trying_all,
    clear_frames,
    heard,
    random_frames,
    random_sentences,
    ranked,
    said,
)

LEXICON = Lexicon()
# Homophones, several pronunciations, and words that begin as others end.
WORDS = ("a", "at", "two", "to", "the", "tea", "eat", "it", "off")


def grammar_of(*sentences: str) -> Grammar:
    """Return a grammar of whole sentences, none of them shared in any part."""
    arcs: list[tuple[int, int, str | None]] = []
    node = 2
    for sentence in sentences:
        words = sentence.split()
        nodes = [0, *range(node, node + len(words) - 1), 1]
        node += len(words)
        arcs += [(first, last, word) for (first, last), word in zip(pairwise(nodes), words, strict=True)]
    return Grammar(start=0, final=1, arcs=tuple(arcs))


@st.composite
def grammars(draw: st.DrawFn) -> Grammar:
    """Return small random acyclic graphs, with silent arcs, that say at least one word."""
    nodes = draw(st.integers(2, 5))
    arc = st.tuples(
        st.integers(0, nodes - 2), st.integers(1, nodes - 1), st.sampled_from([None, *WORDS])
    ).filter(lambda one: one[0] < one[1])
    arcs = draw(st.lists(arc, min_size=1, max_size=8))
    return Grammar(start=0, final=nodes - 1, arcs=(*arcs, (0, nodes - 1, draw(st.sampled_from(WORDS)))))


def decoded(grammar: Grammar, frames: NDArray[np.float32], most: int = 5) -> list[FoundSentence]:
    """Return the best sentences of some frames."""
    tokens = TokenPassing(compile_phones(grammar, LEXICON))
    tokens.feed(frames)
    return list(SentenceSearch(tokens.graph, tokens.trellis).sentences(most))


def kind_of_ending(grammar: Grammar, words: str) -> str:
    """Return what the decoder thinks of the end of clearly spoken words and silence."""
    phones = [phone for word in words.split() for phone in (*LEXICON.pronunciations(word)[0], BLANK)]
    tokens = TokenPassing(compile_phones(grammar, LEXICON))
    tokens.feed(clear_frames([BLANK, *phones, BLANK, BLANK]))
    return tokens.ending().kind


@given(st.lists(st.sampled_from(phone_labels(["T", "AH"])), min_size=1, max_size=3), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_reference_is_the_definition_of_ctc(phones: list[int], seed: int) -> None:
    frames = random_frames(np.random.default_rng(seed), 6)
    assert best_alignment(phones, frames) == pytest.approx(best_by_trying_all(phones, frames))


@given(grammars(), st.integers(1, 14), st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_the_best_sentences_are_those_that_trying_all_of_them_finds(
    grammar: Grammar, frames: int, seed: int
) -> None:
    log_probs = random_frames(np.random.default_rng(seed), frames)
    expected = {text: score for text, score in ranked(grammar, LEXICON, log_probs).items() if score > -np.inf}
    found = decoded(grammar, log_probs, most=6)
    # float32 sums over at most 14 frames of at most 20 nats
    assert [one.score for one in found] == pytest.approx(list(expected.values())[:6], abs=1e-3)
    for one in found:
        assert one.score == pytest.approx(expected[" ".join(one.texts)], abs=1e-3)
    assert len({one.texts for one in found}) == len(found)


@given(grammars(), st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_priors_of_phrases_are_added_once_for_each_time_they_are_said(grammar: Grammar, seed: int) -> None:
    log_probs = random_frames(np.random.default_rng(seed), 14)
    bias = {"two": 1.5, "to the": -2.0, "^ a": 0.7}
    expected = {}
    for text, score in ranked(grammar, LEXICON, log_probs).items():
        padded = f"^ {text} ".replace(" ", "  ")
        times = {phrase: padded.count(f" {phrase.replace(' ', '  ')} ") for phrase in ("two", "to the")}
        expected[text] = score + 1.5 * times["two"] - 2.0 * times["to the"] + 0.7 * text.startswith(("a ",))
        expected[text] += 0.7 * (text == "a")
    tokens = TokenPassing(compile_phones(grammar, LEXICON, bias))
    tokens.feed(log_probs)
    for one in SentenceSearch(tokens.graph, tokens.trellis).sentences(6):
        assert one.score == pytest.approx(expected[" ".join(one.texts)], abs=1e-3)
    assert tokens.score == pytest.approx(max(expected.values()), abs=1e-3)


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_what_is_decoded_does_not_depend_on_how_frames_are_cut(cuts: list[int], seed: int) -> None:
    log_probs = random_frames(np.random.default_rng(seed), 40)
    graph = compile_phones(grammar_of("turn it off", "eat the tea", "two to two"), LEXICON)
    whole, pieces = TokenPassing(graph), TokenPassing(graph)
    whole.feed(log_probs)
    for first, last in pairwise([0, *sorted(cuts), 40]):
        pieces.feed(log_probs[first:last])
    results = [list(SentenceSearch(graph, tokens.trellis).sentences(3)) for tokens in (whole, pieces)]
    assert results[0] == results[1]
    assert whole.ending() == pieces.ending()


@given(grammars())
@settings(max_examples=100, deadline=None)
def test_a_minimal_automaton_says_the_same_sentences(grammar: Grammar) -> None:
    automaton = minimal_automaton(grammar)
    arcs = [(arc.first, arc.last, arc.word) for arc in automaton.arcs]
    ends = [(end, -1, None) for end in automaton.ends]
    again = Grammar(start=automaton.start, final=-1, arcs=(*arcs, *ends))
    assert sorted(again.sentences()) == sorted(set(grammar.sentences()) - {""})


def test_priors_do_not_change_what_can_be_said() -> None:
    grammar = grammar_of("turn off the tea", "turn the tea off", "eat the tea")
    graph = compile_phones(grammar, LEXICON, {"the tea": 1.0, "^ turn": 2.0})
    plain = compile_phones(grammar, LEXICON)
    assert {chain.word for chain in graph.chains} == {chain.word for chain in plain.chains}


def test_spoken_orders_and_commands_are_decoded_despite_noise() -> None:
    rng = np.random.default_rng(15)
    grammar = compile_grammar(read_phrases(BUILT_IN_SENTENCES, []).intents, after="computer")
    assert right_of_fifteen(grammar, rng) >= 14


@pytest.mark.recordings
def test_coffee_orders_are_decoded_despite_noise() -> None:
    phrases = read_phrases(Path(recordings_folder("commands")) / "coffee.yaml", [])
    assert right_of_fifteen(compile_grammar(phrases.intents), np.random.default_rng(15)) >= 14


def right_of_fifteen(grammar: Grammar, rng: np.random.Generator) -> int:
    """Return how many of fifteen random sentences come first."""
    tokens = TokenPassing(compile_phones(grammar, LEXICON))
    right = 0
    for words in random_sentences(grammar, rng, 15):
        tokens.reset()
        tokens.feed(heard(said(words, LEXICON, rng), rng))
        best = next(SentenceSearch(tokens.graph, tokens.trellis).sentences(1))
        right += sounds(best.texts) == sounds(words)
    return right


def sounds(words: Sequence[str]) -> list[tuple[int, ...]]:
    """Return how words are usually said: no ear tells "two" from "to"."""
    return [LEXICON.pronunciations(word)[0] for word in words]


def test_between_equal_phones_there_must_be_a_blank() -> None:
    grammar = grammar_of("at two")
    ae, t, uw = phone_labels(["AE", "T", "UW"])
    [together] = decoded(grammar, clear_frames([ae, ae, t, t, uw, uw]))
    [apart] = decoded(grammar, clear_frames([ae, t, BLANK, BLANK, t, uw]))
    assert apart.score > -0.01
    assert together.score < -10


def test_words_have_the_frames_in_which_they_were_said() -> None:
    ae, t, uw, iy = phone_labels(["AE", "T", "UW", "IY"])
    frames = clear_frames([BLANK, BLANK, ae, ae, t, BLANK, BLANK, BLANK, t, uw, uw, t, iy, BLANK])
    [sentence] = decoded(grammar_of("at two tea"), frames)
    spans = [(word.text, word.first_frame, word.end_frame) for word in sentence.words]
    assert spans == [("at", 2, 5), ("two", 8, 11), ("tea", 11, 13)]


@given(st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_words_lie_in_order_inside_the_utterance(seed: int) -> None:
    frames = random_frames(np.random.default_rng(seed), 30)
    for sentence in decoded(grammar_of("turn off the tea", "eat it", "at two to two"), frames):
        edges = [edge for word in sentence.words for edge in (word.first_frame, word.end_frame)]
        assert edges == sorted(edges)
        assert all(word.first_frame < word.end_frame for word in sentence.words)
        assert edges[0] >= 0
        assert edges[-1] <= 30
        assert sum(word.score for word in sentence.words) >= sentence.score - 1e-3


def test_too_few_frames_hold_no_sentence() -> None:
    assert decoded(grammar_of("turn off the tea"), clear_frames([BLANK] * 3)) == []
    assert decoded(grammar_of("turn off the tea"), np.zeros((0, LABELS), np.float32)) == []


def test_impossible_labels_do_not_spoil_the_others() -> None:
    frames = clear_frames(phone_labels(["T", "IY"]))
    frames[frames < -5] = -np.inf
    assert [one.texts for one in decoded(grammar_of("tea", "two"), frames)] == [("tea",), ("two",)]


def test_words_so_far_grow_and_leave_out_the_word_under_way() -> None:
    tokens = TokenPassing(compile_phones(grammar_of("turn off the tea"), LEXICON))
    seen = []
    phones = said(["turn", "off", "the", "tea"], LEXICON, np.random.default_rng(1))
    for frame in clear_frames([BLANK, *phones]):
        tokens.feed(frame[None])
        words = SentenceSearch(tokens.graph, tokens.trellis).words_so_far()
        seen.append(" ".join(word.text for word in words))
    assert list(dict.fromkeys(seen)) == ["", "turn", "turn off", "turn off the", "turn off the tea"]


def test_a_sentence_ends_where_nothing_can_follow() -> None:
    grammar = grammar_of("turn it off", "turn it off the tea", "eat")
    assert kind_of_ending(grammar, "eat") == "over"
    assert kind_of_ending(grammar, "turn it off") == "open"
    assert kind_of_ending(grammar, "turn it") == "inside"
    assert kind_of_ending(grammar, "turn it off the tea") == "over"


def test_a_sentence_stays_open_while_a_rival_is_likely() -> None:
    uncertain = clear_frames(phone_labels(["T", "UW", "UW"]))
    label, rival = phone_labels(["UW", "IY"])
    uncertain[1:, rival] = uncertain[1:, label] - 1.0
    tokens = TokenPassing(compile_phones(grammar_of("two", "tea off"), LEXICON))
    tokens.feed(np.concatenate([uncertain, clear_frames([BLANK])]))
    assert tokens.ending().kind == "open"
    assert tokens.ending(beam=1.0).kind == "over"


def test_nothing_said_is_no_ending() -> None:
    tokens = TokenPassing(compile_phones(grammar_of("two"), LEXICON))
    assert tokens.ending().kind == "inside"
    tokens.feed(clear_frames([BLANK] * 20))
    assert tokens.ending().kind == "inside"


def test_other_sounds_at_the_edges_cost_their_penalty() -> None:
    aa, sh = phone_labels(["AA", "SH"])
    frames = clear_frames([aa, sh, aa, BLANK, *phone_labels(["T", "UW"]), BLANK, sh, sh])
    scores = []
    for penalty in (None, 2.0):
        tokens = TokenPassing(compile_phones(grammar_of("two"), LEXICON), edge_penalty=penalty)
        tokens.feed(frames)
        [found] = SentenceSearch(tokens.graph, tokens.trellis).sentences(2)
        assert found.score == pytest.approx(tokens.score, abs=1e-3)
        assert (found.words[0].first_frame, found.words[0].end_frame) == (4, 6)
        scores.append(found.score)
    assert scores == pytest.approx([-60, -10], abs=0.01)


def test_a_prior_decides_between_equal_sounds() -> None:
    grammar = grammar_of("two", "to")
    frames = clear_frames(phone_labels(["T", "UW"]))
    for word in ("two", "to"):
        tokens = TokenPassing(compile_phones(grammar, LEXICON, room_bias([word.upper()], log(3))))
        tokens.feed(frames)
        best, other = SentenceSearch(tokens.graph, tokens.trellis).sentences(2)
        assert best.texts == (word,)
        assert best.score - other.score == pytest.approx(log(3), abs=1e-5)
        assert best.prior == pytest.approx(log(3))


def test_priors_fade_with_time_and_add_up() -> None:
    recent = recency_bias({"Desk  Lamp": 60.0, "fan": 0.0}, nats=1.0, half_life_seconds=60.0)
    assert recent == pytest.approx({"desk lamp": 0.5, "fan": 1.0})
    both = combined(recent, room_bias(["desk lamp"], 1.0))
    assert both == pytest.approx({"desk lamp": 1.5, "fan": 1.0})
    with pytest.raises(ValueError, match="half-life"):
        recency_bias({}, nats=1.0, half_life_seconds=0.0)


def test_a_grammar_that_shared_beginnings_would_blow_up_stays_small() -> None:
    # "the word n places before the end was a": any deterministic graph needs 2**n states
    free = [(node, node + 1, word) for node in range(14) for word in ("a", "two")]
    marked = [(node, node + 100, "a") for node in range(14)]
    tail = [(100 + node, 101 + node, word) for node in range(14) for word in ("a", "two")]
    grammar = Grammar(start=0, final=114, arcs=(*free, *marked, *tail))
    automaton = minimal_automaton(grammar)
    assert len(automaton.arcs) < 20 * len(grammar.arcs)
    arcs = [(arc.first, arc.last, arc.word) for arc in automaton.arcs]
    again = Grammar(
        start=automaton.start, final=-1, arcs=(*arcs, *((end, -1, None) for end in automaton.ends))
    )
    rng = np.random.default_rng(1)
    for length in (14, 15, 16, 20, 27, 28, 29):
        for _ in range(20):
            words = rng.choice(["a", "two"], length).tolist()
            assert again.accepts(words) == grammar.accepts(words)

"""Free text becomes the sentence of a grammar that it sounds most like."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hassil import Intents
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.hearing import BUILT_IN_SENTENCES, read_phrases
from hub.playback.text_to_speech import pronunciation
from sensing.speech.free_text_recognizer import FreeTextRecognizer
from sensing.speech.grammar import Grammar, compile_grammar
from sensing.speech.phone_distance import confusion_costs
from sensing.speech.phones import PHONES
from sensing.speech.phonetic_rescoring import NearestSentence, PhoneticRescoring
from sensing.speech.recognizer import SURE_CONFIDENCE
from sensing.speech.spoken_form import spoken_words
from sensing.training.recordings import spoken
from tests.conftest import recordings_folder

MISSING = 0.6
"""Cost of a phone too many or too few, as the module says."""


@pytest.fixture(scope="module")
def home() -> Grammar:
    return compile_grammar(read_phrases(BUILT_IN_SENTENCES, []).intents, after="computer")


@pytest.fixture(scope="module")
def rescoring(home: Grammar) -> PhoneticRescoring:
    return PhoneticRescoring(home, pronounce=pronunciation)


def nearest(rescoring: PhoneticRescoring, text: str) -> NearestSentence:
    found = rescoring.nearest(text)
    assert found is not None
    return found


def test_every_sentence_is_nearest_to_itself(home: Grammar, rescoring: PhoneticRescoring) -> None:
    for sentence in sorted(home.sentences())[::211]:
        found = nearest(rescoring, sentence)
        assert (found.distance, found.word_distance, found.confidence) == (0.0, 0.0, 1.0), sentence
        assert [pronunciation(word) for word in found.words] == [pronunciation(w) for w in sentence.split()]


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("turn on the kitten light", "turn on the kitchen light"),
        ("Turn on the kitchen lied.", "turn on the kitchen light"),
        ("Set the kitchen light to 20%", "set the kitchen light to twenty percent"),
        ("computer, what thyme is it?", "computer what time is it"),
        ("turn off the bat room light", "turn off the bathroom light"),
    ],
)
def test_a_sound_alike_is_understood(rescoring: PhoneticRescoring, heard: str, meant: str) -> None:
    found = nearest(rescoring, heard)
    assert " ".join(found.words) == meant
    assert found.confidence >= SURE_CONFIDENCE


@pytest.mark.parametrize(
    "heard",
    [
        "what is the capital of france",
        "I love you",
        "Thanks for watching!",
        "turn on the garage heater",
        "你好世界",
        "xyzzy",
        "you",
    ],
)
def test_other_words_are_not_understood(rescoring: PhoneticRescoring, heard: str) -> None:
    assert nearest(rescoring, heard).confidence < SURE_CONFIDENCE


@pytest.mark.parametrize("text", ["", "  ", "...", "[ ]"])
def test_a_text_without_words_is_nothing(rescoring: PhoneticRescoring, text: str) -> None:
    assert rescoring.nearest(text) is None


def test_confusions_are_a_metric() -> None:
    costs = confusion_costs()
    assert costs.shape == (len(PHONES), len(PHONES))
    assert np.array_equal(costs, costs.T)
    assert np.array_equal(costs == 0, np.eye(len(PHONES), dtype=bool))
    assert costs.max() <= 1
    shortest = (costs[:, :, None] + costs[None]).min(axis=1)
    assert (shortest >= costs - 1e-12).all()


def test_sounds_that_people_confuse_are_near() -> None:
    costs, number = confusion_costs(), {phone: index for index, phone in enumerate(PHONES)}
    for near, far in [("F TH", "F G"), ("M N", "M K"), ("IH IY", "IH AO"), ("S SH", "S M"), ("P B", "P R")]:
        a, b = (costs[tuple(number[phone] for phone in pair.split())] for pair in (near, far))
        assert a < b / 2, (near, far)


WORDS = {"a": "AA", "bee": "B IY", "cat": "K AE T", "dog": "D AO G", "tea": "T IY", "ten": "T EH N"}


def edit_distance(said: list[str], meant: list[str]) -> float:
    """Wagner and Fischer's distance of two strings of phones, one against one."""
    costs, number = confusion_costs(), {phone: index for index, phone in enumerate(PHONES)}
    row = [MISSING * index for index in range(len(meant) + 1)]
    for first, phone in enumerate(said, start=1):
        above, row = row, [MISSING * first]
        for second, other in enumerate(meant, start=1):
            mistaken = above[second - 1] + costs[number[phone], number[other]]
            row.append(min(mistaken, above[second] + MISSING, row[-1] + MISSING))
    return row[-1]


def phones_of(words: list[str]) -> list[str]:
    return [phone for word in words for phone in WORDS[word].split()]


def grammar_of(sentences: list[str]) -> Grammar:
    intents = {"a": {"data": [{"sentences": sentences}]}}
    return compile_grammar(Intents.from_dict({"language": "en", "intents": intents}))


sentences = st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4).map(" ".join)


@given(grammar=st.lists(sentences, min_size=1, max_size=6, unique=True), text=sentences)
@settings(max_examples=60, deadline=None)
def test_the_shortest_path_is_the_nearest_of_all_sentences(grammar: list[str], text: str) -> None:
    found = nearest(PhoneticRescoring(grammar_of(grammar), pronounce=WORDS.__getitem__), text)
    said = phones_of(text.split())
    least = min(edit_distance(said, phones_of(sentence.split())) for sentence in grammar)
    meant = phones_of(list(found.words))
    assert " ".join(found.words) in grammar
    assert edit_distance(said, meant) == pytest.approx(least)
    assert found.distance == pytest.approx(least / max(len(said), len(meant)))
    assert list(found.starts) == sorted(found.starts)


def test_a_grammar_of_a_billion_sentences_is_searched_as_quickly_as_written() -> None:
    ways = " ".join(f"({'|'.join(WORDS)})" for _ in range(12))
    grammar = grammar_of([ways])
    assert len(grammar.arcs) < 100  # and 6 ** 12 sentences
    rescoring = PhoneticRescoring(grammar, pronounce=WORDS.__getitem__)
    text = " ".join(itertools.islice(itertools.cycle(WORDS), 12))
    assert " ".join(nearest(rescoring, text).words) == text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Set it to 20%.", "set it to twenty percent"),
        ("21° at 7:30", "twenty one degrees at seven thirty"),
        ("What\u2019s 1.5?", "what's one point five"),
        ("R2-D2", "r two d two"),
        (
            "call 0151123456789012",
            "call zero one five one one two three four five six seven eight nine zero one two",
        ),
    ],
)
def test_numbers_and_signs_are_spoken(written: str, spoken: str) -> None:
    assert " ".join(spoken_words(written)) == spoken


def test_words_lie_in_order_inside_the_sound(rescoring: PhoneticRescoring) -> None:
    recognizer = FreeTextRecognizer(lambda samples: "turn on the kitchen light", rescoring)
    recognizer.feed(np.zeros(16_000, np.float32))
    recognizer.feed(np.zeros(16_000, np.float32))
    [best] = recognizer.finish()
    edges = [edge for word in best.words for edge in (word.start_seconds, word.end_seconds)]
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (0.0, 2.0)
    assert recognizer.finish() == []  # nothing was fed since


def test_a_recogniser_that_says_nothing_is_not_guessed_for(rescoring: PhoneticRescoring) -> None:
    recognizer = FreeTextRecognizer(lambda samples: "", rescoring)
    recognizer.feed(np.zeros(16_000, np.float32))
    assert recognizer.finish() == []


@pytest.mark.recordings
def test_what_people_say_about_other_things_is_no_command(rescoring: PhoneticRescoring) -> None:
    folder: Path = recordings_folder("speech")
    texts = sorted(
        {one.label for one in spoken(folder, "transcript") if one.part == "validation" and one.label}
    )
    assert len(texts) > 200
    found = [nearest(rescoring, text) for text in texts[::2]]
    assert sum(one.confidence >= SURE_CONFIDENCE for one in found) == 0

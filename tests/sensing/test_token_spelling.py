"""A grammar is decoded over the letters or pieces of words that somebody's CTC model hears."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hassil import Intents
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensing.speech.ctc_recognizer import CtcRecognizer
from sensing.speech.grammar import Grammar, compile_grammar
from sensing.speech.phones import LABELS
from sensing.speech.recognizer import SURE_CONFIDENCE
from sensing.speech.token_spelling import TokensUnfit, Vocabulary

LETTERS = Vocabulary(tokens=("<blk>", " ", *"abcdefghijklmnopqrstuvwxyz'"), blank=0)
PIECES = Vocabulary(
    tokens=(" turn", " o", "n", "ff", " the", " l", "i", "ght", "s", " ", "t", "<blk>"), blank=11
)
SENTENCES = [f"turn {way} the light{s}" for way in ("on", "off") for s in ("", "s")]
FRAME_SECONDS = 0.04


def grammar_of(template: str) -> Grammar:
    intents = {"a": {"data": [{"sentences": [template]}]}}
    return compile_grammar(Intents.from_dict({"language": "en", "intents": intents}))


LIGHTS = grammar_of("turn (on|off) the light[s]")


class Writer:
    """A model that hears one text, each token for one frame and a blank after it."""

    frame_seconds = FRAME_SECONDS

    def __init__(self, vocabulary: Vocabulary, text: str, *, sure: float = 6.0) -> None:
        self.vocabulary = vocabulary
        self.say([number for word in text.split() for number in vocabulary.spellings(word)[0]])
        self._sure = sure

    def say(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def log_probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = np.random.default_rng(len(samples)).standard_normal(
            (2 * len(self._numbers) + 10, len(self.vocabulary.tokens))
        )
        heard = [one for number in self._numbers for one in (number, self.vocabulary.blank)]
        heard += [self.vocabulary.blank] * 10
        logits[np.arange(len(heard)), heard] += self._sure
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)


def recognized(vocabulary: Vocabulary, text: str, grammar: Grammar = LIGHTS) -> tuple[str, float]:
    recognizer = CtcRecognizer(Writer(vocabulary, text), grammar)
    recognizer.feed(np.zeros(16_000, np.float32))
    best = recognizer.finish()[0]
    assert recognizer.finish() == []
    return best.text, best.confidence


@pytest.mark.parametrize("vocabulary", [LETTERS, PIECES], ids=["letters", "pieces"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_of_the_grammar_is_recognised(vocabulary: Vocabulary, sentence: str) -> None:
    text, confidence = recognized(vocabulary, sentence)
    assert text == sentence
    assert confidence > 0.9


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("turn on the lite", "turn on the light"), ("durn off the lights", "turn off the lights")],
)
def test_a_misspelling_is_recognised_with_less_confidence(heard: str, meant: str) -> None:
    text, confidence = recognized(LETTERS, heard)
    assert text == meant
    assert confidence < recognized(LETTERS, meant)[1]


@pytest.mark.parametrize("heard", ["good morning", "burn all of the bridges", "zzz"])
def test_other_words_are_not_sure(heard: str) -> None:
    assert recognized(LETTERS, heard)[1] < SURE_CONFIDENCE


def test_frames_of_blanks_alone_are_nothing() -> None:
    recognizer = CtcRecognizer(Writer(LETTERS, ""), LIGHTS)
    recognizer.feed(np.zeros(16_000, np.float32))
    assert recognizer.finish() == []


def test_words_have_the_times_of_their_tokens() -> None:
    recognizer = CtcRecognizer(Writer(PIECES, "turn on the light"), LIGHTS)
    recognizer.feed(np.zeros(16_000, np.float32))
    words = recognizer.finish()[0].words
    # a token every second frame: " turn", then " o" and "n", then " the", then " l"
    assert [word.start_seconds for word in words] == pytest.approx([0.0, 0.08, 0.24, 0.32])


@given(word=st.text("abcfghilnostu", min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_spellings_join_to_the_word_and_no_shorter_one_exists(word: str) -> None:
    pieces = [*"abcfghilnostu", "ab", "abc", "no", "not", "ught"]
    vocabulary = Vocabulary(tokens=("<blk>", " ", *pieces), blank=0)
    spelling, *others = vocabulary.spellings(word)
    for one in (spelling, *others):
        assert "".join(vocabulary.tokens[number] for number in one) == f" {word}"

    def fewest(text: str) -> int:
        return min((1 + fewest(text[len(one) :]) for one in pieces if text.startswith(one)), default=0)

    assert len(spelling) == 1 + fewest(word)


def test_capitals_are_written_where_the_model_has_no_others() -> None:
    vocabulary = Vocabulary(tokens=("<blk>", " ", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"), blank=0)
    assert recognized(vocabulary, "turn off the lights")[0] == "turn off the lights"


def test_what_a_model_cannot_write_is_refused_by_name() -> None:
    with pytest.raises(TokensUnfit, match="'music' cannot be written"):
        CtcRecognizer(Writer(PIECES, "turn"), grammar_of("stop music"))


def test_a_grammar_may_need_more_tokens_than_there_are_phones() -> None:
    words = [f"{a}{b}" for a in "abcdefgh" for b in "stuvwxyz"]
    vocabulary = Vocabulary(tokens=("<blk>", *(f" {word}" for word in words)), blank=0)
    assert len(words) > LABELS
    grammar = grammar_of(f"({'|'.join(words)}) ({'|'.join(words)})")
    for said in ("as hz", "cu cu"):
        text, confidence = recognized(vocabulary, said, grammar)
        assert text == said
        assert confidence > 0.9


def test_letters_are_joined_in_the_order_in_which_byte_pair_encoding_found_the_pairs() -> None:
    found = ["l i", "li g", "g h", "gh t", "_ t", "h e", "_t he", "ig ht", "lig ht", "_ light"]
    tokens = [pair.replace(" ", "").replace("_", " ") for pair in found]
    vocabulary = Vocabulary(tokens=(*tokens, *" lightem", "<blk>"), blank=len(tokens) + 8)

    def written(word: str) -> list[str]:
        return ["|".join(vocabulary.tokens[number] for number in way) for way in vocabulary.spellings(word)]

    assert written("light") == [" light", " |lig|h|t"]  # "li", then "lig", which "gh" comes too late for
    assert written("theme") == [" the|m|e"]


@given(cut=st.sampled_from(["fewest", "joined"]), sentence=st.sampled_from(SENTENCES))
@settings(max_examples=20, deadline=None)
def test_either_way_of_cutting_words_into_pieces_is_recognised(cut: str, sentence: str) -> None:
    pieces = (
        " t",
        "ur",
        "tu",
        "urn",
        " tu",
        "rn",
        " o",
        "ff",
        " on",
        " of",
        "th",
        "e",
        " th",
        "li",
        "gh",
        "ght",
        "ts",
    )
    vocabulary = Vocabulary(tokens=(*pieces, *" turnofheligs", "<blk>"), blank=len(pieces) + 13)
    writer = Writer(vocabulary, "")
    place = {"fewest": 0, "joined": -1}[cut]
    writer.say([number for word in sentence.split() for number in vocabulary.spellings(word)[place]])
    recognizer = CtcRecognizer(writer, LIGHTS)
    recognizer.feed(np.zeros(16_000, np.float32))
    best = recognizer.finish()[0]
    assert best.text == sentence
    assert best.confidence > 0.9

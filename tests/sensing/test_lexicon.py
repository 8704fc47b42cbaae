"""How words are said."""

from __future__ import annotations

import pytest

from hub.playback.text_to_speech import pronunciation
from sensing.speech.lexicon import Lexicon
from sensing.speech.phones import LABELS, PHONES, phone_labels


def spoken(word: str, lexicon: Lexicon) -> list[str]:
    """Return the pronunciations of a word, to be read."""
    ways = lexicon.pronunciations(word)
    return [" ".join(PHONES[label - 1] for label in way) for way in ways]


def test_there_are_39_phones_in_order() -> None:
    assert LABELS == 40
    assert list(PHONES) == sorted(PHONES)
    assert phone_labels(["AA", "ZH"]) == (1, 39)


def test_a_word_has_all_pronunciations_of_the_dictionary() -> None:
    assert spoken("a", Lexicon()) == ["AH", "EY"]
    assert spoken("kitchen", Lexicon()) == ["K IH CH AH N"]
    assert spoken("tv", Lexicon())[0] == "T IY V IY"


def test_a_word_is_not_taken_for_one_that_begins_so() -> None:
    assert spoken("tea", Lexicon()) == ["T IY"]


def test_an_unknown_name_is_said_as_the_hub_says_it() -> None:
    assert spoken("roomwise", Lexicon(pronunciation)) == ["R UW M W AY Z"]


def test_a_short_unknown_word_may_be_an_initialism() -> None:
    assert "EY CH V IY EY S IY" in spoken("hvac", Lexicon())
    assert spoken("hvac", Lexicon(pronunciation))[-1] == "EY CH V IY EY S IY"


def test_an_unknown_word_is_asked_for_once() -> None:
    asked = []
    lexicon = Lexicon(lambda word: asked.append(word) or "T IY")
    assert (
        lexicon.pronunciations("zorblax") == lexicon.pronunciations("zorblax") == (phone_labels(["T", "IY"]),)
    )
    assert asked == ["zorblax"]


def test_a_word_that_nobody_can_say_is_named() -> None:
    with pytest.raises(ValueError, match="'zorblax' cannot be said"):
        Lexicon().pronunciations("zorblax")
    with pytest.raises(ValueError, match=r"'zorblax' cannot be said \('QQ' is not an ARPAbet phone\)"):
        Lexicon(lambda _: "QQ").pronunciations("zorblax")

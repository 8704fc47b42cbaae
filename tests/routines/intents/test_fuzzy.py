from __future__ import annotations

import pytest

from routines.intents.fuzzy import FuzzyLimits, FuzzyPhrases, is_guarded
from routines.intents.phonetic import phonetic_key
from tests.routines.intents.made_up_home import TABLE, TABLE_OF_NOTHING

PHRASES = FuzzyPhrases(
    {
        "movie_time": ["[start|begin] movie time [in [the] {area}]", "(watch|play) {movie}"],
        "good_night": ["good night [everybody]", "(I'm|we are) going to bed"],
        "good_morning": ["good morning"],
        "dinner": ["dinner is ready", "(dinner|supper) time"],
        "leaving": ["we are leaving", "goodbye"],
        "reading": ["reading (light|lights)"],
        "party": ["party (mode|time)"],
        "fire": ["light the fireplace for {1..60:minutes} minutes"],
    }
)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("start movy time", "movie_time"),
        ("start moovie time", "movie_time"),
        ("Movie time, please!", "movie_time"),
        ("good nite", "good_night"),
        ("goodnight", "good_night"),
        ("goot night", "good_night"),
        ("good nite everybody", "good_night"),
        ("good mourning", "good_morning"),
        ("diner time", "dinner"),
        ("we are leafing", "leaving"),
        ("good bye", "leaving"),
        ("reading lite", "reading"),
        ("party tyme", "party"),
        ("we are going to bad", "good_night"),
        ("super time", "dinner"),
    ],
)
def test_what_sounds_like_a_phrase_is_meant(text: str, owner: str) -> None:
    match = PHRASES.match(text)
    assert match is not None
    assert match.owner == owner


@pytest.mark.parametrize(
    "text",
    [
        "what time is the movie",
        "stop movie time",
        "don't start movie time",
        "turn off movie time",
        *(
            "is dinner ready",
            "is it movie time",
            "no party time",
            "good",
            "time",
            "movie",
            "good night nurse",
        ),
        *(
            "play movie music",
            "bed time",
            "hearty mode",
            "light the fireplace for ten minutes",
            "",
            "the",
            "...",
        ),
    ],
)
def test_what_says_something_else_is_not(text: str) -> None:
    assert PHRASES.match(text) is None


def test_a_misheard_phrase_is_done_and_a_poor_one_is_asked_about() -> None:
    heard = PHRASES.match("start movy time")
    assert heard is not None
    assert not heard.needs_confirmation
    poor = FuzzyPhrases({"party": ["party mode"]}, defaults=FuzzyLimits(fuzzy=0.7)).match("party mud")
    assert poor is not None
    assert poor.needs_confirmation


def test_an_owner_can_be_stricter() -> None:
    strict = FuzzyPhrases({"movie": ["movie time"]}, {"movie": FuzzyLimits(fuzzy=0.99, confirm_below=1.0)})
    assert strict.match("movy time") is None
    assert strict.match("movie time") is not None


def test_what_sounds_like_two_owners_is_nobodys() -> None:
    torn = FuzzyPhrases({"night": ["good night"], "knight": ["good knight"]})
    assert torn.match("good nite") is None


def test_no_sentence_of_the_built_in_table_is_taken_for_a_phrase() -> None:
    own = {"movie time", "good nite", "start movy time"}
    sentences = [row["say"] for row in TABLE["sentences"]] + TABLE_OF_NOTHING
    taken = {text: match.owner for text in sentences if text not in own and (match := PHRASES.match(text))}
    assert taken == {}


def test_a_template_of_many_optional_words_takes_no_time() -> None:
    words = " ".join(f"[word{number}]" for number in range(40))
    long = FuzzyPhrases({"long": [f"(begin {words}|finish)"]})
    assert long.match("begin") is not None
    assert long.match("finish") is not None


def test_a_template_that_cannot_be_read_is_left_out() -> None:
    assert FuzzyPhrases({"bad": ["(open", "{list}", "<rule>"]}).match("open") is None


def test_nothing_to_match_is_no_match() -> None:
    assert FuzzyPhrases({}).match("hello") is None


@pytest.mark.parametrize(
    ("names", "guarded"),
    [
        (["lock.front"], True),
        (["light", "cover.open_cover"], True),
        (["alarm_control_panel"], True),
        (["valve.water"], True),
        (["light.turn_on", "scene.lock_screen"], False),
        ([], False),
    ],
)
def test_locks_alarms_and_covers_are_guarded(names: list[str], guarded: bool) -> None:
    assert is_guarded(names) is guarded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("night", "nite"),
        ("movie", "movy"),
        ("light", "lite"),
        ("knight", "night"),
        ("phone", "fone"),
        *(
            ("write", "right"),
            ("mourning", "morning"),
            ("photo", "foto"),
            ("kitchen", "kitchin"),
            ("wrap", "rap"),
        ),
    ],
)
def test_words_that_sound_alike_have_one_key(one: str, other: str) -> None:
    assert phonetic_key(one) == phonetic_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("stop", "start"), ("light", "night"), ("on", "off"), ("tea", "key")]
)
def test_words_that_do_not_sound_alike_have_two(one: str, other: str) -> None:
    assert phonetic_key(one) != phonetic_key(other)

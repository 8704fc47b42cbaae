"""The presence filter on sequences of scores: every 50 ms hop is one, time passes only by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.observations import PresenceReason
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_evidence import MOST_MAJOR, MOST_MINOR, evidence_of
from tests.sensing.scored_rooms import (
    CERTAIN,
    GESTURE,
    QUIET,
    WALKING,
    empty_room,
    entry_seconds,
    fed,
    hops,
    lasting,
    room,
    somebody_sits,
    somebody_walks,
)

probabilities = st.floats(0.0, 1.0)


@st.composite
def scores(draw: st.DrawFn) -> MotionScore:
    major, moving = draw(probabilities), draw(probabilities)
    return MotionScore(major=major, minor=(1 - major) * moving, nuisance=draw(probabilities))


@st.composite
def minor_scores(draw: st.DrawFn) -> MotionScore:
    return MotionScore(major=draw(st.floats(0.0, 0.099)), minor=draw(st.floats(0.0, 0.9)))


@st.composite
def lives(draw: st.DrawFn) -> list[MotionScore]:
    """Stretches of up to a minute, each of one score."""
    stretches = draw(st.lists(st.tuples(scores(), st.integers(1, 300)), max_size=6))
    return [score for score, length in stretches for _ in range(length)]


# --- entry


@pytest.mark.parametrize("score", [WALKING, CERTAIN, MotionScore(major=0.9, minor=0.08)])
def test_somebody_who_walks_in_is_reported_within_a_second(score: MotionScore) -> None:
    assert entry_seconds(empty_room(), score) <= 0.9


@given(stretches=st.lists(st.tuples(minor_scores(), st.integers(1, 600)), min_size=1, max_size=10))
@settings(max_examples=15, deadline=None)
def test_no_sequence_of_minor_motion_ever_begins_presence(
    stretches: list[tuple[MotionScore, int]],
) -> None:
    for presence in (room(), empty_room()):
        seen = fed(presence, (score for score, length in stretches for _ in range(length)))
        assert not [verdict for _, verdict in seen if verdict.present]


@given(spikes=st.lists(st.tuples(st.integers(1, 3), st.integers(15, 400)), max_size=40), pets=st.booleans())
@settings(max_examples=15, deadline=None)
def test_false_spikes_of_two_or_three_hops_bring_nobody_in(spikes: list[tuple[int, int]], pets: bool) -> None:
    presence = empty_room(pets=pets)
    for length, pause in spikes:
        assert fed(presence, [CERTAIN] * length + [QUIET] * pause) == []


@given(majors=st.lists(probabilities, min_size=1, max_size=40), more=st.lists(probabilities, min_size=40))
@settings(max_examples=40, deadline=None)
def test_more_major_motion_never_brings_somebody_in_later(majors: list[float], more: list[float]) -> None:
    weaker, stronger = empty_room(), empty_room()
    for major, extra in zip(majors, more, strict=False):
        weaker.process(MotionScore(major=major, minor=0.0))
        stronger.process(MotionScore(major=max(major, extra), minor=0.0))
        assert stronger.is_present or not weaker.is_present


def test_higher_sensitivity_lets_people_in_sooner_and_lower_later() -> None:
    slow = MotionScore(major=0.6, minor=0.1)
    seconds = [entry_seconds(empty_room(sensitivity=one), slow) for one in (10.0, 3.0, 1.0, 0.3, 0.1)]
    assert seconds == sorted(seconds)
    assert seconds[0] < seconds[2] < seconds[-1]


def test_with_pets_entry_takes_longer_and_says_so() -> None:
    presence = empty_room(pets=True)
    [(at, verdict)] = fed(presence, lasting(WALKING, 3))
    assert entry_seconds(empty_room()) < at < 1.2
    assert "pets" in verdict.explanation


def test_an_animal_that_dashes_by_is_nobody_with_pets_and_somebody_without() -> None:
    dash = [*lasting(CERTAIN, 0.4), *lasting(QUIET, 5)]
    assert [v.present for _, v in fed(empty_room(), dash)] == [True]
    assert fed(empty_room(pets=True), dash) == []


# --- hold and vacancy


@pytest.mark.parametrize("hold_seconds", [20.0, 60.0, 180.0, 900.0])
def test_after_a_walk_the_hold_time_is_a_maximum_and_most_of_it_is_used(hold_seconds: float) -> None:
    presence = room(hold_seconds=hold_seconds)
    fed(presence, lasting(WALKING, 4))
    [(at, verdict)] = fed(presence, lasting(QUIET, 2 * hold_seconds))
    assert 0.75 * hold_seconds < at <= hold_seconds
    assert (verdict.present, verdict.reason) == (False, "timeout")


@pytest.mark.parametrize("tail_seconds", [0.5, 1.0, 2.0, 4.0])
def test_an_exit_is_reported_within_three_minutes_though_its_last_steps_look_like_gestures(
    tail_seconds: float,
) -> None:
    presence = somebody_walks()
    fed(presence, lasting(GESTURE, tail_seconds))
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert verdict.present is False
    assert at + tail_seconds < 180


def test_after_a_gesture_the_room_is_held_longer_than_after_a_walk_and_not_for_ever() -> None:
    [(after_walk, _)] = fed(somebody_walks(), lasting(QUIET, 600))
    [(after_gesture, _)] = fed(somebody_sits(), lasting(QUIET, 600))
    # the first aim for a vacancy that nothing tells of is eight minutes
    assert 1.5 * after_walk < after_gesture < 480


@pytest.mark.parametrize("pause_seconds", range(5, 280, 55))
def test_a_gesture_never_makes_presence_end_sooner(pause_seconds: float) -> None:
    with_gesture, without = somebody_sits(), somebody_sits()
    [(end, _)] = fed(without, lasting(QUIET, 900))
    pause = lasting(QUIET, pause_seconds)
    [(later_end, _)] = fed(with_gesture, [*pause, *lasting(GESTURE, 0.8), *lasting(QUIET, 900)])
    # who moves may have risen: after many gestures that costs what one hop of walking is worth
    assert later_end > end - 5


def sitter(rng: np.random.Generator, seconds: float, *, major: tuple[float, float]) -> Iterator[MotionScore]:
    """Gestures at 2.4 a minute, a Poisson process, of which 60 % are detected."""
    found = [QUIET] * hops(seconds)
    at = rng.exponential(25.0)
    while at < seconds:
        if rng.random() < 0.6:
            for hop in range(hops(at), min(len(found), hops(at + rng.uniform(0.6, 1.1)))):
                share = rng.uniform(*major)
                found[hop] = MotionScore(major=share, minor=(1 - share) * rng.uniform(0.7, 0.95))
        at += rng.exponential(25.0)
    return iter(found)


@pytest.mark.parametrize("major", [(0.0, 0.05), (0.2, 0.8)], ids=["minor", "ambiguous"])
def test_a_sitter_of_whom_six_gestures_in_ten_are_seen_is_held_99_percent_of_half_an_hour(
    major: tuple[float, float],
) -> None:
    held = []
    for seed in range(10):
        presence = empty_room()
        fed(presence, lasting(WALKING, 4))
        for score in sitter(np.random.default_rng(seed), 1_800, major=major):
            presence.process(score)
            held.append(presence.is_present is True)
    assert np.mean(held) >= 0.99


def test_who_was_given_up_while_keeping_still_is_found_again_by_a_gesture_soon_after() -> None:
    presence = somebody_sits()
    [_, (_, verdict)] = fed(presence, [*lasting(QUIET, 330), *lasting(GESTURE, 1.6)])
    assert (verdict.present, verdict.reason) == (True, "minor_motion")


def test_a_gesture_long_after_the_room_was_given_up_brings_nobody_back() -> None:
    presence = somebody_sits()
    fed(presence, lasting(QUIET, 900))
    assert fed(presence, lasting(GESTURE, 30)) == []


def test_a_room_in_which_nothing_moves_after_the_start_is_told_to_be_empty() -> None:
    presence = room()
    assert presence.is_present is None
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert (verdict.present, verdict.reason) == (False, "timeout")
    assert 60 < at <= 180


def test_who_sat_there_at_the_start_keeps_the_room_from_being_told_empty() -> None:
    presence = room()
    gestures = chain.from_iterable([*lasting(QUIET, 40), *lasting(GESTURE, 0.8)] for _ in range(20))
    assert fed(presence, gestures) == []
    assert presence.is_present is None


# --- doors


def test_a_door_that_opens_lets_somebody_in_sooner() -> None:
    beside = empty_room()
    beside.door_opened()
    [(at, verdict)] = fed(beside, lasting(WALKING, 3))
    assert at < entry_seconds(empty_room())
    assert "door" in verdict.explanation


@pytest.mark.parametrize("walk_on_seconds", [0.0, 1.5, 3.0])
def test_who_leaves_by_a_door_is_given_up_within_half_a_minute(walk_on_seconds: float) -> None:
    presence = somebody_walks()
    presence.door_opened()
    fed(presence, lasting(WALKING, walk_on_seconds))
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert at <= 30
    assert (verdict.present, verdict.reason) == (False, "door")


def test_a_door_that_opens_seconds_after_the_last_step_counts_too() -> None:
    presence = somebody_walks()
    fed(presence, lasting(QUIET, 4))
    presence.door_opened()
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert at <= 30
    assert verdict.reason == "door"


def test_who_comes_in_by_a_door_and_sits_down_is_not_taken_for_leaving() -> None:
    presence = empty_room()
    presence.door_opened()
    fed(presence, lasting(WALKING, 3))
    presence.door_opened()  # the contact bounces
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert at > 120
    assert verdict.reason == "timeout"


def test_a_door_beside_somebody_who_sits_gives_nobody_up() -> None:
    presence = somebody_sits()
    presence.door_opened()
    [(at, verdict)] = fed(presence, lasting(QUIET, 600))
    assert at > 120
    assert verdict.reason == "timeout"


# --- time without sensing, music, nuisances


@given(life=lives())
@settings(max_examples=15, deadline=None)
def test_time_without_sensing_ends_nothing(life: list[MotionScore]) -> None:
    presence = room()
    fed(presence, life)
    before = (presence.is_present, presence.occupied)
    presence.door_opened()  # what a door says is taken in with the next hop at the latest
    assert presence.is_present == before[0]


def test_under_music_the_room_is_held_longer_and_that_is_said() -> None:
    ends = []
    for masked in (0.0, 0.3, 0.9):
        presence = somebody_walks()
        fed(presence, lasting(QUIET, 20), masked)
        assert presence.degraded == (("music_masked",) if masked > 0.6 else ())
        assert ("music" in presence.explanation) == (masked > 0.6)
        [(at, _)] = fed(presence, lasting(QUIET, 3_000), masked)
        ends.append(at)
    assert ends == sorted(ends)
    assert ends[-1] > 2 * ends[0]


def test_music_that_ends_is_forgotten_in_seconds() -> None:
    presence = room()
    fed(presence, lasting(QUIET, 20), 0.9)
    fed(presence, lasting(QUIET, 10))
    assert presence.degraded == ()


@pytest.mark.parametrize("major", [0.6, 0.8, 0.9, 0.97])
def test_a_fan_in_an_empty_room_is_taken_for_somebody_once_at_most_and_then_known(major: float) -> None:
    presence = empty_room()
    rng = np.random.default_rng(1)
    fan = [
        MotionScore(major=float(np.clip(rng.normal(major, 0.02), 0, 1)), minor=0.01, nuisance=0.95)
        for _ in range(hops(1_500))
    ]
    seen = fed(presence, fan)
    assert sum(verdict.present is True for _, verdict in seen) <= 1
    assert presence.is_present is False
    assert presence.degraded == (() if major < 0.7 else ("fan_dominated",))


def test_beside_a_known_fan_somebody_who_walks_is_noticed_later() -> None:
    presence = empty_room()
    fed(presence, lasting(MotionScore(major=0.75, minor=0.1, nuisance=0.9), 900))
    beside_fan = entry_seconds(presence, MotionScore(major=0.99, minor=0.01, nuisance=0.9))
    assert entry_seconds(empty_room()) < beside_fan < 2.0


def test_a_person_who_moves_for_long_is_never_learnt_away() -> None:
    presence = empty_room()
    fed(presence, lasting(WALKING, 1_200))
    assert presence.is_present
    assert presence.degraded == ()


# --- what is said


@given(life=lives(), doors=st.sets(st.integers(0, 2_000), max_size=3), masked=probabilities)
@settings(max_examples=15, deadline=None)
def test_confidence_is_a_probability_and_every_reason_is_spoken(
    life: list[MotionScore], doors: set[int], masked: float
) -> None:
    presence = room(hold_seconds=30)
    for number, score in enumerate(chain(life, lasting(QUIET, 90))):
        if number in doors:
            presence.door_opened()
        verdict = presence.process(score, masked).verdict
        assert 0 <= presence.occupied <= 1 + 1e-9
        assert bool(presence.explanation) == (presence.is_present is True)
        if verdict is not None:
            assert 0.95 <= verdict.confidence <= 1
            assert verdict.explanation
            assert verdict.present == presence.is_present


def test_what_holds_a_room_is_counted() -> None:
    presence = somebody_sits()
    fed(presence, [*lasting(QUIET, 20), *lasting(GESTURE, 0.8), *lasting(QUIET, 10)])
    assert presence.explanation == "held: 2 minor in 90 s"
    fed(presence, lasting(QUIET, 90))
    assert presence.explanation == "held: quiet for 90 s"


def test_losing_track_makes_the_room_unknown_and_says_it_once() -> None:
    presence = somebody_sits()
    verdict = presence.lose_track("no_carrier", "the carrier is gone")
    assert verdict is not None
    assert (verdict.present, verdict.reason) == (None, "no_carrier")
    assert presence.lose_track("no_carrier", "the carrier is gone") is None
    assert fed(presence, lasting(GESTURE, 10)) == []
    assert entry_seconds(presence) < 1.0


@pytest.mark.parametrize("reason", ["major_motion", "minor_motion", "timeout", "door", "no_carrier"])
def test_each_reason_can_occur(reason: PresenceReason) -> None:
    presence = empty_room()
    said = fed(presence, [*lasting(WALKING, 4), *lasting(QUIET, 170), *lasting(GESTURE, 1.6)])
    presence = somebody_walks()
    presence.door_opened()
    said += fed(presence, lasting(QUIET, 60))
    found = {verdict.reason for _, verdict in said}
    lost = somebody_sits().lose_track("no_carrier", "gone")
    assert reason in found | {lost.reason if lost else None}


@given(score=scores(), pets=st.booleans())
def test_the_evidence_of_a_hop_is_bounded_and_a_nuisance_takes_from_it(
    score: MotionScore, pets: bool
) -> None:
    evidence = evidence_of(score, pets=pets)
    calm = evidence_of(replace(score, nuisance=0.0), pets=pets)
    # the logarithm at the edges is exact to float64
    assert abs(evidence.major) <= MOST_MAJOR + 1e-9
    assert 0 <= evidence.minor <= MOST_MINOR + 1e-9
    assert evidence.major <= calm.major
    assert evidence.minor <= calm.minor

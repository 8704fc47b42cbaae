"""Who passes by an open door, as the presence filter learns it."""

from __future__ import annotations

from copy import deepcopy
from itertools import chain

import pytest

from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_evidence import MotionEvidence
from sensing.ultrasound.passages import Passages
from sensing.ultrasound.presence import PresenceFilter
from tests.sensing.scored_rooms import (
    GESTURE,
    QUIET,
    WALKING,
    empty_room,
    entry_seconds,
    fed,
    lasting,
)

PASSING = MotionScore(major=0.93, minor=0.05)


def passed_by(presence: PresenceFilter, times: int, *, seconds: float = 1.0) -> int:
    """Let somebody pass once in ten minutes, and return how often that was taken for an entry."""
    once = [*lasting(PASSING, seconds), *lasting(QUIET, 600)]
    return sum(verdict.present is True for _ in range(times) for _, verdict in fed(presence, once))


@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.2])
def test_those_who_pass_an_open_door_are_taken_for_somebody_once_and_then_known(seconds: float) -> None:
    assert passed_by(empty_room(), 10, seconds=seconds) == 1


def test_a_passage_a_little_longer_than_those_before_is_known_too() -> None:
    presence = empty_room()
    assert passed_by(presence, 1, seconds=0.8) == 1
    assert [passed_by(presence, 1, seconds=0.8 + 0.04 * longer) for longer in range(1, 5)] == [0, 0, 0, 0]


def test_who_comes_in_where_others_pass_by_is_told_within_two_and_a_half_seconds_and_why() -> None:
    presence = empty_room()
    passed_by(presence, 10)
    assert 0.5 < entry_seconds(presence, WALKING) <= 2.5
    presence = empty_room()
    passed_by(presence, 1)
    said = [verdict.explanation for _, verdict in fed(presence, lasting(WALKING, 4))]
    assert said == ["somebody walked for longer than those who pass by"]


@pytest.mark.parametrize(
    "visit",
    [
        [*lasting(WALKING, 2), *lasting(QUIET, 20), *lasting(GESTURE, 0.8)],
        [*lasting(WALKING, 2), *lasting(QUIET, 20), *lasting(WALKING, 2)],
        lasting(WALKING, 8),
    ],
    ids=["sits down", "walks again", "walks for long"],
)
def test_who_came_in_is_no_passage(visit: list[MotionScore]) -> None:
    presence = empty_room()
    first = entry_seconds(empty_room())
    for _ in range(5):
        fed(presence, chain(visit, lasting(QUIET, 900)))
    assert presence.is_present is False
    assert entry_seconds(presence) == pytest.approx(first, abs=0.1)


def test_a_door_that_opens_lets_in_who_would_pass_for_a_passer_by() -> None:
    presence = empty_room()
    passed_by(presence, 3)
    presence.door_opened()
    assert entry_seconds(presence, PASSING) < 0.6


def test_passages_that_no_longer_occur_are_forgotten_in_a_day() -> None:
    passages = Passages(hop_seconds=1.0)
    step, still = MotionEvidence(major=2.0, minor=0.0), MotionEvidence(major=-2.0, minor=0.0)
    passages.begin()
    for evidence in [step, step, *[still] * 200]:
        passages.process(evidence, is_vacant=False)
    passages.end()
    assert deepcopy(passages).process(step, is_vacant=True).major == 0.0
    for _ in range(86_400):
        passages.process(still, is_vacant=True)
    assert passages.process(step, is_vacant=True).major > 1.0


def test_losing_track_of_a_visit_teaches_nothing() -> None:
    presence = empty_room()
    fed(presence, lasting(PASSING, 1))
    presence.lose_track("no_carrier", "the carrier has not been heard")
    fed(presence, lasting(QUIET, 900))
    assert presence.is_present is False
    assert passed_by(presence, 1) == 1

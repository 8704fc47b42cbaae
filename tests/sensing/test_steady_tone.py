"""A tone of others that begins beside the carrier is nobody who comes in."""

from __future__ import annotations

import pytest

from sensing.processing_meter import ProcessingMeter
from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene import Scene
from sensing.ultrasound.doppler_features import (
    HOP_SECONDS,
    WINDOW_SECONDS,
    DopplerFeatures,
    DopplerFrame,
)
from sensing.ultrasound.gated_classifier import GatedClassifier
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.steady_tone import SteadyTone
from tests.sensing.scored_rooms import empty_room

CARRIER_HZ = 22_700.0
BEGINS = 40.0
WALK = {"kind": "walker", "at": BEGINS, "path": [[0.3, 3.5], [2.5, 1.5], [4.5, 3.5]], "then": "stays"}
STEADY = {"kind": "other_hub", "at": BEGINS, "hz": CARRIER_HZ + 107, "level_db": 60}
DRIFTING = {
    "kind": "line",
    "at": BEGINS,
    "hz": CARRIER_HZ + 50,
    "level_db": 45,
    "drift_hz": 60,
    "drift_seconds": 4,
}
ON_AND_OFF = {**STEADY, "on_seconds": 1.5, "off_seconds": 1.0}


def hops(**scene: object) -> list[DopplerFrame]:
    """Return the hops from two seconds before somebody or something begins."""
    drawn = {"seconds": BEGINS + 6, "seed": 4, "carrier_hz": CARRIER_HZ, "hub": {"microphones": 2}, **scene}
    recording = render(Scene.model_validate(drawn))
    features = DopplerFeatures(baseband_hz=recording.scene.baseband_hz, microphones=2)
    frames = features.process(recording.baseband)
    return [frame for frame in frames if frame.hop * HOP_SECONDS > BEGINS - 2]


@pytest.fixture(scope="module")
def walks() -> list[list[DopplerFrame]]:
    return [hops(seed=seed, people=[WALK]) for seed in range(4)]


def is_taken_for_somebody(frames: list[DopplerFrame]) -> bool:
    classifier, presence = GatedClassifier(MotionNetwork(), meter=ProcessingMeter(lambda: 0.0)), empty_room()
    for frame in frames:
        presence.process(classifier.score(frame, is_present=presence.is_present is not False))
        if presence.is_present:
            return True
    return False


@pytest.mark.parametrize("fault", [STEADY, DRIFTING, ON_AND_OFF], ids=["steady", "drifting", "on and off"])
def test_a_tone_that_begins_beside_the_carrier_brings_nobody_in(fault: dict[str, object]) -> None:
    assert not is_taken_for_somebody(hops(faults=[fault]))


def test_by_the_network_alone_such_a_tone_would_be_somebody() -> None:
    scores = MotionNetwork().score(hops(faults=[STEADY]))
    assert sum(score.major > 0.5 for score in scores) >= 10


def test_a_tone_is_known_after_a_quarter_of_a_second_and_until_it_ends() -> None:
    tone, ends = SteadyTone(), BEGINS + 3
    known = {
        frame.hop * HOP_SECONDS + WINDOW_SECONDS: tone.process(frame)
        for frame in hops(faults=[{**STEADY, "until": ends}])
    }
    assert not any(is_known for told_at, is_known in known.items() if told_at < BEGINS)
    assert all(is_known for told_at, is_known in known.items() if BEGINS + 0.25 < told_at < ends)
    assert not any(is_known for told_at, is_known in known.items() if told_at > ends + WINDOW_SECONDS)


def test_who_walks_is_no_tone(walks: list[list[DopplerFrame]]) -> None:
    for frames in walks:
        tone = SteadyTone()
        assert sum(tone.process(frame) for frame in frames) <= 0.02 * len(frames)
        assert is_taken_for_somebody(frames)


def test_a_tone_that_has_long_been_there_hides_nobody() -> None:
    frames = hops(people=[WALK], faults=[{**STEADY, "at": 0.0}])
    assert is_taken_for_somebody(frames)

"""The cheap gate saves work and never costs a detection."""

from __future__ import annotations

import pytest

from sensing.processing_meter import ProcessingMeter
from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene import Scene
from sensing.ultrasound.band_gate import BACKLOG_HOPS, BandGate
from sensing.ultrasound.doppler_features import DopplerFeatures, DopplerFrame
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.motion_classifier import MotionScore

HOP_SECONDS = 0.05
WALK = {"kind": "walker", "at": 6.0, "path": [[0.3, 3.5], [2.5, 1.5], [4.5, 3.5]], "then": "stays"}


def hops(seconds: float, seed: int, **scene: object) -> list[DopplerFrame]:
    recording = render(Scene.model_validate({"seconds": seconds, "seed": seed, **scene}))
    features = DopplerFeatures(baseband_hz=recording.scene.baseband_hz, microphones=len(recording.baseband))
    return features.process(recording.baseband)


@pytest.fixture(scope="module")
def walks() -> list[list[DopplerFrame]]:
    return [hops(12, seed, people=[WALK]) for seed in range(10)]


@pytest.fixture(scope="module")
def empty() -> list[DopplerFrame]:
    return hops(120, 3)


def gated_scores(frames: list[DopplerFrame], *, is_present: bool) -> list[MotionScore]:
    gate, detector = BandGate(), EnergyDetector()
    scores = []
    for frame in frames:
        wanted = gate.process(frame, is_present=is_present)
        if gate.has_opened:
            detector.reset()
        scores.append(detector.score(wanted)[-1] if wanted else MotionScore(major=0.0, minor=0.0))
    return scores


def test_the_gate_is_open_100_ms_before_the_detector_sees_somebody_walk(
    walks: list[list[DopplerFrame]],
) -> None:
    entries = 0
    for frames in walks:
        gate, opened = BandGate(), 0
        was_major = False
        for number, (frame, score) in enumerate(zip(frames, EnergyDetector().score(frames), strict=True)):
            gate.process(frame, is_present=False)
            opened = number if gate.has_opened else opened
            if score.major >= 0.5 and not was_major:
                entries += 1
                assert gate.is_open
                assert (number - opened) * HOP_SECONDS >= 0.1 - 1e-9
            was_major = score.major >= 0.5
    assert entries >= len(walks)


@pytest.mark.parametrize("is_present", [False, True])
def test_what_the_detector_says_behind_the_gate_is_what_it_says_without(
    walks: list[list[DopplerFrame]], is_present: bool
) -> None:
    for frames in walks:
        plain = EnergyDetector().score(frames)
        for gated, one in zip(gated_scores(frames, is_present=is_present), plain, strict=True):
            assert (gated.major >= 0.5) == (one.major >= 0.5)
            if is_present:
                assert (gated.major + gated.minor >= 0.5) == (one.major + one.minor >= 0.5)


def test_the_gate_is_nearly_always_shut_in_an_empty_room(empty: list[DopplerFrame]) -> None:
    gate = BandGate()
    handed_on = sum(len(gate.process(frame, is_present=False)) for frame in empty)
    assert handed_on < 0.25 * len(empty)


def test_an_opening_hands_on_the_second_before_it_and_then_hop_by_hop(empty: list[DopplerFrame]) -> None:
    gate = BandGate()
    openings = 0
    for number, frame in enumerate(empty):
        wanted = [hop.hop for hop in gate.process(frame, is_present=False)]
        openings += gate.has_opened
        before = min(number, BACKLOG_HOPS - 1) if gate.has_opened else 0
        assert wanted == (list(range(frame.hop - before, frame.hop + 1)) if gate.is_open else [])
    assert openings > 0


def test_the_meter_charges_time_and_work_to_their_level() -> None:
    clock = iter([0.0, 0.1, 5.0, 5.4])
    meter = ProcessingMeter(lambda: next(clock))
    assert meter.figures() == []
    meter.hear(10.0)
    with meter.level("gate", 10.0):
        pass
    with meter.level("classifier", 2.0):
        pass
    figures = [(one.name, one.open_share, round(one.core_share, 6)) for one in meter.figures()]
    assert figures == [("gate", 1.0, 0.01), ("classifier", 0.2, 0.04)]

"""What sensing does while chirps sound in the tone's place."""

from __future__ import annotations

from functools import cache

import pytest

from hub.playback.chirping_emitter import ChirpingEmitter
from hub.playback.tone_gate import ToneGate
from hub.sync.chirp_plan import ChirpPlan
from sensing.audio_block import AudioBlock
from sensing.observations import (
    MotionSeen,
    Observation,
    PresenceChanged,
    SensingDegraded,
    UltrasoundChanged,
)
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.ultrasound.emission_plan import EmissionPlan
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.sensor import UltrasoundSensor

RATE_HZ = 48_000
CARRIER_HZ = 20_500.0
PLAN = ChirpPlan()
FIRST_CHIRP = 8.0
PATH = ((1.5, 3.5, 0), (0.3, 1.2, 0), (1.5, 3.5, 0))
"""There and back: who has done all his walking within the pause is not seen before he moves again."""


@cache
def seen_with(
    *, walk_at: float | None, first_chirp: float | None, seconds: float = 14.0, hold_seconds: float = 8.0
) -> tuple[Observation, ...]:
    """What the sensor reports; it is told to rest from 0.8 s before the chirps to 0.1 s behind them."""
    walks = () if walk_at is None else (Walk(start_seconds=walk_at, path=PATH),)
    room = RoomRenderer(Scene(rate_hz=RATE_HZ, seconds=seconds, walks=walks), CARRIER_HZ)
    tone = CarrierEmitter(carrier_hz=CARRIER_HZ, rate_hz=RATE_HZ, level=0.1)
    gate = ToneGate(tone)
    gate.allow(True)
    emitter = ChirpingEmitter(tone, gate, rate_hz=RATE_HZ, chirp_peak=0.1)
    sensor = UltrasoundSensor(
        rate_hz=RATE_HZ,
        microphones=2,
        carrier_hz=CARRIER_HZ,
        hold_seconds=hold_seconds,
        plan=EmissionPlan(rate_hz=RATE_HZ, power="full", is_allowed=True),
        want_tone=gate.want,
    )
    if first_chirp is not None:
        emitter.chirp(PLAN, device=0, start_seconds=first_chirp, heard_seconds=lambda frame: frame / RATE_HZ)
    seen: list[Observation] = []
    frames = RATE_HZ // 50
    for first in range(0, round(seconds * RATE_HZ), frames):
        if first_chirp is not None:
            since_seconds = first / RATE_HZ - first_chirp
            sensor.calibrate(-0.8 <= since_seconds < PLAN.seconds + 0.1)
        played = emitter.process(frames)[None]
        capture = room.render(first, played)
        block = AudioBlock(first_frame=first, rate_hz=RATE_HZ, capture=capture, reference=played)
        seen += sensor.process(block)
    return tuple(seen)


def test_sensing_says_that_it_rests_and_when_it_watches_again() -> None:
    seen = seen_with(walk_at=None, first_chirp=FIRST_CHIRP)
    modes = [(one.mode, one.at) for one in seen if isinstance(one, UltrasoundChanged)]
    assert [mode for mode, _ in modes] == ["watching", "calibrating", "watching"]
    assert modes[1][1] == pytest.approx(FIRST_CHIRP - 0.8, abs=0.1)
    # the tone is back 0.1 s after the last chirp, and has to ring and to fill a window
    assert modes[2][1] < FIRST_CHIRP + PLAN.seconds + 1.2
    degraded = [one.states for one in seen if isinstance(one, SensingDegraded)]
    assert ("calibrating",) in degraded
    assert degraded[-1] == ()


def test_an_empty_room_is_not_taken_for_one_in_which_somebody_moves() -> None:
    seen = seen_with(walk_at=None, first_chirp=FIRST_CHIRP)
    assert not [one for one in seen if isinstance(one, MotionSeen)]
    changes = [one for one in seen if isinstance(one, PresenceChanged)]
    assert [one.present for one in changes] == [False]
    assert changes[0].at < FIRST_CHIRP - 1  # as it would have been told without


def test_who_was_there_is_held_and_nobody_is_given_up_for_the_chirps() -> None:
    plain = seen_with(walk_at=2.0, first_chirp=None, seconds=40.0)
    with_chirps = seen_with(walk_at=2.0, first_chirp=FIRST_CHIRP, seconds=40.0)
    [came, went], [came_too, went_later] = (
        [one for one in seen if isinstance(one, PresenceChanged)] for seen in (plain, with_chirps)
    )
    assert (came.present, went.present, came_too.present, went_later.present) == (True, False, True, False)
    assert came_too.at == came.at
    # silence is counted in what was heard: the pause makes the hold longer, never shorter
    assert went_later.at - went.at == pytest.approx(3.1, abs=1.0)


def test_a_walk_that_begins_with_the_chirps_is_noticed_once_they_are_over() -> None:
    came = [
        one
        for one in seen_with(walk_at=FIRST_CHIRP, first_chirp=FIRST_CHIRP)
        if isinstance(one, PresenceChanged) and one.present
    ]
    assert came[0].at < FIRST_CHIRP + PLAN.seconds + 2.0


def test_a_walk_behind_the_chirps_is_noticed_as_soon_as_ever() -> None:
    plain = seen_with(walk_at=12.5, first_chirp=None, seconds=16.0)
    behind = seen_with(walk_at=12.5, first_chirp=FIRST_CHIRP, seconds=16.0)
    came, came_behind = (
        next(one for one in seen if isinstance(one, PresenceChanged) and one.present)
        for seen in (plain, behind)
    )
    assert came_behind.at - came.at < 0.3

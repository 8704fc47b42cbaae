"""The sensor and the emitter together while the tone rests: nothing is concluded from silence."""

from __future__ import annotations

import numpy as np
import pytest

from sensing.audio_block import AudioBlock
from sensing.observations import Observation, PresenceChanged, UltrasoundChanged
from sensing.simulation.renderer import RoomRenderer
from sensing.simulation.scene import Scene, Walk
from sensing.ultrasound.emission_plan import REST_SECONDS, EmissionPlan
from sensing.ultrasound.emitter import CarrierEmitter
from sensing.ultrasound.sensor import UltrasoundSensor

RATE = 48_000
CARRIER = 20_500.0
ENTERS, SECONDS = 3.0, 110.0


@pytest.fixture(scope="module")
def evening() -> tuple[list[Observation], float]:
    """Somebody walks through a room while the tone is played as the plan wants it.

    Returns what was seen, and the share of the time in which the tone was on.
    """
    walk = Walk(start_seconds=ENTERS, path=((1.5, 3.5, 0), (0.3, 1.2, 0), (1.5, 3.5, 0)))
    room = RoomRenderer(Scene(rate_hz=RATE, seconds=SECONDS, walks=(walk,)), CARRIER)
    emitter = CarrierEmitter(carrier_hz=CARRIER, rate_hz=RATE, level=0.1)
    emitter.start()

    def want(is_wanted: bool) -> None:
        (emitter.start if is_wanted else emitter.stop)()

    plan = EmissionPlan(rate_hz=RATE, power="balanced", is_allowed=True)
    sensor = UltrasoundSensor(
        rate_hz=RATE, microphones=2, carrier_hz=CARRIER, hold_seconds=12.0, plan=plan, want_tone=want
    )
    seen: list[Observation] = []
    on = 0
    frames = RATE // 50
    for first in range(0, round(SECONDS * RATE), frames):
        played = emitter.process(frames)[None]
        on += bool(np.abs(played).max() > 0.05)
        capture = room.render(first, played)
        seen += sensor.process(AudioBlock(first_frame=first, rate_hz=RATE, capture=capture, reference=played))
    return seen, on / (SECONDS * 50)


def test_an_entry_is_told_and_the_tone_rests_after_it(evening: tuple[list[Observation], float]) -> None:
    seen, share = evening
    came = next(one for one in seen if isinstance(one, PresenceChanged) and one.present)
    assert ENTERS < came.at < ENTERS + 1
    modes = [(one.mode, one.at) for one in seen if isinstance(one, UltrasoundChanged)]
    assert [mode for mode, _ in modes] == ["watching", "resting", "watching"]
    rested = modes[2][1] - modes[1][1]
    assert REST_SECONDS - 1 < rested < REST_SECONDS + 5
    assert share < 0.7


def test_the_room_is_given_up_by_what_was_heard_and_not_by_the_rest(
    evening: tuple[list[Observation], float],
) -> None:
    changes = [one for one in evening[0] if isinstance(one, PresenceChanged)]
    assert [change.present for change in changes] == [True, False]
    came, went = changes
    # ten seconds have to be heard, of which a third is: nobody is given up within the rest
    assert went.at > came.at + REST_SECONDS + 10

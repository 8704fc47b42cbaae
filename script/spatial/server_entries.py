"""Whether people who walk in beside music are noticed as well through a real sound server as without one.

What two microphones of simulated rooms hear, and what was played there, go through the server on channels of
their own, and the sensor judges what comes out. A marker on the last channel says where the scenes begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hub.audio.sound_file import blocks_of
from script.presence.scenes import Entry, entry
from sensing.audio_block import Block
from sensing.observations import PresenceChanged
from sensing.simulation.baseband.passband import to_passband
from sensing.simulation.baseband.renderer import render
from sensing.ultrasound.sensor import UltrasoundSensor

Playback = Callable[[int], Block]
Hear = Callable[[Playback, float], Block]
"""Play for some seconds, and return what came back, shape ``(8, frames)``."""

CHANNELS = 8
SCENES_AT_ONCE = 2
WITHIN_SECONDS = 1.0
_SPARE_SECONDS = 3.0
_MARK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """Somebody walks into a room with music: two microphones, and what was played, shape ``(3, frames)``."""

    entry: Entry
    sound: Block


def room(number: int) -> Room:
    """Return one of the rooms with music of the presence bench."""
    one = entry(number, "music")
    recording = render(one.scene)
    if recording.reference is None:
        raise ValueError(f"scene {number} plays no music")
    return Room(entry=one, sound=np.concatenate([to_passband(recording), recording.reference[:1]]))


def entries(hear: Hear, numbers: Sequence[int]) -> dict[str, object]:
    """Return how many of some entries were told within a second, through the server and without it."""
    rooms = [room(number) for number in numbers]
    frames = max(one.sound.shape[1] for one in rooms)
    rate_hz = rooms[0].entry.scene.rate_hz
    sent = np.zeros((CHANNELS, frames), np.float32)
    for place, one in enumerate(rooms):
        sent[3 * place : 3 * place + 3, : one.sound.shape[1]] = one.sound
    sent[-1] = _MARK
    came = hear(_played(sent), frames / rate_hz + _SPARE_SECONDS)
    begins = int(np.argmax(came[-1] > _MARK / 2))
    whole = came[:, begins : begins + frames]
    results = list(_judged(rooms, whole))
    return {
        "entries": len(rooms),
        "told_in_time": sum(through for through, _ in results),
        "without_server": sum(direct for _, direct in results),
        "bit_exact": bool(np.array_equal(whole, sent[:, : whole.shape[1]])),
    }


def _played(sent: Block) -> Playback:
    frame = 0

    def playback(frames: int) -> Block:
        nonlocal frame
        block = np.zeros((CHANNELS, frames), np.float32)
        piece = sent[:, frame : frame + frames]
        block[:, : piece.shape[1]] = piece
        frame += frames
        return block

    return playback


def _judged(rooms: Sequence[Room], came: Block) -> Iterator[tuple[bool, bool]]:
    for place, one in enumerate(rooms):
        yield (
            _is_told(one.entry, came[3 * place : 3 * place + 3, : one.sound.shape[1]]),
            _is_told(one.entry, one.sound),
        )


def _is_told(one: Entry, sound: Block) -> bool:
    """Return whether the sensor tells of the entry within a second, and of nobody before."""
    rate_hz = one.scene.rate_hz
    sensor = UltrasoundSensor(rate_hz=rate_hz, microphones=2, carrier_hz=one.scene.carrier_hz)
    came_at = [
        seen.at - one.at
        for heard in blocks_of(sound[:2], rate_hz)
        for seen in sensor.process(replace(heard, reference=sound[2:, heard.first_frame : heard.end_frame]))
        if isinstance(seen, PresenceChanged) and seen.present is True
    ]
    return bool(came_at) and 0 < came_at[0] <= WITHIN_SECONDS

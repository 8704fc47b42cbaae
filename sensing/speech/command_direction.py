"""From which side a command is said."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock
from sensing.speech.cancelled_microphones import CancelledMicrophones, beside_playback
from sensing.speech.speech_stages import RATE_HZ
from sensing.speech.talker_direction import TalkerAzimuth, TalkerDirection

_LEAD_SECONDS = 1.5
"""The wake word tells the direction too, and is over when it is noticed."""
_ROOM_SECONDS = 4.0
"""So much of what was heard before a wake word is taken to learn how the room answers to what plays."""


class CommandDirection:
    """Follow the talker from the wake word to the end of a command.

    Before the wake word blocks are only remembered, so it costs nothing while nobody talks to the house. If
    something plays then, the echo is taken out of each microphone for itself, and the sound before the wake
    word serves to learn the room: at once, or better than before.

    Parameters
    ----------
    positions_m : ndarray
        The microphones' places, shape ``(microphones, 3)``, see `TalkerDirection`.
    rate_hz : int
        Rate of the blocks.

    Raises
    ------
    ValueError
        These microphones cannot tell a direction.
    """

    def __init__(self, positions_m: NDArray[np.float64], rate_hz: int) -> None:
        self._alone = TalkerDirection(positions_m, rate_hz)
        self._beside = TalkerDirection(positions_m, RATE_HZ)
        self._cancelled = CancelledMicrophones(len(positions_m), rate_hz)
        self._lead_frames = round(_LEAD_SECONDS * rate_hz)
        self._room_frames = round(_ROOM_SECONDS * rate_hz)
        self._kept: deque[AudioBlock] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget the sound, as after a gap in it; the room is still the same."""
        self._kept.clear()
        self._kept_frames = 0
        self._is_alone: bool | None = None
        self._is_lost = False
        self._talker: TalkerAzimuth | None = None
        self._alone.reset()
        self._beside.reset()

    def keep(self, block: AudioBlock) -> None:
        """Remember a block: a command may come."""
        self._kept.append(block)
        self._kept_frames += block.frames
        self._keep_only(self._room_frames)

    def hear(self, *, is_alone: bool) -> None:
        """Take what was kept for a part of the command.

        Parameters
        ----------
        is_alone : bool
            Whether nothing played meanwhile. Where something begins to play during a command, that one is
            not located: nothing is known of its echo.
        """
        is_first = self._is_alone is None
        if self._is_alone is None:
            self._is_alone = is_alone
        self._is_lost |= self._is_alone and not is_alone
        if is_first and is_alone:
            self._keep_only(self._lead_frames)
        if self._kept and not self._is_lost:
            self._talker = self._heard_alone() if self._is_alone else self._heard_beside(is_first=is_first)
        self._kept.clear()
        self._kept_frames = 0

    def finish(self) -> TalkerAzimuth | None:
        """Return where the command came from, None where that is unsure, and be ready for the next one."""
        talker = None if self._is_lost else self._talker
        self.reset()
        return talker

    def _keep_only(self, frames: int) -> None:
        """Forget the oldest blocks that are not needed for so many frames."""
        while self._kept and self._kept_frames - self._kept[0].frames >= frames:
            self._kept_frames -= self._kept.popleft().frames

    def _heard_alone(self) -> TalkerAzimuth | None:
        return self._alone.process(np.concatenate([one.capture for one in self._kept], axis=1))

    def _heard_beside(self, *, is_first: bool) -> TalkerAzimuth | None:
        sound = np.concatenate([beside_playback(one) for one in self._kept], axis=1)
        if not is_first:
            return self._beside.process(self._cancelled.process(sound))
        self._cancelled.begin()
        near = self._cancelled.process(sound)
        return self._beside.process(near[:, -round(_LEAD_SECONDS * RATE_HZ) :])

"""From which side a command is said."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock, Block
from sensing.speech.talker_direction import TalkerAzimuth, TalkerDirection

_LEAD_SECONDS = 1.5
"""The wake word tells the direction too, and is over when it is noticed."""


class CommandDirection:
    """Follow the talker from the wake word to the end of a command.

    Before the wake word blocks are only remembered, so it costs nothing while nobody talks to the house.

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
        self._direction = TalkerDirection(positions_m, rate_hz)
        self._lead_frames = round(_LEAD_SECONDS * rate_hz)
        self._kept: deque[Block] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget the sound, as after a gap in it."""
        self._kept.clear()
        self._kept_frames = 0
        self._is_alone = True
        self._talker: TalkerAzimuth | None = None
        self._direction.reset()

    def keep(self, block: AudioBlock) -> None:
        """Remember a block: a command may come."""
        self._kept.append(block.capture)
        self._kept_frames += block.frames
        while self._kept_frames - self._kept[0].shape[1] >= self._lead_frames:
            self._kept_frames -= self._kept.popleft().shape[1]

    def hear(self, *, is_alone: bool) -> None:
        """Take what was kept for a part of the command.

        Parameters
        ----------
        is_alone : bool
            Whether nothing played meanwhile; else this command is not located, for the microphones hear
            the loudspeakers as well as the talker.
        """
        self._is_alone = self._is_alone and is_alone
        if self._is_alone and self._kept:
            self._talker = self._direction.process(np.concatenate(self._kept, axis=1))
        self._kept.clear()
        self._kept_frames = 0

    def finish(self) -> TalkerAzimuth | None:
        """Return where the command came from, None where that is unsure, and be ready for the next one."""
        talker = self._talker if self._is_alone else None
        self.reset()
        return talker

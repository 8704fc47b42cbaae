"""The hub's own sound at the microphones: when there is any, how late it comes, and the sound without it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import Block
from sensing.speech.echo_canceller import BLOCK_FRAMES, SILENT_RMS, TAIL_BLOCKS, Cancelled, EchoCanceller
from sensing.speech.playback_delay import MAX_DELAY_SECONDS, PlaybackDelay

_RATE_HZ = 16_000
_TAIL_FRAMES = TAIL_BLOCKS * BLOCK_FRAMES
_LEAD_FRAMES = 160
"""The canceller looks from 10 ms before the delay that was found: the loudest path is not the first."""
_SLACK_FRAMES = _RATE_HZ // 20
"""A delay that is up to 50 ms longer than thought lies within the tail, and nothing is learnt anew."""


class PlaybackEcho:
    """Cancel the echo while something plays; the rest of the time only listen to the reference.

    Parameters
    ----------
    channels : int
        Of the reference, at least 1; the first is what all loudspeakers play alike.
    delay_frames : int or None
        At 16 kHz, from the reference to the microphones, where it is known; another is found and followed.
    """

    def __init__(self, channels: int, *, delay_frames: int | None = None) -> None:
        self._canceller = EchoCanceller(channels)
        self._finder = PlaybackDelay()
        self._most = round(MAX_DELAY_SECONDS * _RATE_HZ)
        self._shift = max(0, min(self._most, (delay_frames or 0) - _LEAD_FRAMES))
        self._is_known = delay_frames is not None
        self._doubt: int | None = None
        self._channels = channels
        self.interrupt()

    def interrupt(self) -> None:
        """Forget the sound, but not the room."""
        self._canceller.interrupt()
        self._finder.interrupt()
        self._past = np.zeros((self._channels, self._most + _TAIL_FRAMES), np.float32)
        self._newest = self._past[:, :0]
        self._quiet_frames = self._most + _TAIL_FRAMES

    def hears(self, played: Block) -> bool:
        """Take the next stretch of the reference and return whether any of it may be heard now.

        Parameters
        ----------
        played : Block
            Shape ``(channels, frames)`` at 16 kHz.
        """
        is_silent = float(np.square(played).mean(axis=1).max()) < SILENT_RMS**2
        was_heard = self._quiet_frames < self._shift + _TAIL_FRAMES
        self._quiet_frames = self._quiet_frames + played.shape[1] if is_silent else 0
        if is_silent and not was_heard:
            return False
        if not was_heard:
            self.interrupt()
            self._quiet_frames = 0
        self._newest = played
        return True

    def process(self, heard: NDArray[np.float32]) -> tuple[Cancelled, NDArray[np.float32]]:
        """Return the sound taken apart, and the first channel of what was played then.

        Parameters
        ----------
        heard : NDArray
            Shape ``(frames,)``: the same instants as the last stretch of the reference.
        """
        frames = len(heard)
        self._follow(self._finder.process(heard, self._newest[0]))
        history = np.concatenate([self._past, self._newest], axis=1)
        self._past = history[:, frames:]
        first = _TAIL_FRAMES + self._most - self._shift
        played = history[:, first : first + frames]
        return self._canceller.process(heard, played), played[0]

    def _follow(self, delay: int | None) -> None:
        """Shift the reference when the echo lies outside the canceller's reach.

        The first finding is believed at once; later ones only when two agree.
        """
        if delay is None:
            return
        wanted = max(0, delay - _LEAD_FRAMES)
        is_in_reach = self._shift <= delay and wanted <= self._shift + _SLACK_FRAMES
        is_sure = not self._is_known or (
            self._doubt is not None and abs(wanted - self._doubt) <= _LEAD_FRAMES
        )
        self._is_known, self._doubt = True, None if is_in_reach or is_sure else wanted
        if is_sure and not is_in_reach:
            self._shift = wanted
            self._canceller.reset()
            first = self._most - wanted
            self._canceller.recall(self._past[:, first : first + _TAIL_FRAMES])

"""The tones of others, heard while the hub itself is silent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sensing.audio_block import AudioBlock
from sensing.calibration.interferers import EXCLUDED_HZ, Interferer, find_interferers, listen
from sensing.errors import CannotCalibrate

LISTEN_SECONDS = 3.0
EVERY_SECONDS = 600.0
SILENT_LEVEL = 1e-4
"""-80 dBFS: what is played below that is not heard beside the noise."""
SETTLE_SECONDS = 0.7
"""Sound servers answer within 0.5 s, and the room rings for 0.2 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceHeard:
    """The tones of others near the carrier, in a few seconds in which nothing was played."""

    at_seconds: float
    tones: tuple[Interferer, ...]


class SilentListener:
    """Listen for 3 s, at most once in ten minutes, when loudspeakers are silent for long enough.

    At most these 3 s of sound are held, and only until they have been looked at.

    Parameters
    ----------
    rate_hz : int
        Rate of the blocks.
    carrier_hz : float
        Tones within 500 Hz of it are told.
    """

    def __init__(self, *, rate_hz: int, carrier_hz: float) -> None:
        self._carrier_hz = carrier_hz
        self._rate_hz = rate_hz
        self._listen_frames = round(LISTEN_SECONDS * rate_hz)
        self._settle_frames = math.ceil(SETTLE_SECONDS * rate_hz)
        self._pause_frames = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was heard so far, as after a gap in the audio; the ten minutes go on."""
        self._silent_frames = 0
        self._blocks: list[AudioBlock] = []

    def process(self, block: AudioBlock, *, is_sound: bool) -> SilenceHeard | None:
        """Return the tones of others when a silence was long enough.

        Parameters
        ----------
        is_sound : bool
            Whether the microphones deliver sound that can be believed.
        """
        if self._pause_frames > 0:
            self._pause_frames -= block.frames
            return None
        if not is_sound or float(np.abs(block.reference).max(initial=0.0)) > SILENT_LEVEL:
            self.reset()
            return None
        if self._silent_frames >= self._settle_frames:
            self._blocks.append(block)
        self._silent_frames += block.frames
        held = sum(one.frames for one in self._blocks)
        return self._heard(block.end_frame) if held >= self._listen_frames else None

    def _heard(self, end_frame: int) -> SilenceHeard | None:
        capture = np.concatenate([one.capture for one in self._blocks], axis=1)
        self.reset()
        self._pause_frames = math.ceil(EVERY_SECONDS * self._rate_hz)
        try:
            listening = listen(capture, self._rate_hz)
        except CannotCalibrate:
            return None  # too loud; there will be another silence
        low_hz, high_hz = self._carrier_hz - EXCLUDED_HZ, self._carrier_hz + EXCLUDED_HZ
        tones = tuple(find_interferers(listening, low_hz=low_hz, high_hz=high_hz))
        return SilenceHeard(at_seconds=end_frame / self._rate_hz, tones=tones)

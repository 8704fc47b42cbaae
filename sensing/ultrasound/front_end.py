"""From the baseband to hops of features: what music did is taken out on the way."""

from __future__ import annotations

import numpy as np

from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.distortion_canceller import DistortionCanceller
from sensing.ultrasound.doppler_features import HOP_SECONDS, DopplerFeatures, DopplerFrame
from sensing.ultrasound.playback_reference import Playback


class FrontEnd:
    """Cancel the loudspeaker's distortion where it is known what was played, and cut into hops.

    Parameters
    ----------
    baseband_hz : float
        Rate of the baseband and of the playback.
    microphones : int
        At least one.
    """

    def __init__(self, *, baseband_hz: float, microphones: int) -> None:
        self._features = DopplerFeatures(baseband_hz=baseband_hz, microphones=microphones)
        self.hop_frames = round(HOP_SECONDS * baseband_hz)
        self.hop_seconds = self._features.hop_seconds
        self._canceller = DistortionCanceller(
            microphones=microphones,
            baseband_hz=baseband_hz,
            lead_frames=-self._features.missing_frames % self.hop_frames,
        )
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._canceller.reset()
        self._features.reset()
        self._waiting: list[tuple[Baseband, Playback]] = []

    @property
    def is_playing(self) -> bool:
        """Whether music is being taken out now."""
        return self._canceller.is_playing

    def pause(self) -> None:
        """Forget the sound but not the floors, as when the tone rests."""
        self._canceller.reset()
        self._features.pause()
        self._waiting = []

    def process(self, baseband: Baseband, playback: Playback | None) -> list[DopplerFrame]:
        """Return the hops that these frames complete.

        Parameters
        ----------
        baseband : Baseband
            Shape ``(microphones, frames)``.
        playback : Playback or None
            Shape ``(frames,)``; None where nobody knows what was played.
        """
        if playback is None:
            return self._features.process(baseband)
        self._waiting.append((baseband, playback))
        if sum(part.shape[1] for part, _ in self._waiting) < self._features.missing_frames:
            return []  # five blocks cleaned at once cost a third, and no decision comes later
        heard = np.concatenate([part for part, _ in self._waiting], axis=1)
        played = np.concatenate([part for _, part in self._waiting])
        self._waiting.clear()
        cleaned = self._canceller.process(heard, played)
        return self._features.process(cleaned.baseband, cleaned.suspect)

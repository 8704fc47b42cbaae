"""From the baseband to hops of features: what music did is taken out on the way."""

from __future__ import annotations

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

    @property
    def missing_frames(self) -> int:
        """How many frames more complete the next hop."""
        return self._features.missing_frames

    @property
    def is_playing(self) -> bool:
        """Whether music is being taken out now."""
        return self._canceller.is_playing

    def pause(self) -> None:
        """Forget the sound but not the floors, as when the tone rests."""
        self._canceller.reset()
        self._features.pause()

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
        cleaned = self._canceller.process(baseband, playback)
        return self._features.process(cleaned.baseband, cleaned.suspect)

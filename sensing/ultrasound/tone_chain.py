"""All that is done to one tone: demodulated, freed of the other tone and of music, cut into hops."""

from __future__ import annotations

from collections.abc import Sequence

from sensing.audio_block import Block
from sensing.ultrasound.demodulator import Baseband, Demodulator
from sensing.ultrasound.doppler_features import DopplerFrame
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.playback_reference import Playback
from sensing.ultrasound.tone_notch import HEARD_WITHIN_HZ, ToneNotch


class ToneChain:
    """From the capture to hops of one carrier.

    Parameters
    ----------
    others_hz : sequence of float
        The tones that are played beside it.
    """

    def __init__(
        self, *, carrier_hz: float, others_hz: Sequence[float], rate_hz: int, microphones: int
    ) -> None:
        self.demodulator = Demodulator(carrier_hz=carrier_hz, rate_hz=rate_hz, microphones=microphones)
        baseband_hz = self.demodulator.baseband_hz
        self._notches = [
            ToneNotch(away_hz=hz - carrier_hz, baseband_hz=baseband_hz, microphones=microphones)
            for hz in others_hz
            if abs(hz - carrier_hz) < HEARD_WITHIN_HZ
        ]
        self.front_end = FrontEnd(baseband_hz=baseband_hz, microphones=microphones)

    def reset(self) -> None:
        """Forget filters and floors, as after a gap in the audio."""
        self._forget_sound()
        self.front_end.reset()

    def pause(self) -> None:
        """Forget the sound but not the floors, as when the tone rests."""
        self._forget_sound()
        self.front_end.pause()

    def demodulate(self, capture: Block) -> Baseband:
        """Return the baseband without the other tones, shape ``(microphones, <= frames)``."""
        return self.without_others(self.demodulator.process(capture))

    def without_others(self, baseband: Baseband) -> Baseband:
        """Return the baseband with the other tones taken out, of the same shape."""
        for notch in self._notches:
            baseband = notch.process(baseband)
        return baseband

    def process(self, baseband: Baseband, playback: Playback | None) -> list[DopplerFrame]:
        """Return the hops that these frames complete; see `FrontEnd.process`."""
        return self.front_end.process(baseband, playback)

    def _forget_sound(self) -> None:
        self.demodulator.reset()
        for notch in self._notches:
            notch.reset()

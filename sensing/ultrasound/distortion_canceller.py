"""Take what the music does to the tone out of the sensing band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sensing.ultrasound.carrier_null import CarrierNull
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.playback_reference import Playback
from sensing.ultrasound.reference_regression import ReferenceRegression

SILENT = 1e-4
"""Bass below this peak (-80 dBFS) moves no membrane; a carrier leaks less through the low-pass."""

_LINGER_SECONDS = 1.0
_DOUBT = np.float32(4.0)
"""Before anything is learnt all of the band is suspect: 12 dB above itself it is masked everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanBaseband:
    """The baseband after cancelling, and what was distortion in it.

    Attributes
    ----------
    baseband : Baseband
        Shape ``(microphones, frames)``; untouched while nothing plays. While music plays: the steady carrier
        of each microphone with the cleaned differences; what all have in common is gone.
    suspect : Baseband
        Same shape: the distortion that was taken out; four times the whole before anything is learnt.
    """

    baseband: Baseband
    suspect: Baseband


class DistortionCanceller:
    """Cancel the loudspeaker's distortion: first what microphones share, then what the music predicts.

    Nothing is delayed, and the result does not depend on how the stream is cut.

    Parameters
    ----------
    microphones : int
        At least one; with one only the music's prediction is taken out.
    baseband_hz : float
        Rate of the baseband and of the playback.
    lead_frames : int
        How much shorter the first tick of 50 ms is, so that ticks may end where hops end: it saves work.
    """

    def __init__(self, *, microphones: int, baseband_hz: float, lead_frames: int = 0) -> None:
        self._lead = lead_frames
        self._null = CarrierNull(microphones=microphones, baseband_hz=baseband_hz, lead_frames=lead_frames)
        self._regression = ReferenceRegression(
            channels=self._null.channels,
            baseband_hz=baseband_hz,
            tick_frames=self._null.tick_frames,
            lead_frames=lead_frames,
        )
        self._linger_ticks = round(_LINGER_SECONDS * baseband_hz / self._null.tick_frames)
        self.reset()

    @property
    def is_playing(self) -> bool:
        """Whether music is being taken out now."""
        return self._quiet_ticks < self._linger_ticks

    @property
    def delay_frames(self) -> int:
        """How many baseband frames the sound in the room lags behind the reference."""
        return self._regression.delay_frames

    def reset(self) -> None:
        """Forget the carrier and what was learnt, as after a gap in the audio."""
        self._null.reset()
        self._regression.reset()
        self._position = self._lead
        self._peak = 0.0
        self._quiet_ticks = self._linger_ticks
        self._mix = self._next_mix = np.float32(0.0)

    def freeze(self) -> None:
        """Learn nothing more, and keep cancelling with what is known; for measurements."""
        self._regression.freeze()

    def process(self, baseband: Baseband, playback: Playback) -> CleanBaseband:
        """Return the cleaned band.

        Parameters
        ----------
        baseband : Baseband
            Shape ``(microphones, frames)``.
        playback : Playback
            Shape ``(frames,)``: what was played in these frames; heard up to half a second later.
        """
        clean = np.empty(baseband.shape, np.complex64)
        suspect = np.zeros(baseband.shape, np.complex64)
        first = 0
        while first < baseband.shape[1]:
            end = min(baseband.shape[1], first + self._null.tick_frames - self._position)
            clean[:, first:end], suspect[:, first:end] = self._piece(
                baseband[:, first:end], playback[first:end]
            )
            first = end
        return CleanBaseband(baseband=clean, suspect=suspect)

    def _piece(self, baseband: Baseband, playback: Playback) -> tuple[Baseband, Baseband]:
        """Process frames within one tick."""
        ramp = (self._position + np.arange(len(playback), dtype=np.float32)) / self._null.tick_frames
        # what is known at the end of this piece is for the next one, however the stream is cut
        is_ready, has_learnt = self._null.is_ready, self._regression.has_learnt
        share_out = self._sharing() if self._next_mix or self._mix else None
        differences, alone, steady = self._null.process(baseband)
        predicted = self._regression.process(differences, alone, playback)
        mix = self._mix + (self._next_mix - self._mix) * ramp
        clean, suspect = baseband, np.zeros((), np.complex64)
        if share_out is not None:
            doubtful = predicted if has_learnt else _DOUBT * differences
            cleaned = steady * (1 + share_out(differences - predicted))
            clean = mix * cleaned + (1 - mix) * baseband
            suspect = mix * steady * share_out(doubtful)
        if self.is_playing and not is_ready:
            suspect = _DOUBT * baseband
        self._peak = max(self._peak, float(np.abs(playback).max(initial=0.0)))
        self._position += len(playback)
        if self._position >= self._null.tick_frames:
            self._end_tick()
        return clean, suspect

    def _sharing(self) -> Callable[[Baseband], Baseband]:
        """Return what makes of differences each microphone's deviation from what all have in common.

        The common part is the mean by the carriers' energies, so that noise stays that of the microphones.
        """
        others, reference = self._null.others, self._null.reference
        alive = self._null.is_alive.copy()
        weights = np.where(alive, self._null.levels**2, np.float32(0))
        weights /= weights.sum()

        def share_out(differences: Baseband) -> Baseband:
            if len(others) == 0:
                return differences
            deviations = np.zeros((len(alive), differences.shape[1]), np.complex64)
            if not alive[others].any():
                deviations[reference] = -differences[0]  # a microphone alone was subtracted from nothing
                return deviations
            deviations[others] = np.where(alive[others, None], differences, 0)
            deviations -= weights @ deviations
            return deviations

        return share_out

    def _end_tick(self) -> None:
        self._position = 0
        self._quiet_ticks = 0 if self._peak > SILENT else min(self._quiet_ticks + 1, self._linger_ticks)
        self._peak = 0.0
        self._mix = self._next_mix
        self._next_mix = np.float32(self.is_playing and self._null.is_ready)

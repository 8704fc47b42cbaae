"""The tone, and in its place the chirps of an acoustic calibration."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hub.playback.ramp import Ramp
from hub.playback.tone_gate import ToneGate
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.chirp_voice import ChirpVoice
from sensing.ultrasound.emitter import RAMP_SECONDS, CarrierEmitter

_REST_BEFORE_SECONDS, REST_AFTER_SECONDS = 0.3, 0.1
"""A slot before the first chirp, and one behind the last, has to be silent for `hub.sync.chirp_search`."""
_LONGEST_WAIT_SECONDS = 10.0
"""Who has waited so long for the first chirp is disarmed."""


class ChirpingEmitter:
    """Emit the tone, or chirps in its place, never both: so their peak is within the tone's.

    Chirps belong to what the gate allows. Where it forbids, there are none, and what sounds ends with the
    tone's own ramp.

    Parameters
    ----------
    chirp_peak : float
        Highest absolute sample of a chirp; what exceeds the tone's peak is cut to it.

    Attributes
    ----------
    carriers_hz, peak
        Of the tone.
    chirp_peak : float
        Highest absolute sample of a chirp.
    """

    def __init__(self, tone: CarrierEmitter, gate: ToneGate, *, rate_hz: int, chirp_peak: float) -> None:
        self.carriers_hz = tone.carriers_hz
        self.peak = tone.peak
        self._tone = tone
        self._gate = gate
        self._rate_hz = rate_hz
        self.chirp_peak = min(chirp_peak, tone.peak)
        self._lock = threading.Lock()
        self._frame = 0
        self._performance: _Performance | None = None
        self._next: _Performance | None = None

    def chirp(
        self,
        plan: ChirpPlan,
        *,
        device: int,
        start_seconds: float,
        heard_seconds: Callable[[float], float | None],
    ) -> None:
        """Chirp when a plan says so; one plan at a time, an earlier one ends with a ramp.

        Parameters
        ----------
        start_seconds : float
            On the clock that both devices follow.
        heard_seconds : callable
            Returns when, on that clock, a frame is heard, counted as `process` was asked for them; None while
            nobody knows. Called on the audio thread.
        """
        performance = _Performance(
            ChirpVoice(plan, device=device, start_seconds=start_seconds),
            start_seconds=start_seconds,
            end_seconds=start_seconds + plan.seconds,
            heard_seconds=heard_seconds,
            rate_hz=self._rate_hz,
        )
        self.stop_chirps()
        with self._lock:
            self._next = performance

    @property
    def is_allowed(self) -> bool:
        """Whether anything may sound at all."""
        return self._gate.is_allowed

    def stop_chirps(self) -> None:
        """Let the tone come back; chirps that are not over end with a ramp."""
        with self._lock:
            self._next = None
            if self._performance is not None:
                self._performance.is_wanted = False

    def process(self, frames: int) -> NDArray[np.float32]:
        """Return the next samples, shape ``(frames,)``."""
        first, self._frame = self._frame, self._frame + frames
        if not frames:
            return np.zeros(0, np.float32)
        chirps = self._chirps(first, frames)
        sound = self._tone.process(frames)
        return sound if chirps is None else sound + (self.chirp_peak * chirps).astype(np.float32)

    def _chirps(self, first_frame: int, frames: int) -> NDArray[np.float64] | None:
        with self._lock:
            if self._performance is None or self._performance.is_over:
                self._performance, self._next = self._next, None
            performance = self._performance
        if performance is None:
            return None
        if not self._gate.is_allowed:
            performance.is_wanted = False
        chirps = performance.process(first_frame, frames)
        self._gate.rest(performance.is_resting)
        return chirps


class _Performance:
    """One plan on its way through the sound card: when the tone rests, and what is heard instead."""

    def __init__(
        self,
        voice: ChirpVoice,
        *,
        start_seconds: float,
        end_seconds: float,
        heard_seconds: Callable[[float], float | None],
        rate_hz: int,
    ) -> None:
        self._voice = voice
        self._rest_seconds = start_seconds - _REST_BEFORE_SECONDS
        self._end_seconds = end_seconds + REST_AFTER_SECONDS
        self._heard_seconds = heard_seconds
        self._frames_left = round(_LONGEST_WAIT_SECONDS * rate_hz)
        self._ramp_frames = self._frames_to_silence = round(RAMP_SECONDS * rate_hz)
        self._fade = Ramp(0.0, rise_frames=self._ramp_frames, fall_frames=self._ramp_frames)
        self._line = (0, 0.0, 0.0)
        self.is_wanted = True
        self.is_resting = False
        self.is_over = False

    def process(self, first_frame: int, frames: int) -> NDArray[np.float64] | None:
        """Return chirps within +-1, shape ``(frames,)``; None while there are none."""
        self._frames_left -= frames
        is_timed = self._take_time(first_frame, frames)
        if not self.is_resting:
            self.is_over = not self.is_wanted or self._frames_left <= 0
            if self.is_over or not is_timed or self._at(first_frame + frames) <= self._rest_seconds:
                return None
            self.is_resting = True
        elif not is_timed:
            self.is_wanted = False  # a clock is lost; to end with a ramp, what it showed last will do
        if self._at(first_frame) > self._end_seconds or not (self.is_wanted or self._fade.value):
            self.is_resting, self.is_over = False, True
            return None
        _, _, pace = self._line
        chirps = self._voice.process(first_frame, frames, first_seconds=self._at(first_frame), pace=pace)
        self._fade.target = float(self.is_wanted and self._frames_to_silence <= 0)
        self._frames_to_silence -= frames
        return chirps * self._fade.process(frames)

    def _take_time(self, first_frame: int, frames: int) -> bool:
        """Take the time of these frames, and return whether it is known."""
        begins, ends = self._heard_seconds(first_frame), self._heard_seconds(first_frame + frames)
        if begins is None or ends is None:
            return False
        self._line = (first_frame, begins, (ends - begins) / frames)
        return True

    def _at(self, frame: int) -> float:
        known_frame, seconds, pace = self._line
        return seconds + (frame - known_frame) * pace

"""How the carrier stands at the microphones, measured once in a second of tone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from sensing.ultrasound.demodulator import Baseband

SETTLE_SECONDS = 5.0
"""What is heard at first after the tone was away for as long is left out: amplifiers warm up."""
WINDOW_SECONDS = 0.128
STATE_WINDOWS = 8
FILL_SECONDS = 0.05
"""After a pause the filters have to fill, and what they do until then would count as noise."""
NOISE_BANDS_HZ = ((-400, -300), (-300, -200), (200, 300), (300, 400))
"""The noise is that of the quietest of these: people, fans and the tones of others seldom fill all of them,
the noise of the room does."""
_FLOOR = 1e-20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarrierState:
    """How the carrier is heard at a moment.

    Attributes
    ----------
    at_seconds : float
        On a clock that only grows.
    signature : NDArray
        Shape ``(microphones,)``, complex amplitude of the carrier.
    snr_db : float
        Carrier over the noise beside it.
    is_moving : bool
        Whether anything moves.
    temperature_c : float or None
        Of the room; None where nobody measures it.
    """

    at_seconds: float
    signature: NDArray[np.complex64]
    snr_db: float
    is_moving: bool
    temperature_c: float | None = None


class CarrierStates:
    """Average the carrier and the noise beside it over a second of tone, however often that rests.

    Each window's carrier counts by its products between the microphones, so that it does not matter where
    the clocks stood: the signature is the strongest eigenvector of their mean. Eight windows of 0.128 s make
    a state; they need not follow one another.

    Parameters
    ----------
    baseband_hz : float
        Rate of the baseband.
    microphones : int
        At least one.
    """

    def __init__(self, *, baseband_hz: float, microphones: int) -> None:
        self._fill_frames = round(FILL_SECONDS * baseband_hz)
        self._window_frames = round(WINDOW_SECONDS * baseband_hz)
        window = get_window("blackman", self._window_frames)
        self._window = (window / window.sum()).astype(np.float32)
        hz = np.fft.fftfreq(self._window_frames, 1 / baseband_hz)
        is_in = np.array([(hz >= low) & (hz < high) for low, high in NOISE_BANDS_HZ])
        # divided by what the window lets through, so that powers are those of one hertz
        density = 1 / (float(np.square(self._window).sum()) * baseband_hz)
        self._bands = (density * is_in / is_in.sum(axis=1, keepdims=True)).astype(np.float32)
        self._microphones = microphones
        self._window_seconds = self._window_frames / baseband_hz
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._heard_at = -math.inf
        self._unsettled = 0
        self._products = np.zeros((self._microphones, self._microphones), np.complex128)
        self._noise = np.zeros((self._microphones, len(self._bands)))
        self._windows = 0
        self.pause()

    def pause(self) -> None:
        """Forget the window that is not complete, as when the tone rests."""
        self._pending = np.zeros((self._microphones, 0), np.complex64)
        self._filling = self._fill_frames

    def process(self, baseband: Baseband, at_seconds: float) -> None:
        """Take what follows, shape ``(microphones, frames)``, until ``at_seconds`` of the audio clock."""
        if at_seconds - self._heard_at > SETTLE_SECONDS:
            self._unsettled = math.ceil(SETTLE_SECONDS / self._window_seconds)
        self._heard_at = at_seconds
        self._pending = np.concatenate([self._pending, baseband[:, self._filling :]], axis=1)
        self._filling = max(0, self._filling - baseband.shape[1])
        while self._pending.shape[1] >= self._window_frames:
            if self._unsettled:
                self._unsettled -= 1
            elif self._windows < STATE_WINDOWS:
                self._add(self._pending[:, : self._window_frames])
            self._pending = self._pending[:, self._window_frames :]

    def take(self, *, is_moving: bool) -> CarrierState | None:
        """Return the state when its second is complete, and begin the next."""
        if self._windows < STATE_WINDOWS:
            return None
        strengths, vectors = np.linalg.eigh(self._products / self._windows)
        signature = math.sqrt(max(float(strengths[-1]), _FLOOR)) * vectors[:, -1]
        noise = np.maximum(self._noise.min(axis=1) / self._windows, _FLOOR)
        snr = np.maximum(np.square(np.abs(signature)) / noise, _FLOOR)
        self._products[:] = 0
        self._noise[:] = 0
        self._windows = 0
        return CarrierState(
            at_seconds=self._heard_at,
            signature=signature.astype(np.complex64),
            snr_db=10 * math.log10(float(snr.max())),
            is_moving=is_moving,
        )

    def _add(self, window: NDArray[np.complex64]) -> None:
        carrier = window @ self._window
        self._products += np.outer(carrier, np.conj(carrier))
        spectra = np.fft.fft((window - carrier[:, None]) * self._window, axis=1)
        self._noise += np.square(np.abs(spectra)) @ self._bands.T
        self._windows += 1

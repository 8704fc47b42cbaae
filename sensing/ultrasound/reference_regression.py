"""Predict the distortion of each sensing channel from what was played."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.playback_reference import Playback

TAPS = 24
MAX_DELAY_SECONDS = 0.5
BLOCK_SECONDS = 0.5
"""The weights are solved anew this often."""
RIDGE = 1e-3

MEMBRANE_HZ = 80.0
"""A membrane follows the voltage below its resonance and falls by 12 dB an octave above it.

Squares of the voltage are no squares of the excursion, and no linear taps repair that; 80 Hz is the middle
of common loudspeakers, and the taps learn the difference to the real one.
"""

_FEATURES = 3
_LEAD = 4
"""Taps before the delay that was found: the earliest path is not the strongest."""
_LEAST_SECONDS = 0.6
"""72 weights from less than this are mostly chance."""
_FORGET = 0.975
"""Weight of the past a block: 20 s."""
_FORGET_DELAY = 0.8
_PROMINENCE = 6.0
_SLACK_DB = 2.0
_CONVINCED_DB = 12.0
_SETTLED_SECONDS = 10.0
"""Echoes and people make other lags look a little better for a while; good taps are not given up for that."""
_TINY = 1e-20


class ReferenceRegression:
    """Regress complex channels on ``x``, ``x^2`` and the first difference of the excursion x.

    Block least squares with exponential forgetting (Haykin, Adaptive Filter Theory, the covariance method
    with diagonal loading): moments of each half second are added to those before, and 72 complex weights a
    channel are solved for. Each 50 ms counts by the inverse of its residual power, so steps and gestures
    weigh little against the still moments between them: the person is noise to the fit and is not learnt
    away, because nothing of the person is in the playback. What was learnt is used from the next block on,
    scaled by how well it predicted the last one (Widrow's misadjustment, measured instead of
    calculated): a reference that has nothing to do with the sound does no harm.

    Parameters
    ----------
    channels : int
        Sensing channels.
    baseband_hz : float
        Rate of channels and playback.
    tick_frames : int
        Frames over which new weights are faded in, and over which one weight holds in the fit.
    lead_frames : int
        How much shorter the first block is.

    Attributes
    ----------
    delay_frames : int
        Where the first tap looks: frames before the present one.
    has_learnt : bool
        Whether there are weights that have predicted at least one block.
    """

    def __init__(self, *, channels: int, baseband_hz: float, tick_frames: int, lead_frames: int = 0) -> None:
        self._lead = lead_frames
        self._channels = channels
        self._tick = tick_frames
        self._block = tick_frames * round(BLOCK_SECONDS * baseband_hz / tick_frames)
        self._past = round(MAX_DELAY_SECONDS * baseband_hz) + TAPS + 1
        self._membrane = butter(2, MEMBRANE_HZ, fs=baseband_hz)
        self._least = round(_LEAST_SECONDS * baseband_hz)
        self._settled = round(_SETTLED_SECONDS * baseband_hz)
        self._fft = 1 << (2 * self._block + self._past - 1).bit_length()
        self.reset()

    def reset(self) -> None:
        """Forget what was learnt."""
        self._is_learning = True
        self._excursion = np.zeros(self._past + self._block, np.float32)
        self._heard = np.zeros((self._channels, self._block), np.complex64)
        self._alone = np.zeros(self._block, np.complex64)
        self._forecast = np.zeros((self._channels, self._block), np.complex64)
        self._membrane_state = np.zeros(2)
        self._position = self._lead
        self._cross = np.zeros((2, self._fft), np.complex128)
        self._auto = np.zeros((2, self._fft), np.float64)
        self.delay_frames = 0
        self._forget_weights()

    def freeze(self) -> None:
        """Keep the weights as they are from now on."""
        self._is_learning = False

    def _forget_weights(self) -> None:
        width = _FEATURES * TAPS
        # float64: bass is nearly a sum of sines, so the moments are close to singular
        self._moments = np.zeros((width, width), np.float64)
        self._products = np.zeros((width, self._channels), np.complex128)
        self._scales = np.ones(_FEATURES, np.float64)
        self._weights = np.zeros((width, self._channels), np.complex64)
        self._offset = np.zeros(self._channels, np.complex64)
        self._old = (self._weights, self._offset)
        self._share = np.ones(self._channels, np.float32)
        self._learnt_frames = 0
        self._has_weights = self.has_learnt = False
        self._promise_db = 0.0

    def process(self, heard: Baseband, alone: Baseband, playback: Playback) -> Baseband:
        """Return the predicted distortion, shape ``(channels, frames)``.

        Parameters
        ----------
        heard : Baseband
            Shape ``(channels, frames)``; a piece must not reach over the end of a tick.
        alone : Baseband
            Shape ``(1, frames)``: one microphone, in which the delay is looked for.
        playback : Playback
            Shape ``(frames,)``.
        """
        frames, start = len(playback), self._position
        end = start + frames
        moved, self._membrane_state = lfilter(
            self._membrane[0], self._membrane[1], playback.astype(np.float64), zi=self._membrane_state
        )
        self._excursion[self._past + start : self._past + end] = moved
        forecast = output = np.zeros((self._channels, frames), np.complex64)
        if self._has_weights:
            regressors = self._regressors(start, end)
            forecast = (regressors @ self._weights + self._offset).T
            output = forecast * self._share[:, None]
            if start < self._tick:
                # new weights are faded in over a tick: a jump in the prediction would look like motion
                ramp = np.arange(start, end, dtype=np.float32) / self._tick
                before = (regressors @ self._old[0] + self._old[1]).T
                output = before + (output - before) * ramp
        self._heard[:, start:end] = heard
        self._alone[start:end] = alone[0]
        self._forecast[:, start:end] = forecast
        self._position = end
        if end == self._block:
            self._end_block()
        return output.astype(np.complex64)

    def _regressors(self, start: int, end: int) -> NDArray[np.float32]:
        """Return one row a frame, shape ``(frames, features * taps)``."""
        first = self._past + start - self.delay_frames - TAPS
        x = self._excursion[first : first + end - start + TAPS]
        features = np.stack([x[1:], x[1:] * x[1:], x[1:] - x[:-1]])
        windows = np.lib.stride_tricks.sliding_window_view(features, TAPS, axis=1)
        return np.ascontiguousarray(windows.transpose(1, 0, 2)).reshape(end - start, -1)

    def _end_block(self) -> None:
        self._position = 0
        self._old = (self._weights * self._share, self._offset * self._share)
        if self._is_learning and np.abs(self._excursion).max() > 1e-4 and self._heard.any():
            self._find_delay()
            self._judge()
            self._learn()
        self._excursion[: self._past] = self._excursion[self._block :].copy()

    def _find_delay(self) -> None:
        """Look for the lag at which the playback's impulse response has its energy.

        Bass is tonal and correlates with itself at many lags; dividing by its spectrum gives the response
        instead of the correlation. Once there are weights, another lag must promise more for some time
        (a cumulative sum; Page, Biometrika 41, 1954): new ones take a second, in which music hides people.
        """
        heard = np.zeros(self._fft, np.complex64)
        heard[self._past : self._past + self._block] = self._alone - self._alone.mean()
        spectrum = np.fft.fft(heard)
        self._cross *= _FORGET_DELAY
        self._auto *= _FORGET_DELAY
        energy = np.zeros(self._past - TAPS)
        square = self._excursion**2
        for row, feature in enumerate((self._excursion, square - square.mean())):
            played = np.fft.fft(feature, self._fft)
            self._cross[row] += spectrum * np.conj(played)
            self._auto[row] += np.abs(played) ** 2
            loading = 0.01 * self._auto[row].max() + _TINY
            response = np.fft.ifft(self._cross[row] / (self._auto[row] + loading))[: self._past - TAPS]
            smooth = np.convolve(np.abs(response) ** 2, np.ones(8), "full")[7:]
            energy += smooth / loading * self._auto[row].max()
        best = int(np.argmax(energy))
        if energy[best] < _PROMINENCE * np.median(energy):
            return
        delay = max(0, best - _LEAD)
        held = energy[self.delay_frames : self.delay_frames + TAPS].max()
        more_db = 10 * math.log10(max(energy[best], _TINY) / max(held, _TINY))
        self._promise_db = max(0.0, self._promise_db + more_db - _SLACK_DB)
        settled = min(1.0, self._learnt_frames / self._settled)
        if abs(delay - self.delay_frames) > _LEAD and self._promise_db >= settled * _CONVINCED_DB:
            self._forget_weights()
            self.delay_frames = delay

    def _judge(self) -> None:
        """Scale the prediction by what the last block says it is worth, between nothing and all."""
        if not self._has_weights:
            return
        self.has_learnt = True
        forecast = self._forecast - self._forecast.mean(axis=1, keepdims=True)
        product = (self._heard * np.conj(forecast)).real.sum(axis=1)
        power = (np.abs(forecast) ** 2).sum(axis=1)
        worth = np.clip(product / np.maximum(power, _TINY), 0.0, 1.0)
        self._share = np.where(power > _TINY, worth, self._share).astype(np.float32)

    def _learn(self) -> None:
        regressors = self._regressors(0, self._block).astype(np.float64)
        means = regressors.mean(axis=0)
        centred = regressors - means
        if self._learnt_frames == 0:
            power = (centred**2).reshape(self._block, _FEATURES, TAPS).mean(axis=(0, 2))
            self._scales = 1 / np.sqrt(power + _TINY)
        scale = np.repeat(self._scales, TAPS)
        centred *= scale
        heard = (self._heard - self._heard.mean(axis=1, keepdims=True)).T
        residual = heard - self._forecast.T
        for _ in range(1 if self._has_weights else 2):
            moments, products = self._moved(centred, heard, residual)
            loading = RIDGE * np.trace(moments) / len(moments) + _TINY
            solved = np.linalg.solve(moments + loading * np.eye(len(moments)), products)
            residual = heard - centred @ solved
        self._moments, self._products = moments, products
        self._learnt_frames += int(np.abs(self._heard).max(axis=0).astype(bool).sum())
        if self._learnt_frames < self._least:
            return
        self._weights = (scale[:, None] * solved).astype(np.complex64)
        self._offset = -(means @ self._weights).astype(np.complex64)
        self._has_weights = True

    def _moved(
        self, centred: NDArray[np.float64], heard: Baseband, residual: Baseband
    ) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
        """Return the moments with this block, each tick by the inverse of its residual power."""
        power = (np.abs(residual) ** 2).mean(axis=1).reshape(-1, self._tick).mean(axis=1)
        # before the carrier is known the channels are zero, which no music explains
        is_heard = np.abs(self._heard).max(axis=0).reshape(-1, self._tick).max(axis=1) > 0
        weight = np.repeat(is_heard / (power + 0.1 * power.mean() + _TINY), self._tick)
        weighted = centred * weight[:, None]
        moments = _FORGET * self._moments + weighted.T @ centred
        products = _FORGET * self._products + weighted.T @ heard
        return moments, products

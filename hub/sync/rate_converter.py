"""Sound at any instants between its frames: an asynchronous sample-rate converter."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensing.audio_block import Block

TAPS = 64
_PHASES = 512
_KAISER_BETA = 9.3
"""90 dB with a transition of 0.093 of the rate around its half: 20 kHz at 44.1 kHz pass whole."""


class RateConverter:
    """Windowed-sinc interpolation (Smith and Gossett 1984): 64 taps, 512 phases, linear between phases.

    It has no state but its table. Instants are given, not a ratio: so the place in the stream is known
    exactly, and the ratio may change with every call without anything to settle.

    Parameters
    ----------
    frames_per_frame : float
        Rate of the sound over the rate of the result, about; above 1 the band is cut to the new rate.
    """

    def __init__(self, frames_per_frame: float = 1.0) -> None:
        scale = min(1.0, 1 / frames_per_frame)
        delay = np.arange(_PHASES + 1)[:, np.newaxis] / _PHASES
        place = np.arange(TAPS) - (TAPS // 2 - 1) - delay
        window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - (2 * place / TAPS) ** 2)))
        table = np.sinc(scale * place) * window
        table /= table.sum(axis=1, keepdims=True)
        self._table = table[:-1].astype(np.float32)
        self._slope = np.diff(table, axis=0).astype(np.float32)

    @property
    def before_frames(self) -> int:
        """Frames needed before the frame that an instant falls into."""
        return TAPS // 2 - 1

    @property
    def after_frames(self) -> int:
        """Frames needed behind it."""
        return TAPS // 2

    def process(self, samples: Block, instants: NDArray[np.float64]) -> Block:
        """Return the sound at ``instants``, shape ``(channels, instants)``.

        Parameters
        ----------
        samples : Block
            Shape ``(channels, frames)``.
        instants : ndarray
            In frames from the first; `before_frames` and `after_frames` must lie around each.

        Raises
        ------
        ValueError
            An instant is too near to an end of the samples.
        """
        frame = np.floor(instants).astype(np.intp)
        first = frame - self.before_frames
        if len(first) and (first.min() < 0 or first.max() + TAPS > samples.shape[1]):
            message = f"{samples.shape[1]} frames do not reach around {instants.min()} to {instants.max()}"
            raise ValueError(message)
        if not len(first):
            return np.zeros((samples.shape[0], 0), np.float32)
        phase, rest = np.divmod((instants - frame) * _PHASES, 1.0)
        # an instant just below a frame may round up to phase 512
        phase = np.minimum(phase, _PHASES - 1).astype(np.intp)
        taps = self._table[phase] + rest.astype(np.float32)[:, np.newaxis] * self._slope[phase]
        around = sliding_window_view(samples, TAPS, axis=1)[:, first]
        result: Block = np.einsum("cft,ft->cf", around, taps)
        return result

"""Take what the loudspeakers played out of what the microphones heard.

A partitioned-block frequency-domain Kalman filter: Enzner and Vary, "Frequency-domain adaptive Kalman filter
for acoustic echo control in hands-free telephones", Signal Processing 86 (2006), in the partitioned form of
Kuech, Mabande and Enzner, "State-space architecture of the partitioned-block-based acoustic echo controller",
ICASSP 2014. It keeps, for each frequency, how uncertain the room still is and how loud the people are, and
learns only as fast as both allow. So nobody has to detect that two talk at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from sensing.audio_block import Block

BLOCK_FRAMES = 640
"""40 ms at 16 kHz: what is filtered at a time."""
TAIL_BLOCKS = 6
"""Echoes of up to 0.24 s are taken out."""
SILENT_RMS = 1e-4
"""-80 dBFS: what the resampler leaves of the ultrasonic tone is far below, and so is its echo."""

_FFT = 2 * BLOCK_FRAMES
_BINS = BLOCK_FRAMES + 1
_TRANSITION = 0.998
"""How much of the room is still the same 40 ms later: half of it after 14 s."""
_NOISE_POLE = 0.8
"""The loudness of the people is that of the last 0.2 s."""
_FIRST_UNCERTAINTY = 1.0
_DECAY_A_BLOCK = 0.5
"""Power of a living room's echoes falls by this in 40 ms, 60 dB in 0.8 s: later taps are less uncertain."""
_TINY = 1e-9
_QUIET = 1e-7
"""Power of a bin at -100 dBFS: what is weaker is no voice."""

_Complex = NDArray[np.complex64]
_Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cancelled:
    """One stretch of sound taken apart.

    Attributes
    ----------
    near : NDArray
        Shape ``(frames,)``: what the room itself said.
    echo : NDArray
        Shape ``(frames,)``: what the loudspeakers said in it, as far as it is known.
    """

    near: _Real
    echo: _Real


class EchoCanceller:
    """Learn how the room sounds, and subtract what was played in it.

    Parameters
    ----------
    channels : int
        Channels of what is played. They should have little in common, and the first should hold the most.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        parts = (self._channels, TAIL_BLOCKS, _BINS)
        self._weights = np.zeros(parts, np.complex64)
        decay = _DECAY_A_BLOCK ** np.arange(TAIL_BLOCKS, dtype=np.float32)
        self._uncertainty = np.ones(parts, np.float32) * (_FIRST_UNCERTAINTY * decay)[:, None]
        self._near_power = np.full(_BINS, _QUIET, np.float32)
        self.interrupt()

    def interrupt(self) -> None:
        """Forget the sound, as after a gap in it; the room is still the same."""
        self._played = np.zeros((self._channels, _FFT), np.float32)
        self._silent_blocks = np.full(self._channels, TAIL_BLOCKS + 1)
        self._spectra = np.zeros((self._channels, TAIL_BLOCKS, _BINS), np.complex64)
        self._powers = np.zeros((self._channels, TAIL_BLOCKS, _BINS), np.float32)

    def recall(self, played: Block) -> None:
        """Take what was played before the next block, at least the tail, without anything heard."""
        for first in range(0, played.shape[1], BLOCK_FRAMES):
            self._hear(played[:, first : first + BLOCK_FRAMES])

    def process(self, heard: _Real, played: Block) -> Cancelled:
        """Return near sound and echo of a whole number of blocks of `BLOCK_FRAMES`.

        Parameters
        ----------
        heard : NDArray
            Shape ``(frames,)`` at 16 kHz.
        played : Block
            Shape ``(channels, frames)``, early by at most the tail.
        """
        echoes = [
            self._block(heard[first : first + BLOCK_FRAMES], played[:, first : first + BLOCK_FRAMES])
            for first in range(0, len(heard), BLOCK_FRAMES)
        ]
        echo = np.concatenate(echoes) if echoes else np.zeros(0, np.float32)
        return Cancelled(near=heard - echo, echo=echo)

    def _block(self, heard: _Real, played: Block) -> _Real:
        """Return the echo in a block, and learn from what is left without it."""
        self._hear(played)
        if not self._live:
            return np.zeros_like(heard)
        products = self._spectra[: self._live] * self._weights[: self._live]
        # overlap-save: only the last half of the circular product is the linear one
        echo: _Real = irfft(products.sum(axis=(0, 1)), _FFT)[BLOCK_FRAMES:]
        error = np.zeros(_FFT, np.float32)
        error[BLOCK_FRAMES:] = heard - echo
        self._learn(rfft(error))
        return echo

    @property
    def _live(self) -> int:
        """How many channels, from the first, have anything to cancel; later ones are often silent."""
        live = np.flatnonzero(self._silent_blocks <= TAIL_BLOCKS)
        return int(live[-1]) + 1 if len(live) else 0

    def _hear(self, played: Block) -> None:
        self._played[:, :BLOCK_FRAMES] = self._played[:, BLOCK_FRAMES:]
        self._played[:, BLOCK_FRAMES:] = played
        is_silent = np.square(played).mean(axis=1) < SILENT_RMS**2
        self._silent_blocks = np.where(is_silent, self._silent_blocks + 1, 0)
        live = self._live
        self._spectra[:live, 1:] = self._spectra[:live, :-1]
        self._spectra[:live, 0] = rfft(self._played[:live], axis=1)
        self._powers[:live, 1:] = self._powers[:live, :-1]
        self._powers[:live, 0] = np.square(np.abs(self._spectra[:live, 0]))

    def _learn(self, error: _Complex) -> None:
        """Update weights and uncertainty: equations 10 to 14 of Kuech et al."""
        spectra, powers = self._spectra[: self._live], self._powers[: self._live]
        weights, uncertainty = self._weights[: self._live], self._uncertainty[: self._live]
        self._near_power += (1 - _NOISE_POLE) * (np.square(np.abs(error)) - self._near_power)
        expected = (powers * uncertainty).sum(axis=(0, 1))
        # a block is half the transform, so its noise counts twice
        steps = uncertainty / (expected + 2 * self._near_power + _QUIET)
        changes = irfft(steps * np.conj(spectra) * error, _FFT, axis=-1)
        changes[..., BLOCK_FRAMES:] = 0  # a partition is a block long; what wraps around is no echo
        weights += rfft(changes, axis=-1)
        uncertainty *= 1 - 0.5 * steps * powers
        uncertainty *= _TRANSITION**2
        # what was never played is not known, however little is in its weights: music brings new notes
        known = np.square(np.abs(weights))
        uncertainty += (1 - _TRANSITION**2) * np.maximum(known, known.mean(axis=-1, keepdims=True)) + _TINY
        weights *= _TRANSITION

"""Many long filters at once, block by block: partitioned overlap-save."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sensing.audio_block import Block

FADE_PARTS = 4
"""Parts over which other filters take over: 21 ms of 256 frames at 48 kHz."""
Spectra = NDArray[np.complex64]


class PartitionedConvolver:
    """Convolve several inputs with a matrix of filters; any cut of the input gives the same output.

    Uniformly partitioned overlap-save (Wefers 2015, chapter 5): the filters are cut into parts of
    ``block_frames``, and each block's spectrum is reused by every part. At each frequency the parts and
    inputs lie side by side, so that all of them are one product of a vector and a matrix.

    Parameters
    ----------
    filters : ndarray
        Shape ``(inputs, outputs, taps)``.
    block_frames : int
        Length of one part, and the delay that `process` adds.
    """

    def __init__(self, filters: NDArray[np.float32], block_frames: int = 256) -> None:
        self.inputs, self.outputs, self._taps = filters.shape
        self.latency_frames = block_frames
        self._parts = -(-self._taps // block_frames)
        ramp = np.arange(1, FADE_PARTS * block_frames + 1) / (FADE_PARTS * block_frames)
        self._ramp = ramp.astype(np.float32).reshape(FADE_PARTS, block_frames)
        self._wanted = self._current = self._spectra_of(filters)
        self.reset()

    def reset(self) -> None:
        """Forget all sound, and be done with any fade."""
        step = self.latency_frames
        self._waiting = np.zeros((self.inputs, step), np.float32)  # the previous block comes first
        # every spectrum is written twice, so that the recent ones always lie in one piece
        self._history = np.zeros((step + 1, 2 * self._parts, self.inputs), np.complex64)
        self._newest = 0
        self._ready = np.zeros((self.outputs, step), np.float32)
        self._current, self._next, self._faded = self._wanted, self._wanted, 0

    def exchange(self, filters: NDArray[np.float32]) -> None:
        """Fade to other filters from the next part on; safe from any thread.

        Both sets hear the same past, so the fade is between two finished sounds. They are alike, so it
        is linear. What is asked for during a fade waits for its end; the last one counts.

        Raises
        ------
        ValueError
            The filters have another shape.
        """
        if filters.shape != (self.inputs, self.outputs, self._taps):
            shape = (self.inputs, self.outputs, self._taps)
            message = f"filters of shape {filters.shape} cannot follow {shape}; make a new convolver"
            raise ValueError(message)
        self._wanted = self._spectra_of(filters)

    def process(self, block: Block) -> Block:
        """Return as many frames as given, `latency_frames` late.

        Parameters
        ----------
        block : Block
            Shape ``(inputs, frames)``.

        Returns
        -------
        Block
            Shape ``(outputs, frames)``.
        """
        step, frames = self.latency_frames, block.shape[1]
        signal = np.concatenate([self._waiting, block.astype(np.float32, copy=False)], axis=1)
        count = signal.shape[1] // step - 1
        parts = [self._next_part(signal[:, at : at + 2 * step]) for at in range(0, count * step, step)]
        self._waiting = signal[:, count * step :].copy()
        ready = np.concatenate([self._ready, *parts], axis=1)
        self._ready = ready[:, frames:].copy()
        return ready[:, :frames]

    def _next_part(self, pair: Block) -> Block:
        """Return the next part, shape ``(outputs, block_frames)``; ``pair`` is the last part and this one."""
        self._newest = (self._newest - 1) % self._parts
        spectrum = fft.rfft(pair, axis=1).T
        self._history[:, self._newest] = self._history[:, self._newest + self._parts] = spectrum
        sound = self._filtered(self._current)
        if self._next is self._current:
            self._next = self._wanted  # read once: another thread may exchange it at any time
        if self._next is self._current:
            return sound
        sound += self._ramp[self._faded] * (self._filtered(self._next) - sound)
        self._faded += 1
        if self._faded == FADE_PARTS:
            self._current, self._faded = self._next, 0
        return sound

    def _filtered(self, spectra: Spectra) -> Block:
        recent = self._history[:, self._newest : self._newest + self._parts]
        total = recent.reshape(len(recent), 1, -1) @ spectra
        sound: Block = fft.irfft(total[:, 0], axis=0)[self.latency_frames :].T
        return sound

    def _spectra_of(self, filters: NDArray[np.float32]) -> Spectra:
        """Return the parts' spectra, shape ``(bins, parts x inputs, outputs)``."""
        step = self.latency_frames
        padded = np.zeros((self.inputs, self.outputs, self._parts * step), np.float32)
        padded[..., : self._taps] = filters
        parts = padded.reshape(self.inputs, self.outputs, self._parts, step)
        spectra = fft.rfft(parts, 2 * step, axis=-1).transpose(3, 2, 0, 1)
        return np.ascontiguousarray(spectra.reshape(step + 1, -1, self.outputs))

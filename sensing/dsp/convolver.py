"""Many long filters at once, block by block: partitioned overlap-save."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sensing.audio_block import Block


class PartitionedConvolver:
    """Convolve several inputs with a matrix of filters; any cut of the input gives the same output.

    Uniformly partitioned overlap-save (Wefers 2015, chapter 5): the filters are cut into parts of
    ``block_frames``, and each block's spectrum is reused by every part.

    Parameters
    ----------
    filters : ndarray
        Shape ``(inputs, outputs, taps)``.
    block_frames : int
        Length of one part, and the delay that `process` adds.
    """

    def __init__(self, filters: NDArray[np.float32], block_frames: int = 256) -> None:
        self.inputs, self.outputs, taps = filters.shape
        self.latency_frames = block_frames
        self._parts = -(-taps // block_frames)
        padded = np.zeros((self.inputs, self.outputs, self._parts * block_frames), np.float32)
        padded[..., :taps] = filters
        parts = padded.reshape(self.inputs, self.outputs, self._parts, block_frames)
        self._spectra = fft.rfft(parts, 2 * block_frames, axis=-1)
        self.reset()

    def reset(self) -> None:
        """Forget all sound."""
        step = self.latency_frames
        self._waiting = np.zeros((self.inputs, step), np.float32)  # the previous block comes first
        self._history = np.zeros((self._parts - 1, self.inputs, step + 1), np.complex64)
        self._ready = np.zeros((self.outputs, step), np.float32)

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
        step = self.latency_frames
        signal = np.concatenate([self._waiting, block.astype(np.float32, copy=False)], axis=1)
        count = signal.shape[1] // step - 1
        self._waiting = signal[:, count * step :].copy()
        if count:
            done = self._convolve(signal[:, : (count + 1) * step], count)
            self._ready = np.concatenate([self._ready, done], axis=1)
        frames = block.shape[1]
        out, self._ready = self._ready[:, :frames].copy(), self._ready[:, frames:].copy()
        return out

    def _convolve(self, signal: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Filter ``count`` whole blocks; ``signal`` begins with the block before them."""
        step = self.latency_frames
        blocks = signal.reshape(self.inputs, count + 1, step)
        pairs = np.concatenate([blocks[:, :-1], blocks[:, 1:]], axis=2)
        fresh = fft.rfft(pairs, axis=2).transpose(1, 0, 2)
        spectra = np.concatenate([self._history, fresh], axis=0)
        self._history = spectra[len(spectra) - (self._parts - 1) :].copy()
        total = np.zeros((count, self.outputs, step + 1), np.complex64)
        for part in range(self._parts):
            first = self._parts - 1 - part
            total += np.einsum("kib,iob->kob", spectra[first : first + count], self._spectra[:, :, part])
        sound: NDArray[np.float32] = fft.irfft(total, 2 * step, axis=2)[..., step:]
        return sound.transpose(1, 0, 2).reshape(self.outputs, -1)

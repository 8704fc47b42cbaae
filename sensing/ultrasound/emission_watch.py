"""When the tone is in the air, as the sensor has to know it."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from sensing.audio_block import AudioBlock, Block

CELL_SECONDS = 0.005
"""Resolution of the edges; a Hann window of it lets music 2 kHz away through at -67 dB."""
SETTLE_SECONDS = 0.2
"""Ringing of the room: with an RT60 of 0.3 s (at 20 kHz air alone takes care of that) the sidebands of a
window that begins now are below -68 dBc between 12 and 24 Hz and below -95 dBc from 40 Hz on (simulated)."""
LONGEST_LAG_SECONDS = 0.5
"""Sound servers answer within this; it is assumed until the true lag has been heard."""

_LEAST_LEVEL = 1e-3
_STEADY_RATIO = 0.01
_RISE_RATIO = 4.0
_SURE_CELLS = 4
"""A tone lasts; a click in the music is as strong beside the carrier, for a cell or two."""
_SPANS = 64


class EmissionWatch:
    """Follow the carrier in what was played, and say which frames of the capture may be judged.

    The reference holds exactly what was written to the speakers, so it is the witness: no message from
    the emitter has to be brought to the right frame. What the microphones hear comes later by the lag
    of the sound card, which is measured at each edge. A recording without a carrier in its reference tells
    nothing, and then all frames may be judged.

    Parameters
    ----------
    rate_hz : int
        Rate of the blocks.
    carrier_hz, second_carrier_hz : float
        Frequencies of the tones, which come and go together; None for no second one.

    Attributes
    ----------
    lag_frames : int or None
        How much later the microphones hear what was played; None before it was heard.
    """

    def __init__(self, *, rate_hz: int, carrier_hz: float, second_carrier_hz: float | None = None) -> None:
        self._cell = round(CELL_SECONDS * rate_hz)
        window = get_window("hann", self._cell)
        carriers_hz = [carrier_hz] if second_carrier_hz is None else [carrier_hz, second_carrier_hz]
        phases = 2 * math.pi / rate_hz * np.outer(np.arange(self._cell), carriers_hz)
        probes = 2 * window[:, None] / window.sum() * np.exp(-1j * phases)
        if second_carrier_hz is not None:
            # a cell resolves 400 Hz and tones may be 300 Hz apart: each probe is made deaf to the other
            probes = probes @ np.linalg.inv(np.exp(1j * phases).T @ probes / 2)
        self._probes = probes.astype(np.complex64)
        self._settle = round(SETTLE_SECONDS * rate_hz)
        self._longest_lag = round(LONGEST_LAG_SECONDS * rate_hz)
        self.lag_frames: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the edges, as after a gap in the audio; the lag stays."""
        self._first: int | None = None
        self._cells = 0
        self._reference: Block | None = None
        self._capture: Block | None = None
        self._levels = (0.0, 0.0)
        self._steady_since: int | None = None
        self._spans: deque[tuple[int, int]] = deque(maxlen=_SPANS)
        self._rose_at: int | None = None
        self._before = 0.0
        self.is_known = False

    @property
    def is_on(self) -> bool:
        """Whether the tone was being played, and steady, at the end of the last block."""
        return self._steady_since is not None

    def process(self, block: AudioBlock) -> None:
        """Take the next block; the result does not depend on how the stream is cut."""
        if block.reference.shape[0] == 0:
            return
        if self._first is None or self._reference is None or self._capture is None:
            self._first = block.first_frame
            self._reference, self._capture = block.reference[:, :0], block.capture[:, :0]
        self._reference = np.concatenate([self._reference, block.reference], axis=1)
        self._capture = np.concatenate([self._capture, block.capture], axis=1)
        cells = self._reference.shape[1] // self._cell
        used = cells * self._cell
        for played, heard in zip(
            self._amplitudes(self._reference[:, :used]),
            self._amplitudes(self._capture[:, :used]),
            strict=True,
        ):
            self._take(self._first + self._cells * self._cell, float(played), float(heard))
            self._cells += 1
        self._reference, self._capture = self._reference[:, used:], self._capture[:, used:]

    def is_usable(self, first_frame: int, end_frame: int) -> bool:
        """Return whether the tone rang steadily in the room during all of these frames of the capture.

        Parameters
        ----------
        first_frame, end_frame : int
            The sound card's frames, already processed, that a decision rests on, filters included.
        """
        if not self.is_known:
            return True
        late = self._longest_lag if self.lag_frames is None else self.lag_frames
        early = 0 if self.lag_frames is None else self.lag_frames
        spans = list(self._spans)
        if self._steady_since is not None:
            spans.append((self._steady_since, end_frame))
        return any(
            since + late + self._settle <= first_frame and end_frame <= until + early
            for since, until in spans
        )

    def _amplitudes(self, sound: Block) -> NDArray[np.float32]:
        """Return the carriers' peaks together in each cell, of the channel that has most of them."""
        cells = sound.reshape(len(sound), -1, self._cell)
        amplitudes: NDArray[np.float32] = np.abs(cells @ self._probes).sum(axis=2).max(axis=0)
        return amplitudes

    def _take(self, frame: int, played: float, heard: float) -> None:
        """Move by one cell, of which ``frame`` is the first."""
        was_on, before = self._levels[0] >= _LEAST_LEVEL, self._levels[1]
        is_on = played >= _LEAST_LEVEL
        is_steady = is_on and abs(played - self._levels[0]) <= _STEADY_RATIO * played
        if is_on and not was_on:
            self._rose_at, self._before = frame, before
        if is_steady and self._steady_since is None:
            self._steady_since = frame
        elif not is_steady and self._steady_since is not None:
            self._spans.append((self._steady_since, frame))
            self._steady_since = None
        if self._steady_since is not None and frame - self._steady_since >= _SURE_CELLS * self._cell:
            self.is_known = True
        self._measure_lag(frame, heard)
        self._levels = (played, heard)

    def _measure_lag(self, frame: int, heard: float) -> None:
        """Compare when the tone rose in the reference and at the microphones."""
        if self._rose_at is None:
            return
        if heard > max(_RISE_RATIO * self._before, _LEAST_LEVEL / 10):
            self.lag_frames = max(0, frame - self._rose_at)
            self._rose_at = None
        elif frame - self._rose_at > self._longest_lag:
            self._rose_at = None

"""Take out what all microphones share: drift, jitter, and most of what the loudspeaker distorts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sensing.ultrasound.demodulator import Baseband

TICK_SECONDS = 0.05
TAU_SECONDS = 20.0
"""Time constant of the carrier estimate: a person's echo averages out, warming air does not."""

_PHASOR_SECONDS = 0.2
"""Two sound cards' clocks differ by up to 1 Hz at the carrier; faster changes are motion."""
_READY_TICKS = 5
_FREEZE_AFTER_TICKS = 40
_MOTION_RATIO = 4.0
_FLOOR_RISE = 1.005
"""Growth of the motion floor a tick (0.4 dB a second): a room that became noisier is believed in time."""
DEAD_RATIO = 0.03
"""A microphone that hears so much less of the carrier than the best one hears nothing."""
_TINY = 1e-12


class CarrierNull:
    """Divide each microphone by its own carrier and subtract one of them from the others.

    All distortion leaves one loudspeaker, so it reaches each microphone m with the carrier's own static
    signature g_m; an echo of something that moves has another. With ``z_m = y_m / g_m`` the differences
    ``z_m - z_0`` lose what is common, amplitude and phase, however it came about. A single microphone
    (or the only one that hears the carrier) gives ``z_0 - 1``.

    Parameters
    ----------
    microphones : int
        At least one.
    baseband_hz : float
        Rate of the baseband.
    lead_frames : int
        How much shorter the first tick is.

    Attributes
    ----------
    tick_frames : int
        The estimate moves once in so many frames, counted from the last reset.
    is_ready : bool
        Whether the carrier is known; true 0.3 s after a reset.

    Notes
    -----
    The estimate is a mean over all that was heard until 20 s are full, then an exponential average of 20 s.
    It stands still while the differences are 6 dB above their floor, that is while something moves.
    """

    def __init__(self, *, microphones: int, baseband_hz: float, lead_frames: int = 0) -> None:
        self._lead = lead_frames
        self.tick_frames = round(TICK_SECONDS * baseband_hz)
        self.channels = max(1, microphones - 1)
        self._microphones = microphones
        self._longest = round(TAU_SECONDS / TICK_SECONDS)
        self._pole = math.exp(-self.tick_frames / (_PHASOR_SECONDS * baseband_hz))
        self.reset()

    def reset(self) -> None:
        """Forget the carrier, as after a gap in the audio."""
        self.is_ready = False
        self._carrier = np.ones(self._microphones, np.complex64)
        self._previous = self._carrier.copy()
        self._phasor = self._next_phasor = np.complex64(1.0)
        self._sum = np.zeros(self._microphones, np.complex128)
        self._difference_power = 0.0
        self._position = self._lead
        self._ticks = -1  # the first tick holds the demodulator's own ringing
        self._floor = math.inf
        self._reference = 0
        self._is_alive = np.ones(self._microphones, bool)

    @property
    def levels(self) -> NDArray[np.float32]:
        """Amplitude of the carrier at each microphone, shape ``(microphones,)``."""
        levels: NDArray[np.float32] = np.abs(self._carrier).astype(np.float32)
        return levels

    @property
    def is_alive(self) -> NDArray[np.bool_]:
        """Which microphones hear the carrier, shape ``(microphones,)``."""
        return self._is_alive

    @property
    def others(self) -> NDArray[np.intp]:
        """The microphone of each channel that is compared with the reference, shape ``(channels,)``."""
        return np.delete(np.arange(self._microphones), self._reference)

    @property
    def reference(self) -> int:
        """The microphone that is subtracted from the others."""
        return self._reference

    def process(self, baseband: Baseband) -> tuple[Baseband, Baseband, Baseband]:
        """Return the differences, what one microphone hears by itself, and the carrier they are relative to.

        Parameters
        ----------
        baseband : Baseband
            Shape ``(microphones, frames)``; it must not reach over the end of a tick.

        Returns
        -------
        differences : Baseband
            Shape ``(channels, frames)``; zero before `is_ready`.
        alone : Baseband
            Shape ``(1, frames)``: ``z_0 - 1``.
        steady : Baseband
            Shape ``(microphones, frames)``: the carrier alone, as it turns and swells.
        """
        frames = baseband.shape[1]
        ramp = (self._position + np.arange(frames, dtype=np.float32)) / np.float32(self.tick_frames)
        phasor = self._phasor + (self._next_phasor - self._phasor) * ramp
        # the carrier moves along a straight line within a tick: a step would be a click in all bands
        carrier = self._previous[:, None] + (self._carrier - self._previous)[:, None] * ramp
        turned = baseband / phasor
        steady = (carrier * phasor).astype(np.complex64)
        ratio = (turned / carrier).astype(np.complex64)
        differences, alone = self._differences(ratio)
        self._sum += turned.sum(axis=1)
        self._difference_power += float((np.abs(differences) ** 2).mean(axis=0).sum())
        self._position += frames
        if self._position >= self.tick_frames:
            self._end_tick()
        return differences, alone, steady

    def _differences(self, ratio: Baseband) -> tuple[Baseband, Baseband]:
        alone = ratio[[self._reference]] - np.complex64(1.0)
        if not self.is_ready:
            return np.zeros((self.channels, ratio.shape[1]), np.complex64), np.zeros_like(alone)
        others = self.others
        if len(others) == 0:
            return alone, alone
        # beside a dead microphone the living one stands alone
        differences = np.where(self._is_alive[others, None], ratio[others], 1.0) - ratio[self._reference]
        return differences.astype(np.complex64), alone

    def _end_tick(self) -> None:
        mean = (self._sum / self.tick_frames).astype(np.complex64)
        power = self._difference_power / self.tick_frames
        self._sum[:] = 0
        self._difference_power = 0.0
        self._position = 0
        self._previous = self._carrier.copy()
        self._phasor = self._next_phasor
        self._ticks += 1
        if self._ticks == 0:
            return
        if self.is_ready and not self._is_same(mean):
            self._restart()
        is_moving = self._ticks > _FREEZE_AFTER_TICKS and power > _MOTION_RATIO * self._floor
        if self.is_ready:
            self._follow_phasor(mean)
            self._floor = min(max(power, _TINY), self._floor * _FLOOR_RISE)
        if not is_moving:
            share = 1.0 / min(self._ticks, self._longest)
            self._carrier = (self._carrier + share * (mean - self._carrier)).astype(np.complex64)
        if not self.is_ready and self._ticks >= _READY_TICKS:
            self.is_ready = True
            self._previous = self._carrier.copy()
            self._reference = int(np.argmax(np.abs(self._carrier)))
        self._carrier = np.where(np.abs(self._carrier) < _TINY, np.complex64(_TINY), self._carrier)
        self._watch_microphones()

    def _is_same(self, mean: NDArray[np.complex64]) -> bool:
        """Return whether this tick's carrier is within 20 dB of the estimate: not gone, not just come."""
        now = abs(complex(mean[self._reference]))
        usual = abs(complex(self._carrier[self._reference]))
        return 0.1 * usual < now < 10 * usual

    def _restart(self) -> None:
        """Estimate a carrier that stopped or began anew, from this tick on."""
        self.is_ready = False
        self._ticks = 1
        self._floor = math.inf
        self._phasor = self._next_phasor = np.complex64(1.0)

    def _follow_phasor(self, mean: NDArray[np.complex64]) -> None:
        """Turn with what all microphones turn by: clocks that drift, a converter that warms up."""
        power = max(float((np.abs(self._carrier) ** 2).sum()), _TINY**2)
        turn = complex((np.conj(self._carrier) * mean).sum() / power)
        step = 1 + (1 - self._pole) * (turn - 1)
        moved = complex(self._next_phasor) * step
        # a carrier that is gone must not become a division by zero
        self._next_phasor = np.complex64(moved if 0.05 < abs(moved) < 20 else 1.0)

    def _watch_microphones(self) -> None:
        levels = self.levels
        if levels[self._reference] < DEAD_RATIO * levels.max():
            self._reference = int(np.argmax(levels))
        self._is_alive = levels >= DEAD_RATIO * levels.max()

"""The sound card: what it does to what arrives, in the baseband and on samples."""

from __future__ import annotations

import math
from bisect import bisect

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import Block
from sensing.simulation.baseband.cast import chance_of
from sensing.simulation.baseband.port import Phasors
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_faults import Clipping, DeadMicrophone, Dropouts


class Card:
    """Gain and clipping, dead microphones, quantisation, dropouts, in this order.

    Attributes
    ----------
    dropouts : list of (at, samples, fill)
        Every dropout of the scene: second, length in samples of the card, ``zero`` or ``repeat``.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._dead = [fault for fault in scene.faults if isinstance(fault, DeadMicrophone)]
        self._clipping = [fault for fault in scene.faults if isinstance(fault, Clipping)]
        self.dropouts = sorted(
            dropout
            for number, fault in enumerate(scene.faults)
            if isinstance(fault, Dropouts)
            for dropout in _drawn(fault, scene, chance_of(scene, "dropouts", number))
        )
        self._noise = chance_of(scene, "quantisation")
        self._before = np.zeros((scene.hub.microphones, 0), np.complex64)

    def process(self, first: int, arriving: Phasors) -> Phasors:
        """Return the baseband that the card's samples would give, shape ``(microphones, n)``.

        Clipping acts on the carrier by its describing function; quantisation is white noise of a twelfth
        of a step squared.
        """
        scene = self._scene
        rate_hz = scene.baseband_hz
        seconds = (first + np.arange(arriving.shape[1])) / rate_hz
        captured = arriving.copy()
        for fault in self._clipping:
            now = _active(fault.at, fault.until, seconds)
            captured[:, now] = _clipped(captured[:, now] * np.float32(10 ** (fault.gain_db / 20)))
        for dead in self._dead:
            if dead.microphone < len(captured):
                captured[dead.microphone, _active(dead.at, dead.until, seconds)] = 0
        step = 2.0 ** (1 - scene.clocks.bits)
        # noise of step^2/12 over half the rate, one-sided; the complex baseband has twice its density
        deviation = step * math.sqrt(2 / 12 * rate_hz / (scene.rate_hz / 2) / 2)
        noise = self._noise.standard_normal((*captured.shape, 2), dtype=np.float32)
        noise *= np.float32(deviation)
        captured += noise.view(np.complex64)[..., 0]
        return self._dropped(first, captured)

    def samples(self, capture: Block) -> Block:
        """Return the card's samples of a whole scene: clipped, quantised, with hard-edged dropouts.

        Parameters
        ----------
        capture : Block
            Shape ``(microphones, frames)``, full scale 1.
        """
        scene = self._scene
        seconds = np.arange(capture.shape[1]) / scene.rate_hz
        for fault in self._clipping:
            capture[:, _active(fault.at, fault.until, seconds)] *= np.float32(10 ** (fault.gain_db / 20))
        for dead in self._dead:
            if dead.microphone < len(capture):
                capture[dead.microphone, _active(dead.at, dead.until, seconds)] = 0
        steps = np.float32(2.0 ** (scene.clocks.bits - 1))
        np.clip(np.round(capture * steps), -steps, steps - 1, out=capture)
        capture /= steps
        for at, samples, fill in self.dropouts:
            first = round(at * scene.rate_hz)
            end = min(first + samples, capture.shape[1])
            if fill == "zero" or first < samples:
                capture[:, first:end] = 0
            else:
                capture[:, first:end] = capture[:, first - samples : end - samples].copy()
        return capture

    def _dropped(self, first: int, captured: Phasors) -> Phasors:
        """Return the frames with dropouts; a repeated piece jumps by the carrier's phase in between."""
        scene = self._scene
        past = self._before.shape[1]
        whole = np.concatenate([self._before, captured], axis=1)
        longest = max((samples for _, samples, _ in self.dropouts), default=0) / scene.rate_hz
        since, until = _seconds_of(first, scene) - longest - 1, _seconds_of(first + captured.shape[1], scene)
        low_number, high_number = bisect(self.dropouts, (since,)), bisect(self.dropouts, (until,))
        for at, samples, fill in self.dropouts[low_number:high_number]:
            begin = round(at * scene.baseband_hz) - first
            frames = max(1, round(samples / scene.rate_hz * scene.baseband_hz))
            low, high = max(begin, 0), min(begin + frames, captured.shape[1])
            if low >= high:
                continue
            if fill == "zero" or past + low < frames:
                whole[:, past + low : past + high] = 0
            else:
                turn = np.exp(-2j * math.pi * scene.carrier_hz * samples / scene.rate_hz)
                piece = whole[:, past + low - frames : past + high - frames].copy()
                whole[:, past + low : past + high] = piece * np.complex64(turn)
        self._before = whole[:, past:][:, -2 * scene.baseband_hz :]
        return whole[:, past:]


def _seconds_of(frame: int, scene: Scene) -> float:
    return frame / scene.baseband_hz


def _drawn(fault: Dropouts, scene: Scene, chance: np.random.Generator) -> list[tuple[float, int, str]]:
    until = scene.seconds if fault.until is None else min(fault.until, scene.seconds)
    count = chance.poisson(fault.per_minute * max(until - fault.at, 0) / 60)
    times = chance.uniform(fault.at, max(until, fault.at), count)
    return [(float(at), fault.samples, fault.fill) for at in times]


def _active(at: float, until: float | None, seconds: Array) -> NDArray[np.bool_]:
    active: NDArray[np.bool_] = (seconds >= at) & (seconds < (math.inf if until is None else until))
    return active


def _clipped(phasors: Phasors) -> Phasors:
    """Return the fundamental of clipped sines: ``2/pi (a asin(1/a) + sqrt(1 - 1/a^2))`` for a > 1."""
    amplitude = np.abs(phasors)
    over = np.maximum(amplitude, 1.0)
    left = 2 / math.pi * (over * np.arcsin(1 / over) + np.sqrt(1 - 1 / over**2))
    clipped: Phasors = np.where(amplitude > 1, phasors * (left / over), phasors).astype(np.complex64)
    return clipped

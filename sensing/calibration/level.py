"""How loud the carrier must be: from low upwards, until it is enough or something forbids more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from sensing.audio_block import AudioBlock, Block
from sensing.calibration.interferers import Listening
from sensing.calibration.link_budget import SEEN_DB
from sensing.errors import CannotCalibrate

STEP_DB = 2.0
START_BELOW_CAP_DB = 20.0
PAIR_APART_HZ = 300.0
MAX_PRODUCT_DBC = -50.0
MAX_COMPRESSION_DB = 1.0

_TONE_SECONDS = 0.4
_FADE_SECONDS = 0.05
_SETTLED_SECONDS = 0.1
_MEASURED_SECONDS = 0.25
_TAIL_SECONDS = 0.1
_CLEAR_DB = 10.0
"""A product counts when it stands so far above the noise of the room: noise does once in 22,000 times."""
_COMPARABLE_DB = 26.0
"""Noise so far below a tone changes its level by half a decibel at most."""

Limit = Literal["enough", "cap", "distortion", "compression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelStep:
    """One step of the search.

    ``product_dbc`` is the strongest distortion product over the tones, None when it drowns in noise;
    ``snr_db`` the estimate for somebody who walks at the range asked for.
    """

    peak: float
    snr_db: float
    compression_db: float
    product_dbc: float | None

    @property
    def fault(self) -> Limit | None:
        """Return why the hardware forbids this level, None when it does not."""
        if self.product_dbc is not None and self.product_dbc > MAX_PRODUCT_DBC:
            return "distortion"
        return "compression" if self.compression_db > MAX_COMPRESSION_DB else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierLevel:
    """The peak in full scale that was found, why it is not higher, and every step on the way."""

    peak: float
    limit: Limit
    snr_db: float
    steps: tuple[LevelStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TonePair:
    """The carrier and a tone 300 Hz beside it, together as high as the carrier alone will be.

    Two tones show distortion at any rate: its third order lies beside them, where harmonics of ultrasound
    lie beyond what a card of 48 or 96 kHz can capture.

    Parameters
    ----------
    beside_hz : float
        The other tone, `PAIR_APART_HZ` above or below.
    """

    carrier_hz: float
    beside_hz: float
    rate_hz: int

    @property
    def products_hz(self) -> tuple[float, ...]:
        """Third-order products and second harmonics that the card can capture."""
        third = (2 * self.carrier_hz - self.beside_hz, 2 * self.beside_hz - self.carrier_hz)
        second = (2 * self.carrier_hz, 2 * self.beside_hz)
        return tuple(hz for hz in third + second if hz < 0.49 * self.rate_hz)

    def sound(self, peak: float, *, delay_frames: float) -> Block:
        """Return both tones and the silence in which their end arrives, shape ``(1, frames)``."""
        frames = round(_TONE_SECONDS * self.rate_hz)
        seconds = np.arange(frames) / self.rate_hz
        fade = round(_FADE_SECONDS * self.rate_hz)
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
        envelope = np.ones(frames)
        envelope[:fade], envelope[-fade:] = ramp, ramp[::-1]
        turns = 2 * math.pi * seconds
        tones = np.sin(turns * self.carrier_hz) + np.sin(turns * self.beside_hz)
        silence = np.zeros(math.ceil(delay_frames) + round(_TAIL_SECONDS * self.rate_hz))
        return np.concatenate([0.5 * peak * envelope * tones, silence]).astype(np.float32)[None]


class LevelMeter:
    """Read the tones of a pair, their products and the noise from what was heard.

    Parameters
    ----------
    microphones : list of int
        Those that hear the loudspeaker.
    delay_frames : float
        Delay of the direct sound.
    """

    def __init__(
        self, pair: TonePair, listening: Listening, *, microphones: list[int], delay_frames: float
    ) -> None:
        self._pair, self._listening = pair, listening
        self._microphones = microphones
        self._first = math.ceil(delay_frames) + round(_SETTLED_SECONDS * pair.rate_hz)
        frames = round(_MEASURED_SECONDS * pair.rate_hz)
        self._window = get_window("blackmanharris", frames)
        self._bandwidth_hz = pair.rate_hz * np.square(self._window).sum() / self._window.sum() ** 2

    def tone_db(self, heard: AudioBlock) -> NDArray[np.float64]:
        """Return the level of the carrier at each microphone, dBFS; NaN where noise disturbs it."""
        level_db = self._level_db(heard, self._pair.carrier_hz)
        is_clear = level_db > self._noise_db(self._pair.carrier_hz) + _COMPARABLE_DB
        return np.where(is_clear, level_db, np.nan)

    def product_dbc(self, heard: AudioBlock) -> float | None:
        """Return the strongest product over the weaker tone on any microphone, None when all are noise."""
        tone_db = np.minimum(
            self._level_db(heard, self._pair.carrier_hz), self._level_db(heard, self._pair.beside_hz)
        )
        seen: list[float] = []
        for hz in self._pair.products_hz:
            level_db = self._level_db(heard, hz)
            is_clear = level_db > self._noise_db(hz) + _CLEAR_DB
            seen += (level_db - tone_db)[is_clear].tolist()
        return max(seen, default=None)

    def _level_db(self, heard: AudioBlock, hz: float) -> NDArray[np.float64]:
        frames = len(self._window)
        turn = np.exp(-2j * math.pi * hz / self._pair.rate_hz * np.arange(frames)) * self._window
        piece = heard.capture[self._microphones, self._first : self._first + frames]
        amplitude = 2 * np.abs(piece @ turn) / self._window.sum()
        level_db: NDArray[np.float64] = 20 * np.log10(np.maximum(amplitude, 1e-10))
        return level_db

    def _noise_db(self, hz: float) -> NDArray[np.float64]:
        around = self._listening.noise_around(np.array([hz]), 50.0)[self._microphones, 0]
        return around + 10 * math.log10(self._bandwidth_hz)


def find_level(
    play: Callable[[float], AudioBlock],
    meter: LevelMeter,
    *,
    cap_peak: float,
    full_scale_snr_db: float,
) -> CarrierLevel:
    """Raise the level by 2 dB from 20 dB below the cap until it is enough, or the hardware gives in.

    Parameters
    ----------
    play : callable
        Plays a `TonePair` of a peak and returns what was heard; never called with more than ``cap_peak``.
    cap_peak : float
        Highest peak allowed, in full scale.
    full_scale_snr_db : float
        Estimated echo over noise at the range asked for, of a carrier of full scale.

    Raises
    ------
    CannotCalibrate
        Even the lowest level is distorted.
    """
    steps: list[LevelStep] = []
    usual_db: NDArray[np.float64] | float = math.nan
    peak = cap_peak * 10 ** (-START_BELOW_CAP_DB / 20)
    while True:
        heard = play(peak)
        gain_db = meter.tone_db(heard) - 20 * math.log10(peak)
        usual_db = np.where(np.isnan(usual_db), gain_db, usual_db)
        lost_db = float(np.nanmax([0.0, *(usual_db - gain_db)]))
        step = LevelStep(
            peak=peak,
            snr_db=full_scale_snr_db + 20 * math.log10(peak) - lost_db,
            compression_db=lost_db,
            product_dbc=meter.product_dbc(heard),
        )
        steps.append(step)
        if step.fault is not None:
            return _before(steps, step.fault)
        if step.snr_db >= SEEN_DB or peak >= cap_peak:
            limit: Limit = "enough" if step.snr_db >= SEEN_DB else "cap"
            return CarrierLevel(peak=peak, limit=limit, snr_db=step.snr_db, steps=tuple(steps))
        peak = min(cap_peak, peak * 10 ** (STEP_DB / 20))


def _before(steps: list[LevelStep], fault: Limit) -> CarrierLevel:
    """Return the last level that was still clean."""
    if len(steps) == 1:
        raise CannotCalibrate(
            f"the loudspeaker distorts at {20 * math.log10(steps[0].peak):.0f} dBFS already; turn its own "
            "volume down and the system's up, or switch off its sound effects"
        )
    clean = steps[-2]
    return CarrierLevel(peak=clean.peak, limit=fault, snr_db=clean.snr_db, steps=tuple(steps))

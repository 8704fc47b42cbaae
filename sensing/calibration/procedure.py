"""The whole calibration, on whatever can play and record."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from sensing.audio_block import AudioBlock, Block
from sensing.calibration.band import GRID_HZ, Band, usable_band
from sensing.calibration.calibration import EMITTING_SPEAKER, Calibration, Hardware, KeptPath, Wishes
from sensing.calibration.caps import NEAREST_EAR_M, EmissionCaps, MeasuredLoudspeaker
from sensing.calibration.carrier_choice import CarrierChoice, choose_carrier, noise_at
from sensing.calibration.interferers import LISTEN_SECONDS, Listening, find_interferers, listen
from sensing.calibration.level import PAIR_APART_HZ, CarrierLevel, LevelMeter, TonePair, find_level
from sensing.calibration.response import PathResponse, measure_responses
from sensing.calibration.sweep import SWEEP_SECONDS, TAIL_SECONDS, linear_sweep, sweep_peak
from sensing.errors import CannotCalibrate

Play = Callable[[Block], AudioBlock]
"""Plays a block of shape ``(speakers, frames)`` and returns these frames as played and as heard."""

_SENSITIVITY_DB_SPL = 94.0
_RIPPLE_HZ = 400.0
_LEVEL_STEPS = 11
_LEVEL_STEP_SECONDS = 1.0


def longest_seconds(speakers: int) -> float:
    """Return how long a calibration lasts at most, about, for a progress bar."""
    return LISTEN_SECONDS + speakers * (SWEEP_SECONDS + TAIL_SECONDS) + _LEVEL_STEPS * _LEVEL_STEP_SECONDS


def calibrate(play: Play, hardware: Hardware, wishes: Wishes, *, at: datetime) -> Calibration:
    """Listen, sweep every loudspeaker, choose a carrier and find its level.

    Nothing louder than the caps is ever played: the sweep stays below those of a loudspeaker that is only
    assumed, the level search below those of what the sweep has measured.

    Parameters
    ----------
    at : datetime
        When this is done, with its time zone.

    Raises
    ------
    CannotCalibrate
        The room is too loud, nothing comes back, or the card cannot carry what is allowed.
    """
    if (wishes.microphone_dbfs is None) != (wishes.microphone_m is None):
        raise CannotCalibrate(
            "a microphone of known sensitivity needs its level at 94 dB SPL and its distance from the "
            "loudspeaker; give both, or neither"
        )
    assumed = EmissionCaps(has_pets=wishes.has_pets, allows_audible=wishes.allows_audible)
    band = usable_band(hardware.rate_hz, assumed)
    silence = np.zeros((hardware.speakers, round(LISTEN_SECONDS * hardware.rate_hz)), np.float32)
    listening = listen(play(silence).capture, hardware.rate_hz)
    interferers = find_interferers(listening, low_hz=band.low_hz - 500, high_hz=band.high_hz + 500)
    paths = _sweep_all(play, hardware, band, sweep_peak(band, assumed))
    own = [path for path in paths if path.speaker == EMITTING_SPEAKER]
    caps = _caps(assumed, wishes, own, band)
    choice = choose_carrier(own, listening, interferers, band=band, caps=caps, range_m=wishes.range_m)
    level = _level(play, hardware, choice, band, caps, listening, own)
    cap_db_spl = caps.cap_db_spl(choice.carrier_hz)
    assert cap_db_spl is not None  # the band holds only what may be emitted
    return Calibration(
        at=at,
        hardware=hardware,
        wishes=wishes,
        carrier_hz=choice.carrier_hz,
        second_carrier_hz=choice.second_hz,
        level=level.peak,
        limit=level.limit,
        snr_db=level.snr_db,
        loopback_delay_frames=_delay_frames(own),
        db_spl=caps.full_scale_db_spl(choice.carrier_hz) + 20 * math.log10(level.peak),
        cap_db_spl=cap_db_spl,
        is_measured=caps.loudspeaker is not None,
        interferers=tuple(interferers),
        steps=level.steps,
        hz=tuple(choice.hz.tolist()),
        noise_db_hz=tuple(_rounded(one) for one in noise_at(listening, choice.hz)),
        paths=tuple(_kept(path) for path in paths),
        score_db=tuple(round(one, 2) if math.isfinite(one) else None for one in choice.score_db.tolist()),
    )


def _sweep_all(play: Play, hardware: Hardware, band: Band, peak: float) -> Sequence[PathResponse]:
    """Return the responses of all loudspeakers, each swept alone."""
    sweep = linear_sweep(band, rate_hz=hardware.rate_hz, peak=peak)
    paths: list[PathResponse] = []
    for speaker in range(hardware.speakers):
        sound = np.zeros((hardware.speakers, sweep.shape[1]), np.float32)
        sound[speaker] = sweep[0]
        paths += measure_responses(play(sound), speaker=speaker, band=band)
    return paths


def _caps(assumed: EmissionCaps, wishes: Wishes, paths: Sequence[PathResponse], band: Band) -> EmissionCaps:
    """Return the caps of what a microphone of known sensitivity measured, if there is one.

    The loudest microphone and the loudest frequency within 200 Hz count.
    """
    heard = [path.gain_db for path in paths if path.is_heard]
    if wishes.microphone_dbfs is None or wishes.microphone_m is None or not heard:
        return assumed
    at_microphone_db = _SENSITIVITY_DB_SPL - wishes.microphone_dbfs + np.max(heard, axis=0)
    at_ear_db = at_microphone_db + 20 * math.log10(wishes.microphone_m / NEAREST_EAR_M)
    loudest_db = maximum_filter1d(at_ear_db, round(_RIPPLE_HZ / GRID_HZ) | 1, mode="nearest")
    return EmissionCaps(
        has_pets=assumed.has_pets,
        allows_audible=assumed.allows_audible,
        loudspeaker=MeasuredLoudspeaker(hz=band.grid_hz.tolist(), db_spl=loudest_db.tolist()),
    )


def _level(
    play: Play,
    hardware: Hardware,
    choice: CarrierChoice,
    band: Band,
    caps: EmissionCaps,
    listening: Listening,
    paths: Sequence[PathResponse],
) -> CarrierLevel:
    """Return the level of the chosen carrier."""
    beside_hz = _beside(choice.carrier_hz, band, caps)
    pair = TonePair(carrier_hz=choice.carrier_hz, beside_hz=beside_hz, rate_hz=hardware.rate_hz)
    delay_frames = max(path.delay_frames for path in paths if path.is_heard)

    def play_pair(peak: float) -> AudioBlock:
        tones = pair.sound(peak, delay_frames=delay_frames)
        sound = np.zeros((hardware.speakers, tones.shape[1]), np.float32)
        sound[EMITTING_SPEAKER] = tones[0]
        return play(sound)

    microphones = [path.microphone for path in paths if path.is_heard]
    return find_level(
        play_pair,
        LevelMeter(pair, listening, microphones=microphones, delay_frames=delay_frames),
        # each tone of the pair has half its peak
        cap_peak=min(caps.peak(pair.carrier_hz), 2 * caps.peak(pair.beside_hz)),
        full_scale_snr_db=choice.snr_at(choice.carrier_hz, 1.0),
    )


def _beside(carrier_hz: float, band: Band, caps: EmissionCaps) -> float:
    """Return where the second tone of the level search goes: inside the band, where more is allowed."""
    sides = (carrier_hz - PAIR_APART_HZ, carrier_hz + PAIR_APART_HZ)
    return max((hz for hz in sides if band.low_hz <= hz <= band.high_hz), key=caps.peak)


def _delay_frames(paths: Sequence[PathResponse]) -> float:
    return next(path.delay_frames for path in paths if path.is_heard)


def _kept(path: PathResponse) -> KeptPath:
    return KeptPath(
        speaker=path.speaker,
        microphone=path.microphone,
        is_heard=path.is_heard,
        delay_frames=round(path.delay_frames, 3),
        peak_to_noise_db=round(path.peak_to_noise_db, 1),
        gain_db=_rounded(path.gain_db),
        late_db=_rounded(path.late_db),
    )


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(one, 2) for one in values.tolist())

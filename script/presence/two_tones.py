"""Whether two tones, each half as strong, see entries sooner than one: the same scenes heard both ways."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.signal import firwin, resample_poly, upfirdn

from script.journal import Batch, Row
from script.presence.entries import WITHIN_SECONDS
from script.presence.intervals import wilson_interval
from script.presence.scenes import AFTER_ENTRY_SECONDS, CARRIER_HZ, LEVEL_DB, MICROPHONES, Entry, entry
from script.presence.watchers import Heard, HubWatcher, told_at
from sensing.simulation.baseband.scene import Scene
from sensing.training.presence_trial import rendered_pieces
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import HOP_SECONDS, WINDOW_SECONDS, DopplerFrame
from sensing.ultrasound.emitter import LEAST_APART_HZ, MOST_APART_HZ
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.playback_reference import Playback
from sensing.ultrasound.tone_chain import ToneChain
from sensing.ultrasound.tone_join import ToneJoin

KINDS = ("quiet", "fan", "music")
LEVELS_DB = (LEVEL_DB, 58.0)
"""As calibrated, and what a small loudspeaker or a cupboard leaves of it; music as calibrated only."""

_SILENT_DB = -40.0
"""Noise of the rendered tones: that of the microphones is added once, to both together."""
_WIDE = 2
_TAPS = 51
"""At 2 kHz the demodulator's 80 dB from its pass band to its stop band."""


def measure(batch: Batch) -> list[Row]:
    """Return for each scene, number of microphones and level how late one tone and two tell the entry."""
    rows: list[Row] = []
    for number in batch.numbers:
        one = entry(number, batch.kind)
        carriers_hz = one.scene.carrier_hz, second_carrier_hz(one.scene)
        tones, playback = zip(*(rendered(one.scene, hz) for hz in carriers_hz), strict=True)
        noise = microphone_noise(one.scene)
        for level_db in LEVELS_DB[: 1 if batch.kind == "music" else None]:
            gain = 10 ** ((level_db - one.scene.level_db) / 20)
            single = noise + gain * _wide(one.scene, tones[:1], carriers_hz)
            both = noise + gain / math.sqrt(2) * _wide(one.scene, tones, carriers_hz)
            rows += [
                {
                    "watcher": f"microphones: {microphones}, {level_db:.0f} dB",
                    "kind": batch.kind,
                    "distance_m": one.distance_m,
                    "one": _late(one, batch, single[:microphones], playback[0], carriers_hz[:1]),
                    "two": _late(one, batch, both[:microphones], playback[0], carriers_hz),
                }
                for microphones in range(1, MICROPHONES + 1)
            ]
    return rows


def second_carrier_hz(scene: Scene) -> float:
    """Return another carrier of the band that is calibrated for, as far away as two tones may be."""
    chance = np.random.default_rng([scene.seed, 75])
    while True:
        hz = float(chance.uniform(*CARRIER_HZ))
        if LEAST_APART_HZ <= abs(hz - scene.carrier_hz) <= MOST_APART_HZ:
            return hz


def rendered(scene: Scene, carrier_hz: float) -> tuple[Baseband, Playback | None]:
    """Return what the scene's microphones hear of one tone, without their noise, and the music if any is.

    The seed is the same, so people, walls and nuisances are; wavelength, absorption by the air and the
    loudspeaker's gain are those of the carrier. The late diffuse field has the same phases at all carriers,
    which makes two tones more alike than they are.
    """
    hub = scene.hub.model_copy(update={"noise_db": _SILENT_DB})
    alone = scene.model_copy(update={"carrier_hz": carrier_hz, "hub": hub})
    heard, played = zip(*rendered_pieces(alone), strict=True)
    music = [piece for piece in played if piece is not None]
    return np.concatenate(heard, axis=1), np.concatenate(music) if music else None


def microphone_noise(scene: Scene) -> Baseband:
    """Return the noise of the microphones around the first carrier, at twice the rate of the baseband."""
    rate_hz = _WIDE * scene.baseband_hz
    density = 10 ** ((scene.hub.noise_db - scene.hub.full_scale_db) / 10)
    chance = np.random.default_rng([scene.seed, 76])
    parts = chance.standard_normal((2, scene.hub.microphones, _WIDE * scene.frames))
    noise: Baseband = (math.sqrt(density * rate_hz / 2) * (parts[0] + 1j * parts[1])).astype(np.complex64)
    return noise


def _wide(scene: Scene, tones: Sequence[Baseband], carriers_hz: Sequence[float]) -> Baseband:
    """Return tones around the first carrier, at twice their rate."""
    wide = [
        resample_poly(tone, _WIDE, 1, axis=1) * _turn(scene, hz - carriers_hz[0])
        for tone, hz in zip(tones, carriers_hz, strict=False)
    ]
    together: Baseband = np.sum(wide, axis=0, dtype=np.complex64)
    return together


def _late(
    one: Entry, batch: Batch, wide: Baseband, playback: Playback | None, carriers_hz: Sequence[float]
) -> float | None:
    """Return how many seconds after the first step the hub tells of the entry; None for never."""
    hops = [_hops(one.scene, wide, playback, hz, carriers_hz) for hz in carriers_hz]
    join = ToneJoin(carriers_hz)
    watcher = HubWatcher(MotionNetwork(batch.model))
    watcher.process(Heard(baseband=wide, frames=[join.process(tones) for tones in zip(*hops, strict=True)]))
    watched = watcher.watched(round((one.scene.seconds - WINDOW_SECONDS) / HOP_SECONDS) + 1)
    begins = [told_at(int(hop)) - one.at for hop in watched.begins]
    return min((late for late in begins if 0 < late <= AFTER_ENTRY_SECONDS), default=None)


def _hops(
    scene: Scene, wide: Baseband, playback: Playback | None, hz: float, carriers_hz: Sequence[float]
) -> list[DopplerFrame]:
    """Return what is made of one tone beside the others."""
    others_hz = [other for other in carriers_hz if other != hz]
    chain = ToneChain(carrier_hz=hz, others_hz=others_hz, rate_hz=scene.rate_hz, microphones=len(wide))
    taps = firwin(_TAPS, scene.baseband_hz / 2, window=("kaiser", 7.857), fs=_WIDE * scene.baseband_hz)
    mixed = wide * _turn(scene, carriers_hz[0] - hz)
    baseband = upfirdn(taps, mixed, down=_WIDE, axis=1)[:, : scene.frames].astype(np.complex64)
    return chain.process(chain.without_others(baseband), playback)


def _turn(scene: Scene, hz: float) -> Baseband:
    """Return a turn by some hertz at twice the rate of the baseband, shape ``(2 * frames,)``."""
    seconds = np.arange(_WIDE * scene.frames) / (_WIDE * scene.baseband_hz)
    turn: Baseband = np.exp(2j * math.pi * hz * seconds).astype(np.complex64)
    return turn


def summary(rows: Sequence[Row]) -> Row:
    """Return the share of entries told within a second by one tone and by two, and in which they differ."""
    found: Row = {"entries": len(rows)}
    told = {way: np.array([_in_time(row[way]) for row in rows]) for way in ("one", "two")}
    for way, in_time in told.items():
        low, high = wilson_interval(int(in_time.sum()), len(rows))
        found |= {way: float(in_time.mean()), f"{way}_low": low, f"{way}_high": high}
    found["only_one"] = int((told["one"] & ~told["two"]).sum())
    found["only_two"] = int((told["two"] & ~told["one"]).sum())
    return found


def _in_time(late: float | str | bool | None) -> bool:
    return isinstance(late, float) and late <= WITHIN_SECONDS

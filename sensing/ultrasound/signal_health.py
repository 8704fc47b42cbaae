"""Whether what the microphones deliver can be believed at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import AudioBlock, Block
from sensing.ultrasound.carrier import find_carrier
from sensing.ultrasound.repeats import RepeatFinder

Fault = Literal[
    "not_a_number", "silence", "clipped", "limited", "dead_microphone", "dropouts", "repeats", "wrong_rate"
]

PIECE_SECONDS = 0.5
CLIPPED_SHARE = 1e-3
"""More samples than this are as loud as the loudest: by chance a handful of 24,000 are."""
FULL_SCALE = 0.999
DEAD_DB = 30.0
DROPOUT_SECONDS = 0.001
RATE_RATIOS = (44_100 / 48_000, 48_000 / 44_100, 0.5, 2.0)

_LEAST_PEAK = 0.05
"""Below -26 dBFS sixteen bits are so coarse that many samples share the loudest value."""
_AUDIBLE = 2e-4
"""Treble of a sound that can be compared, in rms: -74 dBFS, above the noise of a dead input."""
_SILENT = 1e-7
_LINGER_PIECES = 4
_RATE_TOLERANCE = 1e-3
_RATE_PIECES = 10
_CARRIER_GONE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """One thing that is wrong with the sound.

    Attributes
    ----------
    microphone : int or None
        Which one, from 0; None for all.
    is_blinding : bool
        Whether nothing may be concluded about the room while it lasts.
    """

    fault: Fault
    words: str
    hint: str
    microphone: int | None = None
    is_blinding: bool = True


class SignalHealth:
    """Judge raw sound, half a second at a time.

    Parameters
    ----------
    rate_hz : int
        Rate of the blocks.
    microphones : int
        At least one.
    carrier_hz : float or None
        Where the tone ought to be; None where it is not known, then no wrong rate is found.
    second_carrier_hz : float or None
        Another tone beside it; a wrong rate moves both.

    Notes
    -----
    A finding stays for two seconds after it was last seen. The result does not depend on how the stream
    is cut.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        microphones: int,
        carrier_hz: float | None = None,
        second_carrier_hz: float | None = None,
    ) -> None:
        self._rate_hz = rate_hz
        self._microphones = microphones
        self._carrier_hz = carrier_hz
        self._piece_frames = round(PIECE_SECONDS * rate_hz)
        self._dropout_frames = round(DROPOUT_SECONDS * rate_hz)
        carriers_hz = [hz for hz in (carrier_hz, second_carrier_hz) if hz is not None]
        steps = 2 * np.pi / rate_hz * np.outer(np.arange(self._piece_frames), carriers_hz)
        self._probes = (2 / self._piece_frames * np.exp(-1j * steps)).astype(np.complex64)
        self._repeats = RepeatFinder()
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""
        self._pending = np.zeros((self._microphones, 0), np.float32)
        self._last_seen: dict[HealthFinding, int] = {}
        self._dead: tuple[HealthFinding, ...] = ()
        self._pieces = 0
        self._gone_pieces = 0
        self._repeats.reset()

    @property
    def findings(self) -> tuple[HealthFinding, ...]:
        """What is wrong now, empty when nothing is."""
        return tuple(self._last_seen)

    @property
    def blinding(self) -> HealthFinding | None:
        """The first finding with which nothing may be concluded about the room."""
        return next((one for one in self._last_seen if one.is_blinding), None)

    def process(self, block: AudioBlock, *, is_emitting: bool = True) -> bool:
        """Take the next block and return whether the findings changed.

        Parameters
        ----------
        is_emitting : bool
            Whether the tone ought to be heard; without it a missing carrier says nothing.
        """
        self._pending = np.concatenate([self._pending, block.capture], axis=1)
        before = self.findings
        while self._pending.shape[1] >= self._piece_frames:
            piece = self._pending[:, : self._piece_frames]
            self._pending = self._pending[:, self._piece_frames :]
            self._judge(piece, is_emitting)
        return self.findings != before

    def _judge(self, piece: Block, is_emitting: bool) -> None:
        for finding in self._found(piece, is_emitting):
            self._last_seen[finding] = self._pieces
        kept = self._pieces - _LINGER_PIECES
        self._last_seen = {one: seen for one, seen in self._last_seen.items() if seen > kept}
        self._pieces += 1

    def _found(self, piece: Block, is_emitting: bool) -> Sequence[HealthFinding]:
        if not np.isfinite(piece).all():
            return [_NOT_A_NUMBER]
        steps = np.diff(piece, axis=1)
        # the first difference weighs treble and with it the tone: hum alone is no sign of life
        treble = np.sqrt(np.square(steps).mean(axis=1))
        if treble.max() <= _SILENT:
            return [_SILENCE]
        found = [one for mono in piece if (one := _clipping(mono)) is not None]
        is_clipped = bool(found)
        found += self._dead_microphones(treble)
        loudest = int(np.argmax(treble))
        if treble[loudest] >= _AUDIBLE and not is_clipped:  # flat tops stand still and look alike, too
            found += [_DROPOUTS] if _longest_run(steps[loudest] == 0) >= self._dropout_frames else []
            found += [_REPEATS] if self._repeats.process(piece[loudest]) else []
        if self._carrier_hz is not None and is_emitting:
            found += self._wrong_rate(piece[[loudest]], self._carrier_hz)
        return list(dict.fromkeys(found))

    def _dead_microphones(self, treble: NDArray[np.float32]) -> Sequence[HealthFinding]:
        """Return those 30 dB below the best; while all is quiet the last verdict stays."""
        if treble.max() >= _AUDIBLE:
            is_dead = treble < treble.max() * 10 ** (-DEAD_DB / 20)
            self._dead = tuple(_dead_microphone(int(index)) for index in np.flatnonzero(is_dead))
        return self._dead

    def _wrong_rate(self, mono: Block, carrier_hz: float) -> Sequence[HealthFinding]:
        """Look for the tone where another rate would put it, when it is missing where it belongs."""
        is_gone = float(np.abs(mono @ self._probes).max()) < _CARRIER_GONE
        self._gone_pieces = self._gone_pieces + 1 if is_gone else 0
        if not self._gone_pieces:
            return []
        if self._gone_pieces % _RATE_PIECES != 2:  # looking costs 10 ms, and rates do not come and go
            return [one for one in self._last_seen if one.fault == "wrong_rate"]
        for ratio in RATE_RATIOS:
            expected_hz = carrier_hz * ratio
            if expected_hz < self._rate_hz / 2 - 300:
                seen = find_carrier(mono, self._rate_hz, near_hz=expected_hz)
                if seen is not None and abs(seen.hz - expected_hz) < _RATE_TOLERANCE * expected_hz:
                    return [_wrong_rate(carrier_hz, seen.hz, self._rate_hz)]
        return []


def _clipping(mono: NDArray[np.float32]) -> HealthFinding | None:
    """Return a finding when many samples are exactly as loud as the loudest."""
    high, low = float(mono.max()), float(mono.min())
    peak = max(high, -low)
    share = float(((mono == high) | (mono == low)).mean())
    if peak < _LEAST_PEAK or share < CLIPPED_SHARE:
        return None
    return _CLIPPED if peak >= FULL_SCALE else _LIMITED


def _longest_run(is_same: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(~is_same)
    ends = np.concatenate([[-1], edges, [len(is_same)]])
    return int(np.diff(ends).max()) - 1


def _dead_microphone(index: int) -> HealthFinding:
    return HealthFinding(
        fault="dead_microphone",
        words=f"microphone {index + 1} is {DEAD_DB:g} dB quieter than the best, or more",
        hint="Check its cable and opening, or take it out of audio.microphones",
        microphone=index,
        is_blinding=False,
    )


def _wrong_rate(expected_hz: float, seen_hz: float, rate_hz: int) -> HealthFinding:
    true_hz = rate_hz * expected_hz / seen_hz
    return HealthFinding(
        fault="wrong_rate",
        words=f"the tone of {expected_hz:.0f} Hz is heard at {seen_hz:.0f} Hz: "
        f"the sound has about {true_hz:.0f} frames a second, not {rate_hz}",
        hint="Set audio.rate_hz to the card's own rate, or record the file again",
    )


_NOT_A_NUMBER = HealthFinding(
    fault="not_a_number",
    words="the microphones deliver values that are no numbers",
    hint="The driver is broken or the file is damaged: use another card or recording",
)
_SILENCE = HealthFinding(
    fault="silence",
    words="the microphones deliver digital silence",
    hint="They are unplugged, or switched off by hand or in the mixer of the system",
)
_CLIPPED = HealthFinding(
    fault="clipped",
    words="the microphones are overloaded",
    hint="Lower the capture gain in the mixer of the system, or ultrasound.level",
)
_LIMITED = HealthFinding(
    fault="limited",
    words="something cuts the peaks of the microphones below full scale",
    hint="Switch automatic gain, limiter and echo cancelling of the capture off",
)
_DROPOUTS = HealthFinding(
    fault="dropouts",
    words="pieces of the sound are missing",
    hint="The machine is too busy or the cable is bad: use a larger audio latency or another port",
    is_blinding=False,
)
_REPEATS = HealthFinding(
    fault="repeats",
    words="pieces of the sound are delivered twice",
    hint="The driver repeats its buffer: use a larger audio latency or another driver",
    is_blinding=False,
)

"""Who is compared: each watches the same scene and tells hop by hop what moves and who is there."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from script.presence.doppler_js import MOTION_BINS, DopplerJs
from script.presence.passive_infrared import trips
from sensing.processing_meter import ProcessingMeter
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.truth import MAJOR, MINOR, NONE
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import HOP_SECONDS, WINDOW_SECONDS, DopplerFrame
from sensing.ultrasound.gated_classifier import NOTHING_MOVES, GatedClassifier
from sensing.ultrasound.motion_classifier import MotionClassifier
from sensing.ultrasound.presence import PresenceFilter

HOLD_SECONDS = 180.0
PEER_HOLD_SECONDS = 60.0
"""doppler.js knows no presence and motion detectors of the shop hold for a minute or so."""

_KINDS = {None: NONE, "minor": MINOR, "major": MAJOR}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """What somebody made of a scene; hop n was told at ``told_at(n)``.

    Attributes
    ----------
    motion : NDArray
        Shape ``(hops,)``, int8: `NONE`, `MINOR` or `MAJOR`.
    score : NDArray
        Shape ``(hops,)``, float32: how sure it is of somebody who walks, on a scale of its own.
    present : NDArray
        Shape ``(hops,)``, bool.
    """

    motion: NDArray[np.int8]
    score: NDArray[np.float32]
    present: NDArray[np.bool_]

    @property
    def begins(self) -> NDArray[np.intp]:
        """Hops in which the room became occupied."""
        return np.flatnonzero(self.present & ~np.concatenate([[False], self.present[:-1]]))


def told_at(hop: int) -> float:
    """Return the second in which a hop's window has been heard."""
    return hop * HOP_SECONDS + WINDOW_SECONDS


def hop_at(seconds: float) -> int:
    """Return the first hop that is told at that time or later."""
    return max(0, int(np.ceil((seconds - WINDOW_SECONDS) / HOP_SECONDS)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """A piece of a scene: the baseband, shape ``(microphones, frames)``, and the hops that it completed."""

    baseband: Baseband
    frames: Sequence[DopplerFrame]


class Watcher(Protocol):
    """Take scenes of one room in, piece by piece."""

    def begin(self, scene: Scene, /) -> None:
        """Take in that a scene begins; what was learnt about the room stays."""

    def process(self, heard: Heard) -> None:
        """Take in what was heard next."""

    def watched(self, hops: int) -> Watched:
        """Return what was made of the scene."""


@cache
def _vacant_filter() -> PresenceFilter:
    """Return a filter that knows its room for empty, as it does on all but the first minutes."""
    presence = PresenceFilter(hold_seconds=HOLD_SECONDS, hop_seconds=HOP_SECONDS)
    while presence.is_present is not False:
        presence.process(NOTHING_MOVES)
    return presence


class HubJudge:
    """Gate, classifier and presence filter as in `UltrasoundSensor`, in a room that was empty.

    Attributes
    ----------
    is_present : bool
        Whether somebody counts as being there.
    """

    def __init__(self, classifier: MotionClassifier) -> None:
        self._classifier = GatedClassifier(classifier, meter=ProcessingMeter(lambda: 0.0))
        self._presence = copy.deepcopy(_vacant_filter())
        self.is_present = False

    def reset(self) -> None:
        """Forget the sound, not the room."""
        self._classifier.reset()

    def judge(self, frame: DopplerFrame) -> tuple[int, float]:
        """Return what moves in a hop, and the score of somebody who walks."""
        score = self._classifier.score(frame, is_present=self._presence.is_present is not False)
        kind = self._presence.process(score, float(frame.masked.mean())).kind
        self.is_present = self._presence.is_present is True
        return _KINDS[kind], score.major


class HubWatcher:
    """The hub, whose tone is always on."""

    def __init__(self, classifier: MotionClassifier) -> None:
        self._hub = HubJudge(classifier)
        self._rows: list[tuple[int, int, float, bool]] = []

    def begin(self, _scene: Scene, /) -> None:
        """Forget the sound, not the room."""
        self._hub.reset()
        self._rows.clear()

    def process(self, heard: Heard) -> None:
        """Score and filter the hops."""
        for frame in heard.frames:
            self._rows.append((frame.hop, *self._hub.judge(frame), self._hub.is_present))

    def watched(self, hops: int) -> Watched:
        """Return what was made of the scene; before the first hop that was told, nothing."""
        motion, score = np.zeros(hops, np.int8), np.zeros(hops, np.float32)
        present = np.zeros(hops, bool)
        for hop, kind, major, is_present in self._rows:
            motion[hop], score[hop], present[hop] = kind, major, is_present
        return Watched(motion=motion, score=score, present=present)


class DopplerJsWatcher:
    """doppler.js; all motion is major, and held for a minute."""

    def __init__(self, baseband_hz: float) -> None:
        self._baseband_hz = baseband_hz
        self._forget()

    def begin(self, _scene: Scene, /) -> None:
        """Forget everything."""
        self._forget()

    def _forget(self) -> None:
        self._detector = DopplerJs(self._baseband_hz)
        self._widths: list[NDArray[np.intp]] = []

    def process(self, heard: Heard) -> None:
        """Measure bandwidths; the hops' features are not looked at."""
        self._widths.append(self._detector.process(heard.baseband).max(axis=1, initial=0))

    def watched(self, hops: int) -> Watched:
        """Return what was made of the scene; the wider side is the score."""
        widest = np.zeros(hops, np.float32)
        measured = np.concatenate(self._widths)[:hops]
        widest[: len(measured)] = measured
        return _held(widest > MOTION_BINS, widest)


class InfraredWatcher:
    """Passive infrared: it sees the scene, not the sound."""

    def begin(self, scene: Scene, /) -> None:
        """See the scene."""
        self._scene = scene

    def process(self, heard: Heard) -> None:
        """Hear nothing."""

    def watched(self, hops: int) -> Watched:
        """Return what was made of the scene."""
        tripped = trips(self._scene)
        told = np.minimum(
            np.round(np.arange(hops) + WINDOW_SECONDS / HOP_SECONDS).astype(int), len(tripped) - 1
        )
        return _held(tripped[told], tripped[told].astype(np.float32))


def _held(is_moving: NDArray[np.bool_], score: NDArray[np.float32]) -> Watched:
    """Return presence as motion and the minute after it."""
    hops = np.arange(len(is_moving))
    last = np.maximum.accumulate(
        np.where(is_moving, hops, -len(hops) - round(PEER_HOLD_SECONDS / HOP_SECONDS))
    )
    present = hops - last < PEER_HOLD_SECONDS / HOP_SECONDS
    return Watched(motion=np.where(is_moving, MAJOR, NONE).astype(np.int8), score=score, present=present)

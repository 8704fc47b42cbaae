"""The hub as it saves power: what sounds while its tone rests is not heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from script.presence.watchers import Heard, HubJudge, Watched
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.truth import NONE
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import HOP_SECONDS, WINDOW_SECONDS, DopplerFrame
from sensing.ultrasound.emission_plan import EmissionPlan
from sensing.ultrasound.emission_watch import SETTLE_SECONDS
from sensing.ultrasound.emitter import RAMP_SECONDS
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_classifier import MotionClassifier


class RestingWatcher:
    """The hub with ``power: balanced``, in a room that was empty; of scenes without music."""

    def __init__(self, classifier: MotionClassifier) -> None:
        self._hub = HubJudge(classifier)

    def begin(self, scene: Scene, /) -> None:
        """Forget the sound, not the room."""
        self._front_end = FrontEnd(baseband_hz=scene.baseband_hz, microphones=scene.hub.microphones)
        self._hub.reset()
        self._rate_hz = scene.baseband_hz
        self._plan = EmissionPlan(rate_hz=scene.baseband_hz, is_allowed=True)
        self._plan.step(0, is_present=False, motion_frame=None)
        self._now = 0
        self._heard_from: int | None = 0
        self._moved_at: int | None = None
        self._told: list[tuple[int, int, float, bool]] = []

    def process(self, heard: Heard) -> None:
        """Hear hop by hop what the plan lets sound."""
        hop = self._front_end.hop_frames
        for first in range(0, heard.baseband.shape[1], hop):
            self._hear(heard.baseband[:, first : first + hop])

    def _hear(self, baseband: Baseband) -> None:
        self._now += baseband.shape[1]
        if self._heard_from is None:
            self._front_end.pause()
        elif self._now > self._heard_from:
            for frame in self._front_end.process(baseband, None):
                self._take(frame)
        step = self._plan.step(self._now, is_present=self._hub.is_present, motion_frame=self._moved_at)
        if not step.is_on:
            self._heard_from = None
        elif self._heard_from is None:
            self._heard_from = self._now + round((RAMP_SECONDS + SETTLE_SECONDS) * self._rate_hz)

    def _take(self, frame: DopplerFrame) -> None:
        motion, major = self._hub.judge(frame)
        if motion != NONE:
            self._moved_at = self._now
        hop = round((self._now / self._rate_hz - WINDOW_SECONDS) / HOP_SECONDS)
        self._told.append((hop, motion, major, self._hub.is_present))

    def watched(self, hops: int) -> Watched:
        """Return what was made of the scene; while the tone rests nothing moves and presence stays."""
        motion, score = np.zeros(hops, np.int8), np.zeros(hops, np.float32)
        present: NDArray[np.bool_] = np.zeros(hops, bool)
        for hop, kind, major, is_present in self._told:
            motion[hop], score[hop], present[hop:] = kind, major, is_present
        return Watched(motion=motion, score=score, present=present)

"""The ultrasonic sensor: audio blocks in, observations out."""

from __future__ import annotations

from sensing.audio_block import AudioBlock
from sensing.observations import MotionSeen, Observation, PresenceChanged, UltrasoundChanged
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.doppler_features import HOP_SECONDS, DopplerFeatures, DopplerFrame
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.motion_classifier import MotionClassifier, MotionScore
from sensing.ultrasound.presence import Presence

MOTION_INTERVAL_SECONDS = 0.5
"""Motion that lasts is reported this often."""

_LOST_DBFS = -75.0
_LOST_HOPS = 20
_PROMINENT_DBC = 3.0
"""A "carrier" whose sidebands reach it is noise, not a tone."""


class UltrasoundSensor:
    """Watch the reflections of the carrier and report motion and presence.

    While the carrier cannot be heard nothing is concluded: the room is unknown, not empty.

    Parameters
    ----------
    carrier_hz : float
        Frequency of the tone that is being played.
    hold_seconds : float
        See `Presence`.
    sensitivity : float
        See `EnergyDetector`.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        microphones: int,
        carrier_hz: float,
        hold_seconds: float = 180.0,
        sensitivity: float = 1.0,
    ) -> None:
        self._rate_hz = rate_hz
        self._carrier_hz = carrier_hz
        self._demodulator = Demodulator(carrier_hz=carrier_hz, rate_hz=rate_hz, microphones=microphones)
        self._features = DopplerFeatures(baseband_hz=self._demodulator.baseband_hz, microphones=microphones)
        self._classifier: MotionClassifier = EnergyDetector(sensitivity=sensitivity)
        self._presence = Presence(hold_seconds=hold_seconds, hop_seconds=self._features.hop_seconds)
        self._is_watching = False
        self.reset()

    @property
    def has_carrier(self) -> bool:
        """Whether the carrier is heard now."""
        return self._is_watching

    def reset(self) -> None:
        """Forget filters and floors, as after a gap in the audio; presence itself is kept."""
        self._demodulator.reset()
        self._features.reset()
        self._classifier.reset()
        self._presence.reset()
        self._first_frame: int | None = None
        self._last_motion = {"major": -1e9, "minor": -1e9}
        self._lost_hops = 0

    def process(self, block: AudioBlock) -> list[Observation]:
        """Return what this block reveals, oldest first."""
        if self._first_frame is None:
            self._first_frame = block.first_frame
        observations: list[Observation] = []
        for frame in self._features.process(self._demodulator.process(block.capture)):
            observations += self._carrier(frame)
            if self._is_watching and self._lost_hops == 0:
                observations += self._motion(frame, self._classifier.score(frame))
        return observations

    def _frame_number(self, frame: DopplerFrame) -> int:
        """Return the sound card's frame at the end of the hop's window."""
        hop_frames = round(HOP_SECONDS * self._demodulator.baseband_hz) * self._demodulator.factor
        window_frames = 128 * self._demodulator.factor
        return (self._first_frame or 0) + frame.hop * hop_frames + window_frames

    def _carrier(self, frame: DopplerFrame) -> list[Observation]:
        is_heard = frame.carrier_db > _LOST_DBFS and frame.sideband_dbc < _PROMINENT_DBC
        self._lost_hops = 0 if is_heard else self._lost_hops + 1
        if is_heard == self._is_watching or (self._is_watching and self._lost_hops < _LOST_HOPS):
            return []
        self._is_watching = is_heard
        number = self._frame_number(frame)
        return [
            UltrasoundChanged(
                at=number / self._rate_hz,
                frame=number,
                mode="watching" if is_heard else "no_carrier",
                carrier_hz=self._carrier_hz,
                level_db=frame.carrier_db,
            )
        ]

    def _motion(self, frame: DopplerFrame, score: MotionScore) -> list[Observation]:
        number = self._frame_number(frame)
        at = number / self._rate_hz
        step = self._presence.process(score)
        observations: list[Observation] = []
        if step.kind == "major" and at - self._last_motion["major"] >= MOTION_INTERVAL_SECONDS:
            self._last_motion["major"] = at
            observations.append(MotionSeen(at=at, frame=number, kind="major", score=score.major))
        elif step.kind == "minor" and at - max(self._last_motion.values()) >= MOTION_INTERVAL_SECONDS:
            self._last_motion["minor"] = at
            observations.append(MotionSeen(at=at, frame=number, kind="minor", score=score.minor))
        if step.present is not None:
            confidence = score.major if step.present else 1 - score.minor
            observations.append(
                PresenceChanged(
                    at=at, frame=number, present=step.present, reason=step.reason, confidence=confidence
                )
            )
        return observations

"""The ultrasonic sensor: audio blocks in, observations out."""

from __future__ import annotations

from sensing.audio_block import AudioBlock
from sensing.observations import MotionSeen, Observation, PresenceChanged, UltrasoundChanged
from sensing.ultrasound.demodulator import Demodulator
from sensing.ultrasound.doppler_features import DopplerFrame
from sensing.ultrasound.energy_detector import EnergyDetector
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_classifier import MotionClassifier, MotionScore
from sensing.ultrasound.playback_reference import PlaybackReference
from sensing.ultrasound.presence import Presence

MOTION_INTERVAL_SECONDS = 0.5
"""Motion that lasts is reported this often."""

_LOST_DBFS = -75.0
_LOST_HOPS = 20
_PROMINENT_DBC = 3.0
"""A "carrier" whose sidebands reach it is noise, not a tone."""

_MASKED_SHARE = 0.5
"""A hop counts as masked when music covers this much of its bands."""


class UltrasoundSensor:
    """Watch the reflections of the carrier and report motion and presence.

    While the carrier cannot be heard nothing is concluded: the room is unknown, not empty. What the blocks'
    reference says was played is taken out of the sensing band; without sound in it nothing changes.

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
        self._playback = PlaybackReference(
            rate_hz=rate_hz,
            factor=self._demodulator.factor,
            latency_frames=self._demodulator.latency_frames,
        )
        self._front_end = FrontEnd(baseband_hz=self._demodulator.baseband_hz, microphones=microphones)
        self._classifier: MotionClassifier = EnergyDetector(sensitivity=sensitivity)
        self._presence = Presence(hold_seconds=hold_seconds, hop_seconds=self._front_end.hop_seconds)
        self._is_watching = False
        self.reset()

    @property
    def masked_share(self) -> float:
        """Share of the hops since the last reset, 0 to 1, in which music left little to go by."""
        return self._masked_hops / max(self._hops, 1)

    def reset(self) -> None:
        """Forget filters and floors, as after a gap in the audio; presence itself is kept."""
        self._demodulator.reset()
        self._playback.reset()
        self._front_end.reset()
        self._classifier.reset()
        self._presence.reset()
        self._first_frame: int | None = None
        self._last_motion = {"major": -1e9, "minor": -1e9}
        self._lost_hops = 0
        self._hops = self._masked_hops = 0

    def process(self, block: AudioBlock) -> list[Observation]:
        """Return what this block reveals, oldest first."""
        if self._first_frame is None:
            self._first_frame = block.first_frame
        observations: list[Observation] = []
        for frame in self._frames(block):
            self._hops += 1
            self._masked_hops += float(frame.masked.mean()) >= _MASKED_SHARE
            observations += self._carrier(frame)
            if self._is_watching and self._lost_hops == 0:
                observations += self._motion(frame, self._classifier.score([frame])[0])
        return observations

    def _frames(self, block: AudioBlock) -> list[DopplerFrame]:
        """Return the hops that this block completes."""
        baseband = self._demodulator.process(block.capture)
        is_known = block.reference.shape[0] > 0  # of a recording nobody may know what was played
        playback = self._playback.process(block.reference) if is_known else None
        return self._front_end.process(baseband, playback)

    def _frame_number(self, frame: DopplerFrame) -> int:
        """Return the sound card's frame at the end of the hop's window."""
        hop_frames = self._front_end.hop_frames * self._demodulator.factor
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
            confidence = score.major if step.present else score.none
            observations.append(
                PresenceChanged(
                    at=at, frame=number, present=step.present, reason=step.reason, confidence=confidence
                )
            )
        return observations

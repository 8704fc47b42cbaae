"""The ultrasonic sensor: audio blocks in, observations out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sensing.audio_block import AudioBlock
from sensing.observations import (
    DegradedState,
    MotionSeen,
    Observation,
    PresenceChanged,
    PresenceHeld,
    PresenceReason,
    SensingDegraded,
    UltrasoundChanged,
    UltrasoundMode,
)
from sensing.processing_meter import ProcessingMeter
from sensing.ultrasound.carrier_state import CarrierState
from sensing.ultrasound.emission_plan import EmissionPlan
from sensing.ultrasound.gated_classifier import GatedClassifier
from sensing.ultrasound.motion_classifier import MotionClassifier, MotionScore
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.presence import PresenceFilter, PresenceVerdict
from sensing.ultrasound.rare_moments import RareMoment, RareMoments
from sensing.ultrasound.receiver import ReceivedHop, UltrasoundReceiver
from sensing.ultrasound.silent_listener import SilenceHeard, SilentListener
from sensing.ultrasound.tone_join import has_carrier

MOTION_INTERVAL_SECONDS = 0.5
"""Motion that lasts is reported this often."""

STIRRING_DB = 9.0
"""A classifier remembers a gesture for longer than it lasts; what is told to move stands over its floor now.
Of noise the strongest of sixteen bands stays below that seven times in ten."""

HELD_INTERVAL_SECONDS = 30.0
"""Why a room is held is told this often, and only when it is for another reason."""

UNKNOWN_SECONDS = 60.0
"""A carrier that is away for longer could have missed an exit or an entry: the room is unknown."""

_LOST_SECONDS = 1.0

_SILENT_DB = -200.0


def _ignore(_wanted: bool) -> None:
    """Nobody plays the tone for us."""


class UltrasoundSensor:
    """Watch the reflections of the carrier and report motion and presence.

    While the carrier cannot be heard nothing is concluded: the room is unknown, not empty. What the blocks'
    reference says was played is taken out of the sensing band; without sound in it nothing changes.

    Parameters
    ----------
    carrier_hz : float
        Frequency of the tone that is being played.
    second_carrier_hz : float, optional
        Another tone that is played beside it; where the room swallows one, the other sees.
    hold_seconds, sensitivity, pets
        See `PresenceFilter`.
    classifier : MotionClassifier, optional
        What tells motion from stillness; the shipped network unless something else is given.
    plan : EmissionPlan, optional
        When the tone sounds; without one it is taken as continuous, as in a recording.
    want_tone : callable
        Told after each block whether the plan wants the tone.
    meter : ProcessingMeter, optional
        Charged with what each level costs.
    keep : callable, optional
        Given the moments that are worth learning from; without it none are looked for.
    tell_field : callable, optional
        Given how the carrier is heard, once in a second of tone, and the tones of others in a silence,
        once in ten minutes: what a calibration is compared with. Without it neither is looked for.

    Raises
    ------
    sensing.errors.ModelDamaged
        The shipped network cannot be loaded.
    """

    def __init__(
        self,
        *,
        rate_hz: int,
        microphones: int,
        carrier_hz: float,
        second_carrier_hz: float | None = None,
        hold_seconds: float = 180.0,
        sensitivity: float = 1.0,
        pets: bool = False,
        classifier: MotionClassifier | None = None,
        plan: EmissionPlan | None = None,
        want_tone: Callable[[bool], None] = _ignore,
        meter: ProcessingMeter | None = None,
        keep: Callable[[RareMoment], None] | None = None,
        tell_field: Callable[[CarrierState | SilenceHeard], None] | None = None,
    ) -> None:
        self._rate_hz = rate_hz
        self._carrier_hz = carrier_hz
        self._meter = meter or ProcessingMeter(lambda: 0.0)
        self._receiver = UltrasoundReceiver(
            rate_hz=rate_hz,
            microphones=microphones,
            carrier_hz=carrier_hz,
            meter=self._meter,
            second_carrier_hz=second_carrier_hz,
        )
        self._classifier = GatedClassifier(classifier or MotionNetwork(), meter=self._meter)
        self._presence = PresenceFilter(
            hold_seconds=hold_seconds,
            hop_seconds=self._receiver.hop_seconds,
            sensitivity=sensitivity,
            pets=pets,
        )
        self._plan = plan
        self._want_tone = want_tone
        self._is_toned = plan is None
        self._keep = keep
        self._rare = RareMoments()
        self._tell_field = tell_field
        self._silence = SilentListener(rate_hz=rate_hz, carrier_hz=carrier_hz)
        self._has_moved = False
        self._mode: UltrasoundMode | None = None
        self._is_calibrating = False
        self._level_db = _SILENT_DB
        self._lost_seconds = self._blind_seconds = 0.0
        self._degraded: tuple[DegradedState, ...] = ()
        self._explanation = ""
        self._motion_frame: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget filters and floors, as after a gap in the audio; presence itself is kept."""
        self._receiver.reset()
        self._classifier.reset()
        self._silence.reset()
        self._last_motion = {"major": -1e9, "minor": -1e9}
        self._held_told_at = -1e9

    def door_opened(self) -> None:
        """Take in that a door of the room has just been opened; call it between two blocks."""
        self._presence.door_opened()

    def allow_tone(self, is_allowed: bool) -> None:
        """Allow or forbid the tone; call it between two blocks."""
        if self._plan is not None:
            self._plan.allow(is_allowed)

    def calibrate(self, is_calibrating: bool) -> None:
        """Let something else sound in the tone's place, and judge nothing meanwhile; call it between blocks.

        What is known of the room stays as it is.
        """
        self._is_calibrating = is_calibrating

    def process(self, block: AudioBlock) -> list[Observation]:
        """Return what this block reveals, oldest first."""
        if self._is_calibrating:
            # chirps cross the carrier, and would be taken for its edges
            block = replace(block, reference=np.zeros_like(block.reference))
        self._meter.hear(block.frames / block.rate_hz)
        observations: list[Observation] = []
        for hop in self._receiver.process(block):
            if self._is_calibrating:
                continue
            observations += self._carrier(hop)
            if self._mode == "watching" and self._lost_seconds == 0.0:
                observations += self._motion(hop)
        if self._tell_field is not None:
            self._compare(block, self._tell_field)
        return observations + self._emission(block) + self._blindness(block) + self._health(block.end_frame)

    def _compare(self, block: AudioBlock, tell: Callable[[CarrierState | SilenceHeard], None]) -> None:
        """Tell what a calibration is compared with; a carrier that is lost says nothing about it."""
        state = self._receiver.take_carrier_state(is_moving=self._has_moved)
        if state is not None and self._mode == "watching" and self._lost_seconds == 0.0:
            self._has_moved = False
            tell(state)
        silence = self._silence.process(block, is_sound=self._is_sound)
        if silence is not None:
            tell(silence)

    @property
    def _is_sound(self) -> bool:
        return self._receiver.blinding is None and not self._is_calibrating

    def _carrier(self, hop: ReceivedHop) -> list[Observation]:
        """Follow whether the carrier can be heard, and for how long it could not."""
        frame = hop.frame
        is_heard = has_carrier(frame)
        if not is_heard and not self._is_toned:
            return []
        self._level_db = frame.carrier_db
        self._lost_seconds = 0.0 if is_heard else self._lost_seconds + self._receiver.hop_seconds
        if self._lost_seconds > UNKNOWN_SECONDS:
            return self._lose_track(hop.end_frame, "no_carrier", "the carrier has not been heard")
        is_lost = self._lost_seconds >= _LOST_SECONDS or self._mode != "watching"
        if is_heard or is_lost:
            return self._in_mode("watching" if is_heard else "no_carrier", hop.end_frame)
        return []

    def _blindness(self, block: AudioBlock) -> list[Observation]:
        """Say that nobody can tell when nothing could be sensed for long."""
        broken = self._receiver.blinding
        if broken is None and self._mode != "muted":
            self._blind_seconds = 0.0
            return []
        self._blind_seconds += block.frames / block.rate_hz
        if self._blind_seconds <= UNKNOWN_SECONDS:
            return []
        if broken is None:
            return self._lose_track(block.end_frame, "muted", "the tone has been muted")
        return self._lose_track(block.end_frame, "bad_sound", broken.words)

    def _lose_track(self, frame: int, reason: PresenceReason, words: str) -> list[Observation]:
        return self._changed(frame, self._presence.lose_track(reason, f"{words} for {UNKNOWN_SECONDS:.0f} s"))

    def _in_mode(self, mode: UltrasoundMode, frame: int) -> list[Observation]:
        if mode == self._mode:
            return []
        self._mode = mode
        return [
            UltrasoundChanged(
                at=frame / self._rate_hz,
                frame=frame,
                mode=mode,
                carrier_hz=self._carrier_hz,
                level_db=self._level_db,
            )
        ]

    def _emission(self, block: AudioBlock) -> list[Observation]:
        """Let the plan decide on the tone."""
        if self._plan is None:
            return []
        step = self._plan.step(
            block.end_frame,
            is_present=self._presence.is_present is True,
            motion_frame=self._motion_frame,
            is_stirring=self._classifier.is_open and not self._presence.is_present,
            is_playing=self._receiver.is_playing,
        )
        self._is_toned = step.is_on
        self._want_tone(step.is_on)
        if self._is_calibrating:
            return self._in_mode("calibrating", block.end_frame)
        if step.state == "forbidden":
            return self._in_mode("muted", block.end_frame)
        return self._in_mode("resting", block.end_frame) if step.state == "resting" else []

    def _motion(self, hop: ReceivedHop) -> list[Observation]:
        number = hop.end_frame
        at = number / self._rate_hz
        is_possible = self._presence.is_present is not False
        score = self._classifier.score(hop.frame, is_present=is_possible)
        with self._meter.level("presence", self._receiver.hop_seconds):
            step = self._presence.process(score, float(hop.frame.masked.mean()))
        observations: list[Observation] = []
        if self._keep is not None:
            self._look_for_rare(hop, score, is_moving=step.kind is not None)
        if step.kind is not None:
            self._motion_frame = number
            self._has_moved = True
        if step.kind == "major" and at - self._last_motion["major"] >= MOTION_INTERVAL_SECONDS:
            self._last_motion["major"] = at
            observations.append(MotionSeen(at=at, frame=number, kind="major", score=score.major))
        elif (
            step.kind == "minor"
            and hop.frame.bands_db.max() >= STIRRING_DB
            and at - max(self._last_motion.values()) >= MOTION_INTERVAL_SECONDS
        ):
            self._last_motion["minor"] = at
            moving = min(1.0, score.minor + score.major)
            observations.append(MotionSeen(at=at, frame=number, kind="minor", score=moving))
        return observations + self._changed(number, step.verdict) + self._held(number)

    def _look_for_rare(self, hop: ReceivedHop, score: MotionScore, *, is_moving: bool) -> None:
        is_present = self._presence.is_present is True
        moment = self._rare.process(
            hop.frame, score, hop.end_frame, is_present=is_present, is_moving=is_moving
        )
        if moment is not None and self._keep is not None:
            self._keep(moment)

    def _changed(self, number: int, verdict: PresenceVerdict | None) -> list[Observation]:
        if verdict is None:
            return []
        self._held_told_at = number / self._rate_hz
        self._explanation = self._presence.explanation
        return [
            PresenceChanged(
                at=number / self._rate_hz,
                frame=number,
                present=verdict.present,
                reason=verdict.reason,
                explanation=verdict.explanation,
                confidence=verdict.confidence,
            )
        ]

    def _held(self, number: int) -> list[Observation]:
        """Tell why the room is held, if it is for another reason than last told."""
        at = number / self._rate_hz
        if not self._presence.is_present or at - self._held_told_at < HELD_INTERVAL_SECONDS:
            return []
        explanation = self._presence.explanation
        if explanation == self._explanation:
            return []
        self._held_told_at, self._explanation = at, explanation
        confidence = self._presence.occupied
        return [PresenceHeld(at=at, frame=number, explanation=explanation, confidence=confidence)]

    def _health(self, number: int) -> list[Observation]:
        """Tell what keeps the room from being sensed well, when that changes."""
        sound = tuple(dict.fromkeys(one.fault for one in self._receiver.findings))
        lost: tuple[DegradedState, ...] = (self._mode,) if self._mode in ("no_carrier", "calibrating") else ()
        states = (*lost, *sound, *(self._presence.degraded if self._mode == "watching" else ()))
        if states == self._degraded:
            return []
        self._degraded = states
        return [SensingDegraded(at=number / self._rate_hz, frame=number, states=states)]

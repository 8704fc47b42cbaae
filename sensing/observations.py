"""Everything that sensing can report.

``at`` is seconds on the audio clock (frame / rate), ``frame`` the sound card's frame number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PresenceReason = Literal[
    "major_motion", "minor_motion", "timeout", "door", "no_carrier", "bad_sound", "muted"
]
DegradedState = Literal[
    "no_carrier",
    "calibrating",
    "music_masked",
    "fan_dominated",
    "not_a_number",
    "silence",
    "clipped",
    "limited",
    "dead_microphone",
    "dropouts",
    "repeats",
    "wrong_rate",
]
UltrasoundMode = Literal["calibrating", "watching", "resting", "muted", "no_carrier"]
AttentionTier = Literal["asleep", "listening", "hearing"]
HearingFault = Literal["narrow_band", "not_a_number", "silence", "clipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSeen:
    """Something moved in front of the speaker and the microphones."""

    at: float
    frame: int
    kind: Literal["major", "minor"]
    score: float
    """0 to 1: how sure the classifier is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged:
    """Somebody came, nobody is there any more, or nobody can tell (``present`` None)."""

    at: float
    frame: int
    present: bool | None
    reason: PresenceReason
    explanation: str
    """The same in words."""
    confidence: float
    """0 to 1: probability that it is so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceHeld:
    """Why a room is still taken as occupied; told now and then, when it is for another reason."""

    at: float
    frame: int
    explanation: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SensingDegraded:
    """What keeps the room from being sensed well; empty when nothing does any more.

    Without a carrier nothing is sensed; under music and beside a fan people may be noticed late, and music
    makes the room be held for longer.
    """

    at: float
    frame: int
    states: tuple[DegradedState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UltrasoundChanged:
    """The state of the ultrasonic sensor changed."""

    at: float
    frame: int
    mode: UltrasoundMode
    carrier_hz: float
    level_db: float
    """Carrier level at the microphone in dBFS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionChanged:
    """The listener went up or down its levels of processing."""

    at: float
    frame: int
    tier: AttentionTier


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeWordHeard:
    """A wake word was said."""

    at: float
    frame: int
    phrase: str
    score: float
    speech_to_noise_db: float | None = None
    """How far the speech stood above the room's noise; None where nobody measured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptGrew:
    """What is recognised of a command that is still being said; the next one may take words back."""

    at: float
    frame: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptDone:
    """Speech was recognised; ``text`` is empty when no sentence fits.

    ``is_answer``: it was said without the wake word, after the hub had asked.
    """

    at: float
    frame: int
    text: str
    confidence: float
    start: float
    end: float
    is_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkerLocated:
    """From which side a command was said that was understood."""

    at: float
    frame: int
    azimuth_degrees: float
    """Seen from the device: 0 towards the listener's place, positive to the listener's right."""
    confidence: float
    """0 to 1: mean coherence of the speech with this direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingDegraded:
    """What keeps the house from being heard well; empty when nothing does any more.

    Without numbers or in digital silence nothing is heard; clipped or telephone sound is heard badly.
    """

    at: float
    frame: int
    faults: tuple[HearingFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFaulted:
    """A sensor cannot work until somebody acts."""

    at: float
    frame: int
    part: str
    message: str
    hint: str


Observation = (
    MotionSeen
    | PresenceChanged
    | PresenceHeld
    | SensingDegraded
    | UltrasoundChanged
    | AttentionChanged
    | WakeWordHeard
    | TranscriptGrew
    | TranscriptDone
    | TalkerLocated
    | HearingDegraded
    | SensorFaulted
)

"""Everything that sensing can report.

``at`` is seconds on the audio clock (frame / rate), ``frame`` the sound card's frame number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PresenceReason = Literal["major_motion", "minor_motion", "timeout"]
UltrasoundMode = Literal["calibrating", "watching", "muted", "no_carrier"]
AttentionTier = Literal["asleep", "listening", "hearing"]


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
    """A person came, or nobody has been noticed for the hold time."""

    at: float
    frame: int
    present: bool
    reason: PresenceReason
    confidence: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptDone:
    """Speech was recognised; ``text`` is empty when no sentence fits."""

    at: float
    frame: int
    text: str
    confidence: float
    start: float
    end: float


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
    | UltrasoundChanged
    | AttentionChanged
    | WakeWordHeard
    | TranscriptDone
    | SensorFaulted
)

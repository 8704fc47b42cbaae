"""What sensors report, as lines of the command line's contract."""

from __future__ import annotations

from routines.facts import Json
from sensing.observations import (
    MotionSeen,
    Observation,
    PresenceChanged,
    PresenceHeld,
    SensingDegraded,
    TranscriptDone,
    WakeWordHeard,
)


def observation_line(seen: Observation) -> dict[str, Json] | None:
    """Return an observation's line without its time; None for what the contract does not show."""
    match seen:
        case MotionSeen():
            return {"event": "motion", "kind": seen.kind, "score": seen.score}
        case PresenceChanged():
            return {
                "event": "presence",
                "present": seen.present,
                "reason": seen.reason,
                "confidence": seen.confidence,
                "explanation": seen.explanation,
            }
        case PresenceHeld():
            return {"event": "held", "confidence": seen.confidence, "explanation": seen.explanation}
        case SensingDegraded():
            return {"event": "degraded", "states": list(seen.states)}
        case WakeWordHeard():
            return {"event": "wake", "phrase": seen.phrase, "score": seen.score}
        case TranscriptDone():
            return {
                "event": "transcript",
                "text": seen.text,
                "confidence": seen.confidence,
                "start": seen.start,
                "end": seen.end,
            }
        case _:
            return None

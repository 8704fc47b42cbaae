"""What a door that opened says about who comes and who leaves."""

from __future__ import annotations

from sensing.ultrasound.motion_memory import MotionKind, MotionMemory
from sensing.ultrasound.room_belief import DOOR_EXIT_SHARE

_ENTRY_SECONDS = 10.0
_ENTRY_BOOST = 20.0
_EXIT_SECONDS = 60.0
_EXIT_BOOST = 20.0

_WALK_TO_DOOR_SECONDS = 10.0
"""Who leaves has walked so short a time before the door opened."""
_THROUGH_DOOR_SECONDS = 5.0
"""Who walks on for longer after the door has come in, or back."""
_NEW_SECONDS = 10.0
"""Who was noticed so short a time before came in by this door: its sensor is slower than the echo."""

_NEVER = float("inf")


class PresenceDoor:
    """Remember when a door opened, and whether somebody may have left by it.

    Parameters
    ----------
    hop_seconds : float
        Time between two calls of `pass_hop`.
    """

    def __init__(self, *, hop_seconds: float) -> None:
        self._hop_seconds = hop_seconds
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._open_seconds = self._present_seconds = _NEVER
        self.tells_exit = False

    def begin(self) -> None:
        """Take in that somebody has just been noticed."""
        self._present_seconds = 0.0
        self.tells_exit = False

    def open(self, *, is_present: bool, memory: MotionMemory) -> bool:
        """Take in an opening; return whether a walk has already ended at the door."""
        self._open_seconds = 0.0
        walked_seconds = memory.seconds_since("major")
        is_new = self._present_seconds < _NEW_SECONDS
        stayed_after = memory.seconds_since("minor") < walked_seconds - 1.0
        self.tells_exit = (
            is_present and not is_new and not stayed_after and walked_seconds < _WALK_TO_DOOR_SECONDS
        )
        return self.tells_exit

    def pass_hop(self, kind: MotionKind | None) -> None:
        """Let a hop pass; who still walks, or gestures, long after the door has not left by it."""
        self._open_seconds += self._hop_seconds
        self._present_seconds += self._hop_seconds
        if kind is not None and self._open_seconds > _THROUGH_DOOR_SECONDS:
            self.tells_exit = False

    def exit_share(self, usual: float) -> float:
        """Return the share of walks that end outside."""
        return DOOR_EXIT_SHARE if self.tells_exit and self._open_seconds < _THROUGH_DOOR_SECONDS else usual

    @property
    def entry_boost(self) -> float:
        """How many times likelier somebody comes."""
        return _ENTRY_BOOST if self._open_seconds < _ENTRY_SECONDS else 1.0

    @property
    def exit_boost(self) -> float:
        """How many times likelier somebody leaves unseen."""
        return _EXIT_BOOST if self._open_seconds < _EXIT_SECONDS else 1.0

    @property
    def words(self) -> str:
        """Say when the door opened, if it was a moment ago."""
        return f", {self._open_seconds:.0f} s after a door opened" if self.entry_boost > 1.0 else ""

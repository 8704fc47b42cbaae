"""When the tone sounds: as seldom as noticing people allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Power = Literal["full", "balanced", "low"]
EmissionState = Literal[
    "forbidden", "watching", "blinking", "looking", "resting", "sparse", "checking", "beside_music"
]

REST_SECONDS = 30.0
"""After an entry nothing can be learnt that is worth a tone: somebody is there."""
SPARSE_ON_SECONDS, SPARSE_PERIOD_SECONDS = 1.0, 3.0
BLINK_ON_SECONDS, BLINK_PERIOD_SECONDS = 0.45, 1.0
"""Ramp, ringing, filter and one window take 0.38 s, a hop may begin 0.05 s late; a shorter blink is blind."""
LOOK_SECONDS = 2.0
"""A blink that saw something stays on for this long: the detector wants half a second."""
CHECK_AFTER_SECONDS = 90.0
"""Half of the hold: before somebody counts as gone, all is heard, not a third."""
LEAST_SECONDS = 0.1
"""No change comes sooner after the last; three ramps, so that each ramp is whole."""

_WORDS: dict[EmissionState, str] = {
    "forbidden": "muted: the tone is not allowed",
    "watching": "watching: nobody is there",
    "blinking": "blinking: nobody is there, power is saved",
    "looking": "looking: something stirred",
    "resting": "resting: somebody came in",
    "sparse": "sparse: somebody is there",
    "checking": "checking: nobody has moved for a while",
    "beside_music": "steady: what is played has to be learnt without a break",
}
_PATTERNS = {
    "blinking": (BLINK_ON_SECONDS, BLINK_PERIOD_SECONDS),
    "sparse": (SPARSE_ON_SECONDS, SPARSE_PERIOD_SECONDS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionStep:
    """Whether the tone is wanted now, and why."""

    is_on: bool
    state: EmissionState

    @property
    def words(self) -> str:
        """The state for people, as ``resting: somebody came in``."""
        return _WORDS[self.state]


class EmissionPlan:
    """Decide from the time and what is known of the room whether the tone is on.

    Nobody there: always on, or blinking with ``low``. After an entry: a rest. Then sparse, until nobody
    has moved for so long that absence is near; then on until something moves or presence ends.

    Parameters
    ----------
    rate_hz : int
        Frames per second of the frame numbers.
    power : {"full", "balanced", "low"}
        ``full`` never rests, ``balanced`` rests while somebody is there, ``low`` blinks besides while
        nobody is.
    is_allowed : bool
        Whether the tone may sound from the start.
    """

    def __init__(self, *, rate_hz: int, power: Power = "balanced", is_allowed: bool = False) -> None:
        self._rate_hz = rate_hz
        self._power = power
        self._is_allowed = is_allowed
        self._state: EmissionState = "forbidden"
        self._since = 0
        self._entered_at: int | None = None
        self._look_until = 0
        self._is_on = False
        self._changed_at: int | None = None

    def allow(self, is_allowed: bool) -> None:
        """Allow or forbid the tone from the next step on; forbidding waits for nothing."""
        self._is_allowed = is_allowed

    def step(
        self,
        frame: int,
        *,
        is_present: bool,
        motion_frame: int | None,
        is_stirring: bool = False,
        is_playing: bool = False,
    ) -> EmissionStep:
        """Return whether the tone is wanted from ``frame`` on.

        Parameters
        ----------
        frame : int
            The sound card's frame number; it never falls.
        is_present : bool
            Whether somebody counts as being there.
        motion_frame : int or None
            Frame of the last motion of a person, major or minor.
        is_stirring : bool
            Whether the cheap gate is open: anything at all moves.
        is_playing : bool
            Whether the loudspeaker plays anyway: its distortion is learnt for seconds, and a tone that comes
            and goes saves little.
        """
        if is_present and self._entered_at is None:
            self._entered_at = frame
        elif not is_present:
            self._entered_at = None
        if is_stirring:
            self._look_until = frame + self._frames(LOOK_SECONDS)
        state = self._next_state(frame, motion_frame)
        if is_playing and state in _PATTERNS:
            state = "beside_music"
        if state != self._state:
            self._state, self._since = state, frame
        self._switch(frame)
        return EmissionStep(is_on=self._is_on, state=state)

    def _frames(self, seconds: float) -> int:
        return round(seconds * self._rate_hz)

    def _next_state(self, frame: int, motion_frame: int | None) -> EmissionState:
        if not self._is_allowed:
            return "forbidden"
        if self._entered_at is None or self._power == "full":
            return self._vacant_state(frame)
        if frame - self._entered_at < self._frames(REST_SECONDS):
            return "resting"
        moved_at = self._entered_at if motion_frame is None else max(self._entered_at, motion_frame)
        return "checking" if frame - moved_at >= self._frames(CHECK_AFTER_SECONDS) else "sparse"

    def _vacant_state(self, frame: int) -> EmissionState:
        if self._power != "low":
            return "watching"
        return "looking" if frame < self._look_until else "blinking"

    def _switch(self, frame: int) -> None:
        is_wanted = self._is_wanted(frame)
        is_settled = self._changed_at is None or frame - self._changed_at >= self._frames(LEAST_SECONDS)
        if is_wanted != self._is_on and (is_settled or self._state == "forbidden"):
            self._is_on = is_wanted
            self._changed_at = frame

    def _is_wanted(self, frame: int) -> bool:
        if self._state in ("forbidden", "resting"):
            return False
        if self._state not in _PATTERNS:
            return True
        on_seconds, period_seconds = _PATTERNS[self._state]
        return (frame - self._since) % self._frames(period_seconds) < self._frames(on_seconds)

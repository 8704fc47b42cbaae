"""What has moved lately, for conditions and for words."""

from __future__ import annotations

from collections import deque
from typing import Literal

MotionKind = Literal["major", "minor"]

RECALL_SECONDS = 90.0
_GESTURES_APART_SECONDS = 1.0
"""What moves again sooner is the same gesture."""


class MotionMemory:
    """Remember when what moved, in hops that were sensed: a time without sensing does not pass.

    Parameters
    ----------
    hop_seconds : float
        Time between two calls of `remember`.
    """

    def __init__(self, *, hop_seconds: float) -> None:
        self._hop_seconds = hop_seconds
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.hop = 0
        self._last: dict[MotionKind, int] = {}
        self._majors: deque[int] = deque()
        self._gestures: deque[int] = deque()

    def remember(self, kind: MotionKind | None) -> None:
        """Take in what moved in the next hop."""
        self.hop += 1
        if kind == "minor" and self.seconds_since("minor") > _GESTURES_APART_SECONDS:
            self._gestures.append(self.hop)
        if kind == "major":
            self._majors.append(self.hop)
        if kind is not None:
            self._last[kind] = self.hop
        self._drop_old(self._gestures)
        self._drop_old(self._majors)

    def seconds_since(self, kind: MotionKind) -> float:
        """Return the sensed time since the last motion of a kind; infinite when there was none."""
        last = self._last.get(kind)
        return float("inf") if last is None else (self.hop - last) * self._hop_seconds

    @property
    def quiet_seconds(self) -> float:
        """Sensed time since anything moved, or since sensing began."""
        return (self.hop - max(self._last.values(), default=0)) * self._hop_seconds

    @property
    def gestures(self) -> int:
        """Separate minor motions of the last 90 s."""
        return len(self._gestures)

    def majors_within(self, seconds: float) -> int:
        """Return the number of hops with major motion in the last ``seconds``, at most 90."""
        first = self.hop - round(seconds / self._hop_seconds)
        return sum(hop > first for hop in self._majors)

    def _drop_old(self, hops: deque[int]) -> None:
        while hops and (self.hop - hops[0]) * self._hop_seconds >= RECALL_SECONDS:
            hops.popleft()

"""Moments that a classifier is unsure of: what a home can collect to teach it, features only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensing.ultrasound.doppler_features import DopplerFrame
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_network import network_inputs

RareKind = Literal["nearly_somebody", "soon_gone"]

BEFORE_HOPS = 400
AFTER_HOPS = 200
"""20 s before and 10 s after: what the network needs to judge the moment again."""
NEARLY = 0.3
"""Mean major probability over `NEARLY_HOPS` in a room that stayed empty; noise stays below a tenth of it."""
NEARLY_HOPS = 6
PAUSE_HOPS = 6_000
"""Five minutes until the next one: a fan that runs all night is one moment, not thousands."""


_Hop = tuple[DopplerFrame, MotionScore]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RareMoment:
    """Half a minute of features around a moment.

    Attributes
    ----------
    kind : RareKind
        ``nearly_somebody``: the room stayed empty; ``soon_gone``: it was occupied, and nobody moved again.
    end_frame : int
        The sound card's frame at its end.
    inputs : NDArray
        Shape ``(hops, INPUTS)``, float16: see `network_inputs`. No sound can be made of it.
    scores : NDArray
        Shape ``(hops, 3)``, float16: minor, major, nuisance.
    """

    kind: RareKind
    end_frame: int
    inputs: NDArray[np.float16]
    scores: NDArray[np.float16]


class RareMoments:
    """Remember the last half minute, and hand it over when it was rare."""

    def __init__(self) -> None:
        self._past: deque[_Hop] = deque(maxlen=BEFORE_HOPS + AFTER_HOPS)
        self._recent: deque[float] = deque(maxlen=NEARLY_HOPS)
        self._entry: list[_Hop] = []
        self._later_motions = 0
        self._due: int | None = None
        self._pause = 0

    def process(
        self, frame: DopplerFrame, score: MotionScore, end_frame: int, *, is_present: bool, is_moving: bool
    ) -> RareMoment | None:
        """Take in a hop, and return a moment that is complete with it.

        Parameters
        ----------
        is_present, is_moving : bool
            Whether the room is occupied after this hop, and whether somebody seems to move in it.
        """
        self._past.append((frame, score))
        self._recent.append(score.major)
        self._pause = max(0, self._pause - 1)
        if is_present:
            self._follow_entry(is_moving)
        kind = None if is_present else self._while_empty()
        if kind is None or self._pause:
            return None
        self._pause = PAUSE_HOPS
        hops, self._entry = (self._entry if kind == "soon_gone" else list(self._past)), []
        return RareMoment(
            kind=kind,
            end_frame=end_frame,
            inputs=network_inputs([frame for frame, _ in hops]).astype(np.float16),
            scores=np.array([(one.minor, one.major, one.nuisance) for _, one in hops], np.float16),
        )

    def _follow_entry(self, is_moving: bool) -> None:
        """Keep what was seen around the entry, until it is known whether anybody moves after it."""
        self._due = None
        if not self._entry:
            self._entry = list(self._past)[-BEFORE_HOPS:]
            self._later_motions = 0
        elif len(self._entry) < BEFORE_HOPS + AFTER_HOPS:
            self._entry.append(self._past[-1])
        else:
            self._later_motions += is_moving

    def _while_empty(self) -> RareKind | None:
        if self._entry:
            if self._later_motions == 0:
                return "soon_gone"
            self._entry = []
        if self._due is None:
            is_near = sum(self._recent) / NEARLY_HOPS >= NEARLY
            self._due = AFTER_HOPS if is_near and not self._pause else None
            return None
        self._due = self._due - 1 if self._due else None
        return "nearly_somebody" if self._due == 0 else None

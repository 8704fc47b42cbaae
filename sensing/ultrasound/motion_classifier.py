"""The seam for whatever tells motion from stillness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sensing.ultrasound.doppler_features import DopplerFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionScore:
    """How sure the classifier is, 0 to 1 each; they need not sum to one."""

    major: float
    minor: float


class MotionClassifier(Protocol):
    """Score one hop of features after the other."""

    def score(self, frame: DopplerFrame) -> MotionScore:
        """Return the scores of this hop, given those before it."""

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""

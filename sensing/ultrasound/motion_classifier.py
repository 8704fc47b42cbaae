"""The seam for whatever tells motion from stillness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sensing.ultrasound.doppler_features import DopplerFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionScore:
    """Probabilities of what a hop shows, 0 to 1.

    Attributes
    ----------
    minor, major : float
        Somebody gestures or types; somebody walks. They exclude each other.
    nuisance : float
        Something that is nobody moves or disturbs; people may move besides.
    """

    minor: float
    major: float
    nuisance: float = 0.0

    @property
    def none(self) -> float:
        """Probability that nobody moves."""
        return max(0.0, 1.0 - self.minor - self.major)


class MotionClassifier(Protocol):
    """Score hops of features in their order."""

    def score(self, frames: Sequence[DopplerFrame]) -> list[MotionScore]:
        """Return the scores of these hops, given those before them."""

    def reset(self) -> None:
        """Forget the past, as after a gap in the audio."""

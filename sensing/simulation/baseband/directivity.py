"""How a loudspeaker beams."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SAMPLES = 2_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Directivity:
    """Amplitude over the angle from the axis: one in front, half at the 6 dB angle, a floor behind.

    ``floor + (1 - floor) / (1 + b (1 - cos))^2``: a smooth main lobe without the nulls of the piston, which
    a cabinet fills anyway. At 20 to 40 kHz commodity speakers have 30 to 70 degrees and -10 to -18 dB.

    Parameters
    ----------
    angle_degrees : float
        Angle from the axis at which the amplitude is one half.
    floor_db : float
        Amplitude behind, below -6 dB.
    """

    angle_degrees: float = 50.0
    floor_db: float = -14.0

    @property
    def floor(self) -> float:
        """Amplitude far off the axis."""
        return float(10 ** (self.floor_db / 20))

    @property
    def steepness(self) -> float:
        """The factor b of the formula."""
        lobe = math.sqrt((1 - self.floor) / (0.5 - self.floor)) - 1
        return lobe / (1 - math.cos(math.radians(self.angle_degrees)))

    @property
    def mean_square(self) -> float:
        """Mean of the squared amplitude over all directions, one over the directivity factor Q."""
        cosines = np.linspace(-1, 1, _SAMPLES)
        return float(np.mean(self.gain(cosines) ** 2))

    def gain(self, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the amplitude for the cosines of angles, any shape."""
        gain: NDArray[np.float64] = self.floor + (1 - self.floor) / (1 + self.steepness * (1 - cosines)) ** 2
        return gain

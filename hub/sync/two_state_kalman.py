"""Follow a clock's offset and drift through noisy readings."""

from __future__ import annotations

import math

from hub.sync.limits import LARGEST_DRIFT

_DRIFT_COUNTS_FROM_SIGMAS = 2.0


class TwoStateKalman:
    """Kalman filter with the state (offset in seconds, drift in seconds per second).

    The drift wanders as a random walk, the offset is its integral. A drift that is not clear from zero
    (two sigmas) is not used to look ahead: noise of a short past would be stretched over the future.

    Parameters
    ----------
    wander_per_root_second : float
        Growth of the drift's uncertainty; a quartz in a room has 0.01 to 0.03 ppm in a second.
    """

    def __init__(self, *, wander_per_root_second: float = 2e-8) -> None:
        self._wander = wander_per_root_second**2
        self.drift = 0.0

    def start(self, at_seconds: float, offset_seconds: float, sigma_seconds: float) -> None:
        """Forget the past and begin with one reading; the drift may be anything a crystal has."""
        self._at, self._offset, self.drift = at_seconds, offset_seconds, 0.0
        self._offset_variance = sigma_seconds**2
        self._covariance, self._drift_variance = 0.0, LARGEST_DRIFT**2

    def observe(self, at_seconds: float, offset_seconds: float, sigma_seconds: float) -> None:
        """Take one reading that is not older than the last."""
        self._advance(at_seconds)
        residual = offset_seconds - self._offset
        total = self._offset_variance + sigma_seconds**2
        gain, drift_gain = self._offset_variance / total, self._covariance / total
        self._offset += gain * residual
        self.drift += drift_gain * residual
        self._drift_variance -= drift_gain * self._covariance
        self._covariance *= 1 - gain
        self._offset_variance *= 1 - gain

    def forget(self, sigma_seconds: float) -> None:
        """Be at least this unsure of the offset, and of the drift as at the start."""
        self._offset_variance = max(self._offset_variance, sigma_seconds**2)
        self._covariance, self._drift_variance = 0.0, LARGEST_DRIFT**2

    def line(self, at_seconds: float) -> float:
        """Return the offset with the drift as it is, for comparison with readings."""
        return self._offset + self.drift * (at_seconds - self._at)

    def offset(self, at_seconds: float) -> float:
        """Return the offset to use; a drift that is not significant is left out."""
        return self._offset + self.used_drift * (at_seconds - self._at)

    def sigma(self, at_seconds: float) -> float:
        """Return the standard deviation of `line` in seconds."""
        ahead = max(0.0, at_seconds - self._at)
        return math.sqrt(self._variance_ahead(ahead))

    @property
    def drift_sigma(self) -> float:
        """Standard deviation of the drift."""
        return math.sqrt(self._drift_variance)

    @property
    def used_drift(self) -> float:
        """The drift, or zero while it is not significant."""
        return self.drift if abs(self.drift) > _DRIFT_COUNTS_FROM_SIGMAS * self.drift_sigma else 0.0

    def _variance_ahead(self, seconds: float) -> float:
        return (
            self._offset_variance
            + 2 * seconds * self._covariance
            + seconds**2 * self._drift_variance
            + self._wander * seconds**3 / 3
        )

    def _advance(self, at_seconds: float) -> None:
        """Predict; the noise is that of a drift in continuous random walk (van Loan 1978)."""
        seconds = max(0.0, at_seconds - self._at)
        self._offset += seconds * self.drift
        self._offset_variance = self._variance_ahead(seconds)
        self._covariance += seconds * self._drift_variance + self._wander * seconds**2 / 2
        self._drift_variance += self._wander * seconds
        self._at = max(self._at, at_seconds)

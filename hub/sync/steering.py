"""How fast to play so that what is heard stays in step."""

from __future__ import annotations

from hub.sync.limits import LARGEST_CORRECTION, LARGEST_SLEW_PER_SECOND


class Steering:
    """Proportional control with feed-forward, limited in size and slew.

    Both clock filters know their drift, which is fed forward; so no integrator is needed, and nothing
    winds up at the limits.

    Parameters
    ----------
    time_constant_seconds : float
        An error shrinks to 37 % in this time.
    """

    def __init__(self, *, time_constant_seconds: float = 3.0) -> None:
        self._time_constant = time_constant_seconds
        self.correction = 0.0

    def reset(self, drift: float = 0.0) -> None:
        """Begin with the drift that is known."""
        self.correction = _clipped(drift, LARGEST_CORRECTION)

    def step(self, *, error_seconds: float, drift: float, elapsed_seconds: float) -> float:
        """Return the ratio (frames of the stream for one frame played) until the next step.

        Parameters
        ----------
        error_seconds : float
            How far the stream is behind where it should be.
        drift : float
            How much faster the server's time runs than that of the sound card, minus 1.
        elapsed_seconds : float
            Since the last step.
        """
        wanted = _clipped(drift + error_seconds / self._time_constant, LARGEST_CORRECTION)
        slew = LARGEST_SLEW_PER_SECOND * elapsed_seconds
        self.correction += _clipped(wanted - self.correction, slew)
        return 1 + self.correction


def _clipped(number: float, limit: float) -> float:
    return min(max(number, -limit), limit)

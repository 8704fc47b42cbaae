"""The cheap level: whether anything stirs that a classifier should look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sensing.ultrasound.doppler_features import FAST_BANDS, DopplerFrame

FAST_DB = 10.0
"""Strongest fast band over its floor: 4 dB less than the energy detector asks of an entry, and of one hop
instead of three. Of 79 simulated entries the network saw one before the gate did; at 12 dB it saw three."""
HYSTERESIS_DB = 1.0
HANG_OVER_HOPS = 6
BACKLOG_HOPS = 20


class BandGate:
    """Hand on the hops in which somebody may move, with the second before them.

    Nobody there means that only an entry matters, which takes fast bands, and noise alone hardly ever lifts
    those. While somebody is there small motion counts too; noise lifts the strongest of all bands several
    times a second, so a gate would save nothing and is open. An opening hands on the last second whole.

    Attributes
    ----------
    is_open : bool
        Whether the last hop was handed on.
    has_opened : bool
        Whether it was the first after a pause: a classifier is then reset, for some hops come again.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past; the gate is closed."""
        self._backlog: deque[DopplerFrame] = deque(maxlen=BACKLOG_HOPS)
        self._hang_over = 0
        self.is_open = self.has_opened = False

    def process(self, frame: DopplerFrame, *, is_present: bool) -> Sequence[DopplerFrame]:
        """Return the hops that a classifier has to score now, oldest first.

        They end with ``frame``, and are none while the gate is closed: then nobody moves.
        """
        was_open = self.is_open
        over_db = float(frame.bands_db[FAST_BANDS].max()) - FAST_DB
        is_stirred = is_present or over_db > (-HYSTERESIS_DB if was_open else 0.0)
        self._hang_over = HANG_OVER_HOPS if is_stirred else max(0, self._hang_over - 1)
        self.is_open = self._hang_over > 0
        self.has_opened = self.is_open and not was_open
        self._backlog.append(frame)
        if not self.is_open:
            return ()
        return tuple(self._backlog) if self.has_opened else (frame,)

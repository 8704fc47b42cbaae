"""What each level of processing costs, and how long it was open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFigures:
    """Totals of one level since the start.

    Attributes
    ----------
    open_share : float
        Share of the sound, 0 to 1, for which the level worked.
    core_share : float
        Processor time over the sound's time; 0.01 is 1 % of a core.
    """

    name: str
    open_share: float
    core_share: float


class ProcessingMeter:
    """Add up sound and processor time by level.

    Parameters
    ----------
    cpu_seconds : callable
        Returns the processor time of the calling thread in seconds.
    """

    def __init__(self, cpu_seconds: Callable[[], float]) -> None:
        self._cpu_seconds = cpu_seconds
        self._sound_seconds = 0.0
        self._open_seconds: dict[str, float] = {}
        self._busy_seconds: dict[str, float] = {}

    def hear(self, seconds: float) -> None:
        """Count sound that passed, whichever levels worked on it."""
        self._sound_seconds += seconds

    @contextmanager
    def level(self, name: str, seconds: float) -> Iterator[None]:
        """Charge the processor time of the body to a level that works on so much sound."""
        started = self._cpu_seconds()
        try:
            yield
        finally:
            spent = self._cpu_seconds() - started
            self._open_seconds[name] = self._open_seconds.get(name, 0.0) + seconds
            self._busy_seconds[name] = self._busy_seconds.get(name, 0.0) + spent

    def figures(self) -> list[LevelFigures]:
        """Return the levels in the order of their first work; empty before any sound.

        Any thread may ask; the levels may then differ by what is being worked on.
        """
        if not self._sound_seconds:
            return []
        return [
            LevelFigures(
                name=name,
                open_share=min(1.0, open_seconds / self._sound_seconds),
                core_share=self._busy_seconds.get(name, 0.0) / self._sound_seconds,
            )
            for name, open_seconds in list(self._open_seconds.items())
        ]

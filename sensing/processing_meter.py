"""What each level of processing costs, how long it was open, and how often it opened."""

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
    busy_seconds : float
        The processor time itself.
    openings : int
        How often the level began to work after it had let sound pass.
    """

    name: str
    open_share: float
    core_share: float
    busy_seconds: float
    openings: int


@dataclass(slots=True)
class _Level:
    open_seconds: float = 0.0
    busy_seconds: float = 0.0
    openings: int = 0
    worked_until: float = float("-inf")


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
        self._newest_seconds = 0.0
        self._levels: dict[str, _Level] = {}

    def hear(self, seconds: float) -> None:
        """Count sound that passed, whichever levels worked on it."""
        self._sound_seconds += seconds
        self._newest_seconds = seconds

    @contextmanager
    def level(self, name: str, seconds: float) -> Iterator[None]:
        """Charge the processor time of the body to a level that works on so much sound."""
        level = self._levels.setdefault(name, _Level())
        # work comes in pieces of its own length, and only when a piece of sound has come
        let_pass = self._sound_seconds - level.worked_until - seconds - self._newest_seconds
        level.openings += let_pass > 1e-6
        level.worked_until = self._sound_seconds
        started = self._cpu_seconds()
        try:
            yield
        finally:
            level.open_seconds += seconds
            level.busy_seconds += self._cpu_seconds() - started

    def figures(self) -> list[LevelFigures]:
        """Return the levels in the order of their first work; empty before any sound.

        Any thread may ask; the levels may then differ by what is being worked on.
        """
        if not self._sound_seconds:
            return []
        return [
            LevelFigures(
                name=name,
                open_share=min(1.0, level.open_seconds / self._sound_seconds),
                core_share=level.busy_seconds / self._sound_seconds,
                busy_seconds=level.busy_seconds,
                openings=level.openings,
            )
            for name, level in list(self._levels.items())
        ]

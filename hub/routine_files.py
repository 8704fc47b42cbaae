"""Watch the routine files, and hand over what was edited without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from hub.bus import Bus
from hub.clock import Clock
from hub.config.files import load_routine_files
from hub.events import ConfigRejected, RoutinesChanged
from routines.routine import Routine

_LOOK_SECONDS = 2.0

log = structlog.get_logger("routine files")


class RoutineFiles:
    """The service that reads the folder of routines again when something in it changes.

    With problems in any file the routines stay as they are; what runs is never disturbed.

    Parameters
    ----------
    on_edit : callable
        Called in a worker thread with the routines, before the engine gets them.
    """

    name = "routine files"
    needs = frozenset({"routines"})

    def __init__(
        self, *, folder: Path, bus: Bus, clock: Clock, on_edit: Callable[[Sequence[Routine]], None]
    ) -> None:
        self._folder = folder
        self._on_edit = on_edit
        self._bus = bus
        self._clock = clock

    async def run(self, ready: Callable[[], None]) -> None:
        """Look every two seconds until cancelled."""
        known = await asyncio.to_thread(_stamps, self._folder)
        ready()
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_SECONDS)
            stamps = await asyncio.to_thread(_stamps, self._folder)
            if stamps != known:
                known = stamps
                await self._read()

    async def _read(self) -> None:
        routines, problems = await asyncio.to_thread(load_routine_files, self._folder)
        if problems:
            log.warning("edited routines have problems; the old ones stay", first=str(problems[0]))
            self._bus.publish(ConfigRejected(problems=tuple(problems)))
        else:
            log.info("routines were edited", routines=len(routines))
            await asyncio.to_thread(self._on_edit, routines)
            self._bus.publish(RoutinesChanged(routines=tuple(routines)))


def _stamps(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Return what changes when a file is edited: its time and its size."""
    stamps = {}
    for file in folder.glob("*.yaml"):
        try:
            found = file.stat()
        except OSError:
            continue  # deleted just now, or by an editor that writes anew
        stamps[file.name] = (found.st_mtime_ns, found.st_size)
    return stamps

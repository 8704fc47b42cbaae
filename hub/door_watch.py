"""Tell the ultrasonic sensor when a door of its room opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.bus import Bus, Overflow
from routines.ports import DeviceChanged


class DoorWatch:
    """Watch door contacts in Home Assistant.

    Only a change from ``off`` to ``on`` is an opening: a door that is found open after the link came up,
    or after its contact was unavailable, may have been open for hours.

    Parameters
    ----------
    doors : sequence of str
        Entity ids of the contacts.
    on_open : callable
        Called on the event loop's thread at each opening.
    """

    name = "doors"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, doors: Sequence[str], bus: Bus, on_open: Callable[[], None]) -> None:
        self._states = dict.fromkeys(doors, "unknown")
        self._bus = bus
        self._on_open = on_open

    async def run(self, ready: Callable[[], None]) -> None:
        """Watch until cancelled."""
        changes = self._bus.subscribe(DeviceChanged, room=256, overflow=Overflow.DROP_OLDEST, name="doors")
        with changes:
            ready()
            async for change in changes:
                self._learn(change)

    def _learn(self, change: DeviceChanged) -> None:
        before = self._states.get(change.entity_id)
        if before is None:
            return
        self._states[change.entity_id] = change.state
        if (before, change.state) == ("off", "on"):
            self._on_open()

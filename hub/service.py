"""What the supervisor keeps alive."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class ServiceState(StrEnum):
    """Where a service is in its life."""

    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    WAITING = "waiting"
    STOPPED = "stopped"
    FAILED = "failed"


class Service(Protocol):
    """One coroutine: set up, call ``ready``, work until cancelled, clean up in ``finally``.

    Attributes
    ----------
    name : str
        Unique name, as shown by ``roomwise status``.
    needs : frozenset of str
        Names of services that must be ready (or have given up) first.
    """

    name: str
    needs: frozenset[str]

    async def run(self, ready: Callable[[], None]) -> None:
        """Work until cancelled.

        Raises
        ------
        hub.errors.Degraded
            The part cannot work now (no broker, no microphone); the supervisor shows the hint and retries.
        """

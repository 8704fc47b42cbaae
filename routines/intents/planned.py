"""What is to be done about a wish, or why it cannot be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.effects import CallService
from routines.home import Home
from routines.intents.directory import Directory
from routines.intents.intent import Intent
from routines.intents.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done; everything may be empty ("never mind").

    Attributes
    ----------
    calls : tuple of CallService
        Home Assistant's actions, in order.
    reply : str or None
        To be said when all calls went well.
    refusal : str or None
        To be said instead: why nothing is done.
    request : Request or None
        A timer, alarm or reminder to be kept.
    broadcast : str or None
        To be said in every room.
    """

    calls: tuple[CallService, ...] = ()
    reply: str | None = None
    refusal: str | None = None
    request: Request | None = None
    broadcast: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A wish together with everything that decides what it means here and now."""

    intent: Intent
    directory: Directory
    home: Home
    area: str | None
    now: datetime
    timezone: ZoneInfo

    def number(self, slot: str) -> float | None:
        """Return a slot that holds a number."""
        value = self.intent.slots.get(slot)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, slot: str) -> str | None:
        """Return a slot that holds a text."""
        value = self.intent.slots.get(slot)
        return value if isinstance(value, str) and value else None


class NotPossible(Exception):
    """A wish cannot be met; the message is a sentence to say, without its full stop."""

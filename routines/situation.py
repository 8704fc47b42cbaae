"""What a decision is made from: the home, the time, the place, and the variables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.facts import Json
from routines.home import Home
from routines.schedule.sun import Place
from routines.templates.template import RunScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A moment in a home.

    Attributes
    ----------
    variables : mapping
        What templates see: ``trigger``, ``wait``, ``repeat`` and the routine's own.
    """

    home: Home
    now: datetime
    timezone: ZoneInfo
    place: Place | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)

    @property
    def local(self) -> datetime:
        """The time on the wall."""
        return self.now.astimezone(self.timezone)

    @property
    def scope(self) -> RunScope:
        """The same for templates."""
        return RunScope(variables=self.variables, home=self.home, now=self.local)

"""Play the past again through changed routines, and tell what would have been different."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routines.facts import Fact
from routines.intents.directory import Directory
from routines.outputs import Verdict
from routines.routine import Routine
from routines.schedule.sun import Place
from routines.simulator import Simulator

Firing = tuple[datetime, str]
"""When a routine started, and by which trigger."""
_SAME = timedelta(seconds=2)
"""Two firings nearer than this are the same: the hub is a little later than a simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How often a routine would have started, and which starts are new or gone."""

    routine: str
    would_have_fired: int
    new: tuple[Firing, ...]
    gone: tuple[Firing, ...]


def what_if(
    before: Sequence[Routine],
    after: Sequence[Routine],
    facts: Sequence[tuple[datetime, Fact]],
    *,
    end: datetime,
    timezone: ZoneInfo,
    place: Place | None = None,
    directory: Directory | None = None,
) -> list[Difference]:
    """Return for each routine of either set what the past would have been with the other one.

    Both sets see the same facts; what a changed routine would have done to the home is not in them.
    """
    fired = [
        _firings(routines, facts, end=end, timezone=timezone, place=place, directory=directory)
        for routines in (before, after)
    ]
    names = sorted({routine.id for routine in (*before, *after)})
    return [_difference(name, *(one.get(name, []) for one in fired)) for name in names]


def _firings(
    routines: Sequence[Routine],
    facts: Iterable[tuple[datetime, Fact]],
    *,
    end: datetime,
    timezone: ZoneInfo,
    place: Place | None,
    directory: Directory | None,
) -> dict[str, list[Firing]]:
    played = list(facts)
    start = played[0][0] if played else end
    simulator = Simulator(routines, start=start, timezone=timezone, place=place, directory=directory)
    happened = simulator.begin()
    for at, fact in played:
        happened += simulator.advance(at)
        happened += simulator.tell(fact)
    happened += simulator.advance(end)
    firings: dict[str, list[Firing]] = {}
    for one in happened:
        if isinstance(one, Verdict) and one.verdict in ("fired", "caught_up"):
            firings.setdefault(one.routine, []).append((one.at, one.trigger))
    return firings


def _difference(name: str, before: Sequence[Firing], after: Sequence[Firing]) -> Difference:
    return Difference(
        routine=name,
        would_have_fired=len(after),
        new=tuple(_without(after, before)),
        gone=tuple(_without(before, after)),
    )


def _without(firings: Sequence[Firing], others: Sequence[Firing]) -> Iterable[Firing]:
    """Yield the firings that have no counterpart, each of which counts once."""
    left = list(others)
    for at, trigger in firings:
        same = next((one for one in left if abs(one[0] - at) <= _SAME), None)
        if same is None:
            yield at, trigger
        else:
            left.remove(same)

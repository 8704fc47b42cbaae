"""Look at routines without running them, and say what is wrong or odd."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from routines.analysis.branches import contradictions, unreachable_branches
from routines.analysis.collisions import PhraseCollisions
from routines.analysis.dead_ends import never_done, never_fired, never_started
from routines.analysis.effects import EffectFinder
from routines.analysis.findings import Finding
from routines.analysis.loops import loops
from routines.analysis.names import KnownThings, callers, unknown_routines, unknown_triggers
from routines.analysis.opposites import opposite_actions
from routines.intents.built_in import BuiltInIntents
from routines.intents.directory import Directory
from routines.routine import Routine


def analyse(
    routines: Sequence[Routine],
    *,
    directory: Directory | None = None,
    entities: Collection[str] | None = None,
    with_built_in: bool = False,
) -> list[Finding]:
    """Return everything that is wrong or odd about routines, in their order.

    Parameters
    ----------
    routines : sequence of Routine
        All that will run together; what one says is looked at beside the others.
    directory : Directory or None
        What the home calls its things. Areas are looked up when it has some.
    entities : collection of str or None
        Ids of all entities. With neither these nor a directory, unknown ones are not looked for.
    with_built_in : bool
        Also compare phrases with the sentences that are understood without routines; takes a few
        milliseconds a phrase.
    """
    order = {routine.id: number for number, routine in enumerate(routines)}
    things = KnownThings(directory, entities)
    found = [finding for routine in routines for finding in _of_one(routine, order, things)]
    run_by = callers(routines)
    for routine in routines:
        found += unknown_triggers(routine, run_by.get(routine.id, ()))
        found += never_started(routine, is_run_by_others=routine.id in run_by)
    found += _of_all(routines, directory, with_built_in=with_built_in)
    return sorted(found, key=lambda finding: order[finding.routine])


def _of_one(routine: Routine, routines: Collection[str], things: KnownThings) -> Iterator[Finding]:
    yield from things.unknown_in(routine)
    yield from unknown_routines(routine, routines)
    yield from contradictions(routine)
    yield from unreachable_branches(routine)
    yield from never_done(routine)
    yield from never_fired(routine)


def _of_all(
    routines: Sequence[Routine], directory: Directory | None, *, with_built_in: bool
) -> Iterator[Finding]:
    finder = EffectFinder(directory)
    effects = {routine.id: finder.effects_of(routine) for routine in routines}
    yield from loops(routines, effects)
    yield from opposite_actions(routines, effects, finder)
    phrases = PhraseCollisions(routines, directory)
    yield from phrases.between_routines()
    if with_built_in:
        yield from phrases.with_built_in(BuiltInIntents(directory or Directory()))

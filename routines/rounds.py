"""How often a loop goes round, and what its rounds see as ``repeat``."""

from __future__ import annotations

from routines.facts import Json
from routines.run_context import AuthoringFault, Frame, Strand
from routines.vocabulary.actions import RepeatAction


def items_of(action: RepeatAction, strand: Strand, where: str) -> list[Json] | None:
    """Return what is gone through: the items of ``for_each``, or numbers up to ``count``; None for neither.

    Raises
    ------
    ActionFailed, AuthoringFault
        They cannot be computed, or are no such thing.
    """
    loop = action.repeat
    if loop.for_each is not None:
        items = strand.rendered(loop.for_each, f"{where}.repeat.for_each")
        if not isinstance(items, list):
            raise AuthoringFault(f"{where}.repeat.for_each is no list")
        return items
    if loop.count is None:
        return None
    count = strand.rendered(loop.count, f"{where}.repeat.count")
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= loop.max_iterations:
        raise AuthoringFault(f"{where}.repeat.count is {count!r}, not a number up to {loop.max_iterations}")
    return [None] * count


def loop_variable(frame: Frame) -> Json:
    """Return what a round sees as ``repeat``."""
    index, items = number(frame, "n"), frame.get("items")
    known: dict[str, Json] = {"index": index, "first": index == 1}
    if isinstance(items, list):
        known |= {"last": index == len(items), "item": items[index - 1]}
    return known


def number(frame: Frame, name: str) -> int:
    """Return a count of a frame, 0 where there is none yet."""
    value = frame.get(name, 0)
    return value if isinstance(value, int) else 0

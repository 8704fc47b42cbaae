"""JSON values as trees: what has been read from YAML, or dumped from a routine."""

from __future__ import annotations

from collections.abc import Iterator

from routines.facts import Json


def mappings_in(value: Json) -> Iterator[dict[str, Json]]:
    """Yield every mapping of a value, each before those inside it."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one

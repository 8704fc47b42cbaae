"""Which entities a target means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from routines.facts import Json
from routines.intents.directory import Directory


def entities_of(target: Mapping[str, Json], directory: Directory) -> Sequence[str]:
    """Return the entities that a target names; areas and floors only as far as the home is known."""
    found = dict.fromkeys(_texts(target.get("entity_id")))
    for area in _texts(target.get("area_id")):
        found.update(dict.fromkeys(one.entity_id for one in directory.select(area=area)))
    for floor in _texts(target.get("floor_id")):
        found.update(dict.fromkeys(one.entity_id for one in directory.select(floor=floor)))
    return list(found)


def _texts(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text.strip() for one in values if isinstance(one, str) for text in one.split(",")]

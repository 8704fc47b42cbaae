"""What a home calls its things, from Home Assistant's registries and the states' own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from routines.facts import Json
from routines.intents.directory import Area, Directory, Entity, Floor

Entry = Mapping[str, Json]


def directory_from(
    *,
    states: Iterable[Entry],
    entities: Iterable[Entry] = (),
    devices: Iterable[Entry] = (),
    areas: Iterable[Entry] = (),
    floors: Iterable[Entry] = (),
) -> Directory:
    """Return the directory of a home.

    Parameters
    ----------
    states : iterable of mapping
        As ``get_states`` gives them; only what has a state is a thing.
    entities, devices, areas, floors : iterable of mapping
        As the lists of the registries; a user without the right to read them leaves them empty.
    """
    registered = {str(one.get("entity_id")): one for one in entities}
    device_areas = {str(one.get("id")): one.get("area_id") for one in devices}
    return Directory(
        entities=tuple(
            _entity(state, registered.get(str(state.get("entity_id")), {}), device_areas)
            for state in states
            if not registered.get(str(state.get("entity_id")), {}).get("hidden_by")
        ),
        areas=tuple(
            Area(
                area_id=str(one["area_id"]),
                names=_names(one.get("name"), one.get("aliases")),
                floor=_text(one.get("floor_id")),
            )
            for one in areas
            if one.get("area_id")
        ),
        floors=tuple(
            Floor(floor_id=str(one["floor_id"]), names=_names(one.get("name"), one.get("aliases")))
            for one in floors
            if one.get("floor_id")
        ),
    )


def _entity(state: Entry, entry: Entry, device_areas: Mapping[str, Json]) -> Entity:
    attributes = state.get("attributes")
    shown = attributes if isinstance(attributes, dict) else {}
    own_area = entry.get("area_id") or device_areas.get(str(entry.get("device_id")))
    return Entity(
        entity_id=str(state["entity_id"]),
        names=_names(shown.get("friendly_name"), entry.get("aliases")),
        area=_text(own_area),
        device_class=_text(shown.get("device_class")),
    )


def _names(name: Json, aliases: Json) -> tuple[str, ...]:
    listed: Sequence[Json] = aliases if isinstance(aliases, list) else []
    names = [one.strip() for one in (name, *listed) if isinstance(one, str) and one.strip()]
    return tuple(dict.fromkeys(names))


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None

"""What a home calls its things: entities, areas and floors with the names that people say."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

_EDGES = re.compile(r"[^\w\s']+")
_ARTICLES = frozenset({"the", "my", "our"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One thing of the home; the first name is the one it is answered with."""

    entity_id: str
    names: tuple[str, ...]
    area: str | None = None
    device_class: str | None = None

    @property
    def domain(self) -> str:
        """What kind of thing it is: the first half of its id."""
        return self.entity_id.partition(".")[0]

    @property
    def name(self) -> str:
        """The name it is answered with."""
        return self.names[0] if self.names else self.entity_id.partition(".")[2].replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A room or another part of the home."""

    area_id: str
    names: tuple[str, ...]
    floor: str | None = None

    @property
    def name(self) -> str:
        """The name it is answered with."""
        return self.names[0] if self.names else self.area_id.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A level of the home."""

    floor_id: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name it is answered with."""
        return self.names[0] if self.names else self.floor_id.replace("_", " ")


def plain(spoken: str) -> str:
    """Return a name as it is compared: lower case, without punctuation and leading article."""
    words = _EDGES.sub(" ", spoken.casefold()).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in _ARTICLES else words)


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everything that can be called by name; immutable, so a changed home is a new directory."""

    entities: tuple[Entity, ...] = ()
    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()

    @cached_property
    def _entities_by_id(self) -> Mapping[str, Entity]:
        return {entity.entity_id: entity for entity in self.entities}

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity with an id."""
        return self._entities_by_id.get(entity_id)

    def area(self, area_id: str) -> Area | None:
        """Return the area with an id."""
        return next((area for area in self.areas if area.area_id == area_id), None)

    def floor(self, floor_id: str) -> Floor | None:
        """Return the floor with an id."""
        return next((floor for floor in self.floors if floor.floor_id == floor_id), None)

    def named(self, spoken: str) -> tuple[Entity, ...]:
        """Return the entities that are called so; several things may share a name."""
        wanted = plain(spoken)
        return tuple(entity for entity in self.entities if wanted in map(plain, entity.names))

    def area_named(self, spoken: str) -> Area | None:
        """Return the area that is called so, by its id or one of its names."""
        wanted = plain(spoken)
        return self.area(spoken) or next((a for a in self.areas if wanted in map(plain, a.names)), None)

    def areas_of(self, floor_id: str) -> frozenset[str]:
        """Return the ids of the areas on a floor."""
        return frozenset(area.area_id for area in self.areas if area.floor == floor_id)

    def select(
        self,
        *,
        domains: Collection[str] | None = None,
        device_classes: Collection[str] | None = None,
        area: str | None = None,
        floor: str | None = None,
    ) -> tuple[Entity, ...]:
        """Return the entities that meet everything asked for; None asks for nothing."""
        rooms = None if floor is None else self.areas_of(floor)
        return tuple(
            entity
            for entity in self.entities
            if (domains is None or entity.domain in domains)
            and (device_classes is None or entity.device_class in device_classes)
            and (area is None or entity.area == area)
            and (rooms is None or entity.area in rooms)
        )

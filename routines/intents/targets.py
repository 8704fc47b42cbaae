"""Which things of the home a wish is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from routines.facts import UNKNOWN_STATES, Json
from routines.home import EntityState
from routines.intents.directory import Entity
from routines.intents.planned import Asked, NotPossible

_WORDS: Mapping[str, str] = {
    "climate": "thermostat",
    "binary_sensor": "sensor",
    "media_player": "media player",
    "todo": "list",
    "vacuum": "vacuum cleaner",
    "garage": "garage door",
    "garage_door": "garage door",
}
_PLURALS: Mapping[str, str] = {"battery": "batteries", "person": "people", "switch": "switches"}
_WITH_OWN_NAMES = frozenset({"lawn_mower", "person", "scene", "vacuum"})
_IN_PLURAL = frozenset({"cover", "fan", "light", "switch"})


def find(asked: Asked, kinds: Collection[str] | None = None) -> tuple[Entity, ...]:
    """Return what a wish is about: the named thing, or all of a kind in a place.

    Parameters
    ----------
    kinds : collection of str or None
        The domains that the wish can be about, where the sentence does not say.

    Raises
    ------
    NotPossible
        There is no such thing, it is of another kind, or the name fits several.
    """
    name = asked.intent.slots.get("name")
    if isinstance(name, list):
        raise NotPossible(_ambiguous(asked, [str(one) for one in name]))
    if isinstance(name, str) and name != "all":
        return (_named(asked, name, kinds),)
    domains = _texts(asked.intent.slots.get("domain")) or kinds
    classes = _texts(asked.intent.slots.get("device_class"))
    found = asked.directory.select(
        domains=domains, device_classes=classes, area=asked.text("area"), floor=asked.text("floor")
    )
    if not found:
        sensor = " sensor" if classes and domains == ("binary_sensor",) else ""
        raise NotPossible(f"I know no {kind_word(classes or domains or ())}{sensor}{place(asked)}")
    return found


def _named(asked: Asked, entity_id: str, kinds: Collection[str] | None) -> Entity:
    entity = asked.directory.entity(entity_id)
    if entity is None:
        raise NotPossible(f"I do not know {entity_id} any more")
    area = None if asked.intent.is_area_implied else asked.text("area")
    floor = asked.text("floor")
    is_there = (area is None or entity.area == area) and (
        floor is None or entity.area in asked.directory.areas_of(floor)
    )
    if not is_there:
        raise NotPossible(f"I know no {entity.name}{place(asked)}")
    if kinds is not None and entity.domain not in kinds:
        raise NotPossible(f"{the(entity).capitalize()} is no {kind_word(kinds)}")
    return entity


def _ambiguous(asked: Asked, ids: Sequence[str]) -> str:
    known = [entity for entity in map(asked.directory.entity, ids) if entity is not None]
    area = None if asked.intent.is_area_implied else asked.text("area")
    if known and area is not None and all(entity.area != area for entity in known):
        return f"I know no {known[0].name}{place(asked)}"
    rooms = [room.name for e in known if e.area is not None and (room := asked.directory.area(e.area))]
    name = known[0].name if known else ids[0]
    if len(set(rooms)) == len(known):
        return f"I know a {name} in the {one_of(rooms)}; say which"
    return f"I know {len(ids)} things called {name}; say which"


def known_state(asked: Asked, entity: Entity) -> EntityState | None:
    """Return what is known of a thing, or None: never told, unknown and unavailable are all the same."""
    state = asked.home.state(entity.entity_id)
    return None if state is None or state.state in UNKNOWN_STATES else state


def why_unknown(asked: Asked, entity: Entity) -> str:
    """Return a sentence that says that a thing's state is not known, and why."""
    state = asked.home.state(entity.entity_id)
    if state is None:
        verb = "have" if is_or_are([entity]) == "are" else "has"
        return f"I do not know: {the(entity)} {verb} not reported yet"
    if state.state == "unavailable":
        return f"I do not know: {the(entity)} cannot be reached"
    return f"I do not know: the state of {the(entity)} is unknown"


def target(entities: Sequence[Entity]) -> dict[str, Json]:
    """Return the target of a call."""
    ids: list[Json] = [entity.entity_id for entity in entities]
    return {"entity_id": ids[0] if len(ids) == 1 else ids}


def kind_word(kinds: Collection[str]) -> str:
    """Return the word for a kind of thing: "thermostat"."""
    words = sorted({_WORDS.get(kind, kind.replace("_", " ")) for kind in kinds})
    return " or ".join(words) or "such thing"


def plural(word: str) -> str:
    """Return the word for several of a kind."""
    return _PLURALS.get(word, f"{word}s")


def place(asked: Asked) -> str:
    """Return where a wish is about, to be put behind a noun: " in the kitchen"."""
    if (area_id := asked.text("area")) is not None:
        area = asked.directory.area(area_id)
        return f" in the {(area.name if area else area_id.replace('_', ' ')).lower()}"
    if (floor_id := asked.text("floor")) is not None:
        floor = asked.directory.floor(floor_id)
        name = (floor.name if floor else floor_id.replace("_", " ")).lower()
        return f" {name}" if name.endswith("stairs") else f" on the {name}"
    return ""


def the(entity: Entity) -> str:
    """Return a thing's name with its article; people and what is named like them have none."""
    name = entity.name
    has_article = name.lower().startswith(("the ", "my ", "our ")) or "'s " in name
    return name if entity.domain in _WITH_OWN_NAMES or has_article else f"the {name}"


def is_or_are(entities: Sequence[Entity]) -> str:
    """Return the verb for things: "are" for several, and for one whose name is a plural ("the curtains")."""
    name = entities[0].name.lower() if len(entities) == 1 else ""
    is_plural = not name or (
        entities[0].domain in _IN_PLURAL and name.endswith("s") and not name.endswith("ss")
    )
    return "are" if is_plural else "is"


def described(entities: Sequence[Entity], asked: Asked) -> str:
    """Return what was acted on: "the desk lamp", or "3 lights in the kitchen"."""
    if len(entities) == 1:
        return the(entities[0])
    word = kind_word({entity.domain for entity in entities})
    return f"{len(entities)} {plural(word)}{place(asked)}"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def one_of(names: Sequence[str]) -> str:
    """Return names as a choice: "a, b or c"."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _texts(value: Json) -> tuple[str, ...] | None:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return (value,) if isinstance(value, str) else None

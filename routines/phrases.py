"""Spoken phrases: hassil templates of routines and of sentence files, matched and offered as a grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from hassil import Intents, RecognizeResult, recognize_all

from routines.facts import Json
from routines.intents.directory import Directory
from routines.json_tree import mappings_in
from routines.routine import Routine
from routines.vocabulary.lists import List, RangeList, WordList
from routines.vocabulary.triggers import VoiceTrigger

_ROUTINE_PREFIX = "routine."
_EDGES = re.compile(r"[^\w\s']")
_MOST_WORDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a sentence means: a trigger of a routine or an intent, with its slots."""

    intent: str | None
    routine: str | None
    trigger: int | None = None
    slots: Mapping[str, Json] = field(default_factory=dict)


class Phrasebook:
    """All sentences that are understood; routines' phrases win over other sentences.

    Attributes
    ----------
    intents : Intents
        All templates, the routines' as intents named ``routine.<id>.<trigger>``: the recogniser's grammar.
    """

    def __init__(self, intents: Intents, routines: Intents) -> None:
        self.intents = intents
        self._routines = routines

    @classmethod
    def from_sentences(
        cls,
        sentences: Mapping[str, Json] | None,
        routines: Sequence[Routine],
        directory: Directory | None = None,
    ) -> Self:
        """Build from a file of sentences (hassil's intents format), routines, and the home's names.

        Raises
        ------
        ValueError
            A template cannot be read; the message is hassil's.
        """
        given = dict(sentences or {})
        language = str(given.get("language", "en"))
        own: dict[str, Json] = {
            f"{_ROUTINE_PREFIX}{routine.id}.{index}": {"data": [_block(routine, trigger)]}
            for routine in routines
            for index, trigger in routine.voice_triggers()
        }
        said, named = given.get("lists"), _home_lists(routines, directory or Directory())
        others = given.get("intents")
        lists: dict[str, Json] = {**named, **(said if isinstance(said, dict) else {})}
        everything: dict[str, Json] = {**(others if isinstance(others, dict) else {}), **own}
        return cls(
            Intents.from_dict({**given, "language": language, "intents": everything, "lists": lists}),
            Intents.from_dict({"language": language, "intents": own, "lists": named}),
        )

    def match_routine(self, text: str, room: str | None = None) -> Match | None:
        """Return the trigger whose phrase a sentence is, or None."""
        return _best(plain_sentence(text), self._routines, room)

    def match(self, text: str, room: str | None = None) -> Match | None:
        """Return what a sentence means, or None."""
        return self.match_routine(text, room) or _best(plain_sentence(text), self.intents, room)


def plain_sentence(text: str) -> str:
    """Return a sentence as it is matched: lower case, without punctuation."""
    return " ".join(_EDGES.sub(" ", text.lower()).split()[:_MOST_WORDS])


def match_phrases(
    trigger: VoiceTrigger, lists: Mapping[str, List], text: str, directory: Directory
) -> Mapping[str, Json] | None:
    """Return the slots of a sentence that is one of a trigger's phrases, else None."""
    rooms = _home_lists((), directory)
    content: Json = {"sentences": list(trigger.phrases), "lists": _hassil_lists(lists)}
    intents = Intents.from_dict({"language": "en", "intents": {"it": {"data": [content]}}, "lists": rooms})
    found = _best(plain_sentence(text), intents, None)
    return None if found is None else found.slots


def _best(plain: str, intents: Intents, room: str | None) -> Match | None:
    context = {} if room is None else {"area": room, "heard_in": room}
    readings = recognize_all(plain, intents, intent_context=context)
    found = min(readings, key=_order, default=None)
    if found is None:
        return None
    name = found.intent.name
    slots = {key: slot_value(entity.value) for key, entity in found.entities.items() if key != "heard_in"}
    if not name.startswith(_ROUTINE_PREFIX):
        return Match(intent=name, routine=None, slots=slots)
    routine, _, trigger = name.removeprefix(_ROUTINE_PREFIX).rpartition(".")
    return Match(intent=None, routine=routine, trigger=int(trigger), slots=slots)


def _order(reading: RecognizeResult) -> tuple[int, int, int]:
    """Sort readings: fewer open slots, then more words of the template, then less text in open slots."""
    wild = [entity for entity in reading.entities_list if entity.is_wildcard]
    return len(wild), -reading.text_chunks_matched, sum(len(entity.text or "") for entity in wild)


def slot_value(value: Json) -> Json:
    """Return a slot's value: numbers that are whole as int ("20" is heard as 20.0)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _block(routine: Routine, trigger: VoiceTrigger) -> Json:
    block: dict[str, Json] = {"sentences": list(trigger.phrases), "lists": _hassil_lists(routine.lists)}
    if trigger.rooms is not None:
        block["requires_context"] = {"heard_in": list(trigger.rooms)}
    return block


def _hassil_lists(lists: Mapping[str, List]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, content in lists.items():
        if isinstance(content, WordList):
            values: list[Json] = [
                one if isinstance(one, str) else {"in": one.in_, "out": one.out} for one in content.values
            ]
            found[name] = {"values": values}
        elif isinstance(content, RangeList):
            limits = content.range
            found[name] = {"range": {"from": limits.from_, "to": limits.to, "step": limits.step}}
        else:
            found[name] = {"wildcard": True}
    return found


def _home_lists(routines: Iterable[Routine], directory: Directory) -> dict[str, Json]:
    """Return the names of rooms, floors and things; rooms that only routines speak of count too."""
    areas = {name: area.area_id for area in directory.areas for name in area.names}
    for room in sorted(rooms_named(routines)):
        if directory.area(room) is None:
            areas.setdefault(room.replace("_", " "), room)
    floors = {name: floor.floor_id for floor in directory.floors for name in floor.names}
    names = {name: entity.entity_id for entity in directory.entities for name in entity.names}
    return {
        kind: {"values": [{"in": _literal(said), "out": meant} for said, meant in content.items()]}
        for kind, content in (("area", areas), ("floor", floors), ("name", names))
    }


def _literal(name: str) -> str:
    """Return a name without what templates would take for their own signs."""
    return re.sub(r"[()\[\]{}<>|:;]", " ", name).strip() or "unnamed"


def rooms_named(routines: Iterable[Routine]) -> set[str]:
    """Return the ids of the rooms that routines speak of."""
    rooms: set[str] = set()
    for routine in routines:
        for words in mappings_in(routine.model_dump(mode="json", by_alias=True, exclude_unset=True)):
            for key in ("room", "rooms", "area_id"):
                rooms.update(one for one in _texts(words.get(key)) if _ROOM.fullmatch(one))
    return rooms


_ROOM = re.compile(r"[a-z][a-z0-9_]*")


def _texts(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]

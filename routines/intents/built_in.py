"""Home Assistant's own sentences, recognised with the names of this home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from hassil import Intents, RecognizeResult, TextSlotList, recognize_all
from hassil.intents import Intent as HassilIntent
from hassil.intents import IntentData
from home_assistant_intents import get_intents
from ruamel.yaml import YAML

from routines.facts import Json
from routines.intents.directory import Directory
from routines.intents.intent import Intent
from routines.intents.ranking import rank

_WARMING = ("a sentence that means nothing to a house", "set the light to twenty percent")


class BuiltInIntents:
    """Recognise the built-in sentences about one home.

    The sentence templates come with the package ``home-assistant-intents``; a file beside this one adds a
    few that it lacks. They are read once for a language, whatever the number of homes, and prepared here, so
    that the first sentence is as quick as the others.

    Parameters
    ----------
    directory : Directory
        What the home calls its things.
    language : str
        The language of the sentences.

    Raises
    ------
    ValueError
        There are no sentences in this language.
    """

    def __init__(self, directory: Directory, language: str = "en") -> None:
        self._directory = directory
        self.slot_lists = _slot_lists(directory)
        self.intents = _relevant(_sentences(language), directory)
        # Templates are parsed on first use, all by one sentence; another reads the words for numbers.
        for sentence in _WARMING:
            self.recognize(sentence, area="")

    def recognize(self, text: str, *, area: str | None) -> Intent | None:
        """Return what a sentence means, or None if no built-in sentence says it so.

        Parameters
        ----------
        text : str
            A transcript; case and punctuation do not matter.
        area : str or None
            Id or name of the area in which it was heard, for sentences that name none ("turn on the lights").
        """
        known = None if area is None else self._directory.area_named(area)
        heard_in = area if known is None else known.area_id
        found = recognize_all(
            text,
            self.intents,
            slot_lists=self.slot_lists,
            intent_context=None if heard_in is None else {"area": heard_in},
        )
        best = _best(found)
        return self._intent(best, heard_in, text) if best else None

    def _intent(self, best: Sequence[RecognizeResult], heard_in: str | None, text: str) -> Intent:
        result = best[0]
        slots: dict[str, Json] = {key: _value(entity.value) for key, entity in result.entities.items()}
        area = result.entities.get("area")
        is_implied = area is not None and not area.text.strip()
        named = [entity for r in best if (entity := r.entities.get("name")) and entity.text]
        if len(named) > 1 and not named[0].is_wildcard:
            near = area.value if area is not None and not is_implied else heard_in
            slots["name"] = self._closest([entity.value for entity in named], near)
        return Intent(
            name=result.intent.name,
            slots=slots,
            text=text,
            kind=result.response if result.response != "default" else None,
            is_area_implied=is_implied,
        )

    def _closest(self, ids: Sequence[str], area: str | None) -> Json:
        """Return the one of several things with one name that is meant, or all their ids."""
        every = list(dict.fromkeys(ids))
        near = [i for i in every if (entity := self._directory.entity(i)) and entity.area == area]
        meant = near if area is not None and near else every
        return meant[0] if len(meant) == 1 else [*meant]


@cache
def _sentences(language: str) -> Intents:
    data = get_intents(language)
    if data is None:
        raise ValueError(f"there are no built-in sentences for the language {language!r}")
    more = files(__package__).joinpath(f"sentences.{language}.yaml")
    if more.is_file():
        added = YAML(typ="safe", pure=True).load(more.read_text(encoding="utf-8"))
        for name, intent in added["intents"].items():
            data["intents"][name]["data"] += intent["data"]
    return Intents.from_dict(data)


def _slot_lists(directory: Directory) -> dict[str, TextSlotList]:
    """Return the names of a home as hassil's lists; names are plain text, whatever brackets they hold."""
    names = [
        (name, entity.entity_id, {"domain": entity.domain, "device_class": entity.device_class})
        for entity in directory.entities
        for name in entity.names
    ]
    areas = [(name, area.area_id) for area in directory.areas for name in area.names]
    floors = [(name, floor.floor_id) for floor in directory.floors for name in floor.names]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False),
        "area": TextSlotList.from_tuples(areas, allow_template=False),
        "floor": TextSlotList.from_tuples(floors, allow_template=False),
    }


def _relevant(intents: Intents, directory: Directory) -> Intents:
    """Leave out templates about named things of a kind that the home does not have: they cannot match."""
    kinds = {(entity.domain, entity.device_class) for entity in directory.entities}
    kept = {}
    for name, intent in intents.intents.items():
        data = [block for block in intent.data if _can_match(block, kinds)]
        if data:
            kept[name] = HassilIntent(name=name, data=data)
    return replace(intents, intents=kept)


def _can_match(block: IntentData, kinds: Iterable[tuple[str, str | None]]) -> bool:
    domain = block.requires_context.get("domain")
    device_class = block.requires_context.get("device_class")
    return any(
        _meets(domain, had_domain) and _meets(device_class, had_class) for had_domain, had_class in kinds
    ) or (domain is None and device_class is None)


def _meets(wanted: str | Sequence[str] | None, had: str | None) -> bool:
    return wanted is None or had == wanted or (not isinstance(wanted, str) and had in wanted)


def _best(results: Iterable[RecognizeResult]) -> list[RecognizeResult]:
    """Return the best readings: more than one only where things share a name."""
    ranked = sorted(((rank(result), result) for result in results), key=lambda pair: pair[0])
    return [result for key, result in ranked if key == ranked[0][0]]


def _value(value: Json) -> Json:
    """Return a slot's value: whole numbers as int ("20" is heard as 20.0), wildcards without edges."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case str():
            return value.strip()
        case list():
            return [_value(one) for one in value]
        case Mapping():
            return {key: _value(one) for key, one in value.items()}
        case _:
            return value

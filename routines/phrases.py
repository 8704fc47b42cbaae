"""Spoken phrases: hassil templates of routines and of sentence files, matched and offered as a grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from hassil import Intents, recognize_best

from routines.facts import Json
from routines.routine import Routine
from routines.vocabulary.triggers import VoiceTrigger

_ROUTINE_PREFIX = "routine."
_EDGES = re.compile(r"[^\w\s']")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a sentence means: a routine or an intent, with its slots."""

    intent: str | None
    routine: str | None
    slots: Mapping[str, Json] = field(default_factory=dict)


class Phrasebook:
    """All sentences that are understood; routines' phrases win over other sentences.

    Attributes
    ----------
    intents : Intents
        All templates, the routines' as intents named ``routine.<id>``: the recogniser's grammar.
    """

    def __init__(self, intents: Intents, routines: Intents) -> None:
        self.intents = intents
        self._routines = routines

    @classmethod
    def from_sentences(cls, sentences: Mapping[str, Json] | None, routines: Sequence[Routine]) -> Self:
        """Build from a file of sentences (hassil's intents format) and routines.

        Raises
        ------
        ValueError
            A template cannot be read; the message is hassil's.
        """
        language = str((sentences or {}).get("language", "en"))
        own = {f"{_ROUTINE_PREFIX}{r.id}": {"data": [{"sentences": list(_phrases(r))}]} for r in routines}
        own = {name: data for name, data in own.items() if data["data"][0]["sentences"]}
        others = (sentences or {}).get("intents")
        everything = {**(others if isinstance(others, dict) else {}), **own}
        return cls(
            Intents.from_dict({**(sentences or {}), "language": language, "intents": everything}),
            Intents.from_dict({"language": language, "intents": own}),
        )

    def match(self, text: str, room: str | None = None) -> Match | None:
        """Return what a sentence means, or None."""
        plain = " ".join(_EDGES.sub(" ", text.lower()).split())
        context = None if room is None else {"area": room}
        for intents in (self._routines, self.intents):
            found = recognize_best(plain, intents, intent_context=context)
            if found is not None:
                name = found.intent.name
                is_routine = name.startswith(_ROUTINE_PREFIX)
                return Match(
                    intent=None if is_routine else name,
                    routine=name.removeprefix(_ROUTINE_PREFIX) if is_routine else None,
                    slots={key: entity.value for key, entity in found.entities.items()},
                )
        return None


def _phrases(routine: Routine) -> Iterable[str]:
    for trigger in routine.triggers:
        if isinstance(trigger, VoiceTrigger):
            yield from trigger.phrases

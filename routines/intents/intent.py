"""What a sentence means, before anybody has looked at what the home can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from routines.facts import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A recognised wish.

    Attributes
    ----------
    name : str
        Home Assistant's name of the intent, e.g. ``HassTurnOn``.
    slots : Mapping
        What was named, as ids and numbers: ``{"name": "light.desk", "brightness": 40}``. A name that several
        things share and nothing decides is the list of their ids.
    text : str
        The sentence.
    kind : str or None
        Which of an intent's meanings it is, where it has several: a question is ``one``, ``one_yesno``,
        ``any``, ``all``, ``which`` or ``how_many``.
    is_area_implied : bool
        The area was not said: it is the one in which the sentence was heard.
    """

    name: str
    slots: Mapping[str, Json] = field(default_factory=dict)
    text: str
    kind: str | None = None
    is_area_implied: bool = False

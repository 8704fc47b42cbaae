"""Sentences that a phrase stands for: all of them, or a fair choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice

from hassil import Intents, recognize_all
from hassil.expression import Expression, Group, ListReference, TextChunk
from hassil.intents import RangeSlotList, SlotList, TextSlotList, WildcardSlotList
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_sentence

from routines.phrases import plain_sentence
from routines.vocabulary.lists import List, RangeList, WordList

MOST_SENTENCES = 60
_LOOKED_AT = 1_200
"""Of so many sentences the choice is taken at even distances, as neighbours differ in one word only."""
_MOST_VALUES = 12
PLACEHOLDER = "something"
"""What is said for "any words"."""


class SampledPhrase:
    """A phrase with sentences that it stands for.

    Parameters
    ----------
    template : str
        A hassil template.
    lists : Mapping
        Those of the routine.
    home_lists : Mapping
        What the home fills: ``area``, ``floor``, ``name``.

    Attributes
    ----------
    sentences : sequence of str
        As they are matched: lower case, no punctuation. At most `MOST_SENTENCES`.
    is_complete : bool
        There are no others.
    required : frozenset of frozenset of str
        Of each set, a sentence must hold one piece to be this phrase.
    """

    def __init__(self, template: str, lists: Mapping[str, List], home_lists: Mapping[str, SlotList]) -> None:
        self._template = template
        parsed = parse_sentence(template)
        names = sorted(set(_references(parsed.expression)))
        self._lists = {name: _slot_list(name, lists.get(name), home_lists) for name in names}
        few = {name: TextSlotList.from_strings(_few(known)) for name, known in self._lists.items()}
        spoken = list(islice(sample_sentence(parsed, few), _LOOKED_AT + 1))
        every = [one for one in dict.fromkeys(map(plain_sentence, spoken[:_LOOKED_AT])) if one]
        self.sentences: Sequence[str] = _spread(every)
        is_every_value = all(_is_short(known) for known in self._lists.values())
        self.is_complete = is_every_value and len(self.sentences) == len(every) and len(spoken) <= _LOOKED_AT
        self.required: frozenset[frozenset[str]] = parsed.get_required_clauses({})

    def may_be(self, sentence: str) -> bool:
        """Return whether a sentence has the words that the phrase cannot do without."""
        return all(any(piece in sentence for piece in clause) for clause in self.required)

    def reads(self, sentence: str) -> bool:
        """Return whether the phrase stands for a sentence."""
        readings = recognize_all(sentence, self._alone, slot_lists=self._lists)
        return next(iter(readings), None) is not None

    @cached_property
    def _alone(self) -> Intents:
        content = {"phrase": {"data": [{"sentences": [self._template]}]}}
        return Intents.from_dict({"language": "en", "intents": content})


def _spread(every: Sequence[str]) -> Sequence[str]:
    if len(every) <= MOST_SENTENCES:
        return every
    step = len(every) / MOST_SENTENCES
    return [every[int(number * step)] for number in range(MOST_SENTENCES)]


def _references(expression: Expression) -> Iterable[str]:
    waiting = [expression]
    while waiting:
        match waiting.pop():
            case Group(items=items):
                waiting += items
            case ListReference(list_name=name):
                yield name


def _slot_list(name: str, content: List | None, home_lists: Mapping[str, SlotList]) -> SlotList:
    if isinstance(content, WordList):
        words = [one if isinstance(one, str) else one.in_ for one in content.values]
        return TextSlotList.from_strings(words, name=name)
    if isinstance(content, RangeList):
        limits = content.range
        return _numbers(name, limits.from_, limits.to, limits.step)
    if content is None and ".." in name:  # {0..100:level}
        first, _, last = name.partition("..")
        end, _, step = last.partition(",")
        return _numbers(name, int(first), int(end), int(step or 1))
    if content is None and name in home_lists:
        return home_lists[name]
    return WildcardSlotList(name=name)


def _numbers(name: str, start: int, stop: int, step: int) -> SlotList:
    # Digits are enough here: all sentences are sampled with digits, and words for numbers are slow.
    return RangeSlotList(name=name, start=start, stop=stop, step=step, digits=True, words=False)


def _few(known: SlotList) -> list[str]:
    match known:
        case TextSlotList(values=values):
            texts = [one.text_in.original_text for one in values if isinstance(one.text_in, TextChunk)]
            return texts[:_MOST_VALUES] or [PLACEHOLDER]
        case RangeSlotList(start=start, stop=stop):
            return [str(start), str(stop)]
        case _:
            return [PLACEHOLDER]


def _is_short(known: SlotList) -> bool:
    """Return whether `_few` are all: plain words, not too many of them."""
    if not isinstance(known, TextSlotList) or len(known.values) > _MOST_VALUES:
        return False
    return all(isinstance(one.text_in, TextChunk) for one in known.values)

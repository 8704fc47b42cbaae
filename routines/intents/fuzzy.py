"""The last resort for a sentence that nobody understood: the phrase that it sounds like.

A sentence is compared word by word, by its letters and by its sounds. Nothing is accepted that says the
opposite ("stop", "off", "don't"), names another number, or asks a question where the phrase asks none.
What is close to phrases of two owners is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations, product, zip_longest

from hassil import parse_sentence
from hassil.expression import Alternative, Expression, Group, Permutation, TextChunk
from hassil.parser import ParseError
from rapidfuzz import fuzz, process

from routines.intents.phonetic import phonetic_key
from routines.intents.spoken_duration import with_digits

MOST_SENTENCES_PER_TEMPLATE = 200
MARGIN = 0.05
_GUARDED_DOMAINS = frozenset({"alarm_control_panel", "cover", "lock", "valve"})
_FILLERS = frozenset(
    {"a", "an", "can", "could", "for", "hey", "just", "me", "my", "now", "ok", "okay", "our", "please", "the"}
    | {"to", "uh", "um", "would", "you"}
)
_REVERSING = frozenset(
    {"cancel", "close", "disable", "disarm", "don't", "dont", "down", "end", "leave", "less", "lower", "mute"}
    | {"never", "no", "not", "off", "out", "quit", "shut", "stop", "undo", "unlock", "without", "won't"}
)
_QUESTIONS = frozenset(
    {"are", "did", "do", "does", "has", "have", "how", "is", "was", "were", "what", "what's", "when", "where"}
    | {"which", "who", "who's", "why"}
)
_SLOT = "\0"
_CANDIDATES = 24
_FEWEST_ALIKE = 40.0
_LETTERS_WEIGHT = 0.3
_SAME_WORD = 0.66
_WORST_WEIGHT = 0.25
_SAME_JOINED = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzyLimits:
    """From which score a phrase is meant, and below which somebody has to say so."""

    fuzzy: float = 0.85
    confirm_below: float = 0.93


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzyMatch:
    """The phrase that a sentence sounds like; scores are 0 to 1."""

    owner: str
    sentence: str
    score: float
    runner_up_score: float
    needs_confirmation: bool


@dataclass(frozen=True, slots=True)
class _Spoken:
    owner: str
    sentence: str
    words: tuple[str, ...]
    signs: frozenset[str]
    joined: str = field(default="")


class FuzzyPhrases:
    """All phrases that may be meant by what merely sounds like them.

    Parameters
    ----------
    phrases : mapping of str to sequence of str
        Templates by owner, e.g. by the id of a routine. Sentences with a slot (a list, a number, any text)
        are left out: a slot must be heard, not guessed. Leave out the owners that `is_guarded`.
    limits : mapping of str to FuzzyLimits, optional
        For owners that want other limits.
    defaults : FuzzyLimits
        For all others.
    """

    def __init__(
        self,
        phrases: Mapping[str, Sequence[str]],
        limits: Mapping[str, FuzzyLimits] | None = None,
        defaults: FuzzyLimits | None = None,
    ) -> None:
        self._limits = dict(limits or {})
        self._defaults = defaults or FuzzyLimits()
        self._bank = [
            _spoken(owner, sentence)
            for owner, templates in phrases.items()
            for sentence in dict.fromkeys(s for template in templates for s in _sentences(template))
        ]
        self._bank = [spoken for spoken in self._bank if spoken.words]
        self._keys = [spoken.joined for spoken in self._bank]

    def match(self, text: str) -> FuzzyMatch | None:
        """Return the phrase that is meant, or None if none is, or not clearly one."""
        heard = _spoken("", text)
        if not heard.words or not self._bank:
            return None
        near = process.extract(
            heard.joined, self._keys, scorer=fuzz.ratio, limit=_CANDIDATES, score_cutoff=_FEWEST_ALIKE
        )
        best: dict[str, tuple[float, str]] = {}
        for _, _, index in near:
            spoken = self._bank[index]
            found = (_likeness(heard, spoken), spoken.sentence)
            best[spoken.owner] = max(best.get(spoken.owner, (0.0, "")), found)
        if not best:
            return None
        owner, (score, sentence) = max(best.items(), key=lambda item: item[1][0])
        runner_up = max((value for other, (value, _) in best.items() if other != owner), default=0.0)
        limits = self._limits.get(owner, self._defaults)
        if score < limits.fuzzy or score - runner_up < MARGIN:
            return None
        return FuzzyMatch(
            owner=owner,
            sentence=sentence,
            score=round(score, 3),
            runner_up_score=round(runner_up, 3),
            needs_confirmation=score < limits.confirm_below,
        )


def is_guarded(names: Iterable[str]) -> bool:
    """Return whether something is about locks, alarms, covers or valves, which must be asked for exactly.

    Parameters
    ----------
    names : iterable of str
        Domains, services or entity ids: ``lock``, ``lock.unlock``, ``cover.garage``.
    """
    return any(name.partition(".")[0].strip() in _GUARDED_DOMAINS for name in names)


def _sentences(template: str) -> Iterator[str]:
    """Return the sentences of a template that have no slot; nothing for what is no template."""
    try:
        expression = parse_sentence(template).expression
    except ParseError:
        return
    for sentence in _expanded(expression):
        if _SLOT not in sentence:
            yield " ".join(sentence.split())


def _expanded(expression: Expression) -> list[str]:
    """Return the first sentences of a template, slots marked.

    Optional words are left out first, and all choices have their turn. hassil's own sampling goes through
    all that a group in brackets can be before it gives the first sentence, which takes for ever for a dozen
    optional words.
    """
    every: Iterator[str]
    match expression:
        case TextChunk(original_text=text):
            return [text]
        case Alternative(items=items, is_optional=is_optional):
            ways = [_expanded(item) for item in (reversed(items) if is_optional else items)]
            every = (way for turn in zip_longest(*ways) for way in turn if way is not None)
        case Permutation(items=items):
            orders = islice(permutations([_expanded(item) for item in items]), MOST_SENTENCES_PER_TEMPLATE)
            every = (" ".join(parts) for order in orders for parts in product(*order))
        case Group(items=items):
            every = ("".join(parts) for parts in product(*map(_expanded, items)))
        case _:
            return [_SLOT]
    return list(islice(every, MOST_SENTENCES_PER_TEMPLATE))


def _spoken(owner: str, sentence: str) -> _Spoken:
    every = with_digits(re.sub(r"[^\w\s'.:-]", " ", sentence)).split()
    words = tuple(word for word in every if word not in _FILLERS)
    signs = {word for word in every if word in _REVERSING or any(sign.isdigit() for sign in word)}
    if every and every[0] in _QUESTIONS:
        signs.add("?")
    joined = " ".join(key for key in map(phonetic_key, words) if key)
    return _Spoken(owner, sentence.strip(), words, frozenset(signs), joined)


def _likeness(heard: _Spoken, phrase: _Spoken) -> float:
    """Return how alike two sentences are, 0 to 1."""
    if heard.signs != phrase.signs:
        return 0.0
    if len(heard.words) == len(phrase.words):
        return _aligned(heard.words, phrase.words)
    # Words that ran together or fell apart ("good night", "goodnight"): the sounds must then be very close.
    alike = fuzz.ratio(heard.joined.replace(" ", ""), phrase.joined.replace(" ", "")) / 100
    letters = fuzz.ratio("".join(heard.words), "".join(phrase.words)) / 100
    if alike >= _SAME_JOINED and letters >= 0.8:
        return _LETTERS_WEIGHT * letters + (1 - _LETTERS_WEIGHT) * alike
    return 0.0


def _aligned(heard: Sequence[str], phrase: Sequence[str]) -> float:
    """Return how alike words are in their order, by length; a word unlike its partner counts 0.

    The word that is least alike pulls the mean down: in a long sentence one other word is another wish.
    """
    alike = [_word_likeness(said, wanted) for said, wanted in zip(heard, phrase, strict=True)]
    total = sum(len(word) for word in phrase)
    mean = sum(len(word) * likeness for word, likeness in zip(phrase, alike, strict=True)) / total
    return (1 - _WORST_WEIGHT) * mean + _WORST_WEIGHT * min(alike)


def _word_likeness(said: str, wanted: str) -> float:
    if said == wanted:
        return 1.0
    letters = fuzz.ratio(said, wanted) / 100
    sounds = fuzz.ratio(phonetic_key(said), phonetic_key(wanted)) / 100
    likeness = _LETTERS_WEIGHT * letters + (1 - _LETTERS_WEIGHT) * sounds
    return likeness if likeness >= _SAME_WORD else 0.0

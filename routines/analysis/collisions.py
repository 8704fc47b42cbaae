"""Sentences that more than one routine understands, or that the house understands already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from routines.analysis.findings import Finding, Path
from routines.analysis.sampling import SampledPhrase
from routines.intents.built_in import BuiltInIntents
from routines.intents.directory import Directory
from routines.phrases import Phrasebook
from routines.routine import Routine
from routines.vocabulary.triggers import VoiceTrigger

_ASKED_PER_PHRASE = 3
"""Sentences of a phrase that are tried on the built-in ones, each of which takes milliseconds."""
_READINGS = 30_000
"""Sentences that are tried on phrases with open words, all together; each takes some 0.05 ms."""
_FEWEST_READINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Phrase:
    """A phrase of a voice trigger, with its sentences."""

    routine: Routine
    trigger: VoiceTrigger
    path: Path
    sampled: SampledPhrase


class PhraseCollisions:
    """Compare the phrases of all routines.

    Sentences are sampled from every phrase. Equal ones are found by looking them up; only phrases with open
    words, long lists or very many choices are also tried on the sentences of others, and of those only the
    ones that hold the words that the phrase cannot do without.

    Parameters
    ----------
    directory : Directory or None
        What the home calls its things.
    """

    def __init__(self, routines: Sequence[Routine], directory: Directory | None) -> None:
        running = [routine for routine in routines if routine.enabled]
        self._book = Phrasebook.from_sentences(None, running, directory)
        home_lists = self._book.intents.slot_lists
        self._phrases = [
            _Phrase(
                routine=routine,
                trigger=trigger,
                path=("triggers", index, "phrases", number),
                sampled=SampledPhrase(template, routine.lists, home_lists),
            )
            for routine in running
            for index, trigger in routine.voice_triggers()
            for number, template in enumerate(trigger.phrases)
        ]

    def between_routines(self) -> Iterator[Finding]:
        """Yield the phrases of which another routine takes sentences away."""
        lost: dict[tuple[int, str], tuple[_Phrase, list[str]]] = {}
        for sentence, phrases in self._shared().items():
            for room in _rooms_of(phrases):
                here = [phrase for phrase in phrases if _is_heard_in(phrase, room)]
                if len({phrase.routine.id for phrase in here}) < 2:
                    continue
                found = self._book.match_routine(sentence, room)
                for phrase in here:
                    if found is not None and found.routine not in (None, phrase.routine.id):
                        key = (id(phrase), str(found.routine))
                        lost.setdefault(key, (phrase, []))[1].append(sentence)
        for (_, winner), (phrase, sentences) in lost.items():
            yield _collision(phrase, winner, list(dict.fromkeys(sentences)))

    def with_built_in(self, built_in: BuiltInIntents) -> Iterator[Finding]:
        """Yield the voice triggers that say what the house understands without any routine."""
        seen: set[tuple[str, str | int]] = set()
        for phrase in self._phrases:
            owner = (phrase.routine.id, phrase.path[1])
            room = phrase.trigger.rooms[0] if phrase.trigger.rooms else None
            for sentence in phrase.sampled.sentences[:_ASKED_PER_PHRASE] if owner not in seen else ():
                meant = built_in.recognize(sentence, area=room)
                if meant is not None:
                    seen.add(owner)
                    yield Finding(
                        kind="built_in_phrase",
                        severity="hint",
                        routine=phrase.routine.id,
                        path=phrase.path,
                        message=f"'{sentence}' means something without any routine too ({meant.name}); "
                        f"this routine is run instead",
                    )
                    break

    def _shared(self) -> Mapping[str, Sequence[_Phrase]]:
        """Return the sentences that phrases of several routines stand for."""
        by_sentence: dict[str, list[_Phrase]] = defaultdict(list)
        for phrase in self._phrases:
            for sentence in phrase.sampled.sentences:
                by_sentence[sentence].append(phrase)
        index = _SentenceIndex(by_sentence)
        unfinished = [phrase for phrase in self._phrases if not phrase.sampled.is_complete]
        most = max(_FEWEST_READINGS, _READINGS // max(1, len(unfinished)))
        for phrase in unfinished:
            own = set(phrase.sampled.sentences)
            candidates = [one for one in index.sentences_for(phrase.sampled) if one not in own]
            for sentence in candidates[:: max(1, -(-len(candidates) // most))]:
                if phrase.sampled.reads(sentence):
                    by_sentence[sentence].append(phrase)
        return {
            sentence: phrases
            for sentence, phrases in by_sentence.items()
            if len({phrase.routine.id for phrase in phrases}) > 1
        }


class _SentenceIndex:
    """Look sentences up by the words that are in them."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._sentences = list(sentences)
        self._by_word: dict[str, list[str]] = defaultdict(list)
        self._words_with: dict[str, list[str]] = {}
        self._counts: dict[frozenset[str], int] = {}
        for sentence in self._sentences:
            for word in dict.fromkeys(sentence.split()):
                self._by_word[word].append(sentence)

    def sentences_for(self, phrase: SampledPhrase) -> list[str]:
        """Return the sentences that have the words which a phrase cannot do without."""
        if not phrase.required:
            return self._sentences
        rarest = min(sorted(phrase.required, key=sorted), key=self._count)
        return [sentence for sentence in self._with_any(rarest) if phrase.may_be(sentence)]

    def _count(self, pieces: frozenset[str]) -> int:
        if pieces not in self._counts:
            words = {word for piece in pieces for word in self._words(piece)}
            self._counts[pieces] = sum(len(self._by_word[word]) for word in words)
        return self._counts[pieces]

    def _with_any(self, pieces: Iterable[str]) -> list[str]:
        words = [word for piece in sorted(pieces) for word in self._words(piece)]
        return list(dict.fromkeys(sentence for word in words for sentence in self._by_word[word]))

    def _words(self, piece: str) -> list[str]:
        """Return the words of which a piece is part: templates join text and choices to words."""
        if piece not in self._words_with:
            self._words_with[piece] = [word for word in self._by_word if piece in word]
        return self._words_with[piece]


def _rooms_of(phrases: Sequence[_Phrase]) -> list[str | None]:
    """Return the rooms in which it must be looked who wins; None stands for all the others."""
    named = {room for phrase in phrases for room in phrase.trigger.rooms or ()}
    return [None, *sorted(named)]


def _is_heard_in(phrase: _Phrase, room: str | None) -> bool:
    return phrase.trigger.rooms is None or room in phrase.trigger.rooms


def _collision(phrase: _Phrase, winner: str, sentences: Sequence[str]) -> Finding:
    is_all = set(phrase.sampled.sentences) <= set(sentences)
    more = f" (and {len(sentences) - 1} more like it)" if len(sentences) > 1 else ""
    said = "every sentence of this phrase" if is_all and len(sentences) > 1 else f"'{sentences[0]}'{more}"
    return Finding(
        kind="phrase_collision",
        severity="warning" if is_all else "hint",
        routine=phrase.routine.id,
        path=phrase.path,
        message=f"{said} is also a phrase of '{winner}', which wins",
        hint="change one of the phrases, or say in which rooms: each is meant",
    )

"""What voices made by programs add to a training: the phrase, words that sound like it, and plain talk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sensing.training.phonetic_neighbours import confusable, dictionary
from sensing.training.recordings import Part, part_of
from sensing.training.synthetic_speech import Voice, voices
from sensing.training.wake_word_data import Renderings, Stream, Word, person, synthetic_word

_RECORDED_SHARE = 0.2
"""Of the utterances by voices of people, where flite is installed."""
_RUN = 6
"""Words or sentences between which there are pauses in a stream."""
_FLUENT = (3, 9)
"""Words in a stretch of plain talk."""


def voices_of(part: Part) -> list[Voice]:
    """Return the voices of a part; a timbre of espeak-ng is in one part in all accents."""
    return [voice for voice in voices() if part_of(person(voice)) == part]


class SyntheticWords:
    """Streams of a phrase and of other words by some voices.

    Parameters
    ----------
    renderings : Renderings
        Renders and embeds what is said.
    random : numpy.random.Generator
        Chooses voices and words.
    """

    def __init__(self, known: Sequence[Voice], renderings: Renderings, random: np.random.Generator) -> None:
        self._rules = [voice for voice in known if voice.engine == "espeak"]
        # festival takes a second an utterance, and its voices are flite's but for one
        self._recorded = [voice for voice in known if voice.engine == "flite"]
        self._renderings = renderings
        self._random = random

    def phrase(self, phrase: str, count: int) -> Iterator[Stream]:
        """Yield the phrase, one in five times after other words without a pause."""
        for _ in range(count):
            before = self._said(self._talk()).sound if self._random.random() < 0.2 else None
            yield self._renderings.word(self._said(phrase), before)

    def confusable(self, phrase: str, count: int) -> Iterator[Stream]:
        """Yield streams of texts that are nearly the phrase, said one after another, ``count`` in all."""
        texts = confusable(phrase)
        for _ in range(-(-count // _RUN)):
            some = self._random.integers(len(texts), size=_RUN)
            yield self._renderings.spaced([self._said(texts[index]) for index in some])

    def talk(self, count: int, *, without: Sequence[str] = ()) -> Iterator[Stream]:
        """Yield ``count`` stretches of words drawn from the dictionary, none of which holds a phrase."""
        while count:
            text = self._talk()
            if not any(phrase.replace(" ", "") in text.replace(" ", "") for phrase in without):
                count -= 1
                yield self._renderings.other(self._said(text).sound, text)

    def running(self, count: int, sentences: Sequence[str]) -> Iterator[Stream]:
        """Yield ``count`` stretches of one voice that goes on talking, half sentences and half any words."""
        for _ in range(count):
            voice = self._voice()
            texts = [
                sentences[int(self._random.integers(len(sentences)))]
                if self._random.random() < 0.5
                else self._talk()
                for _ in range(_RUN)
            ]
            yield self._renderings.spaced(
                [synthetic_word(text, voice, self._random) for text in texts], longest_pause_seconds=0.4
            )

    def _talk(self) -> str:
        words = list(dictionary())
        some = self._random.integers(len(words), size=self._random.integers(*_FLUENT))
        return " ".join(words[index] for index in some)

    def _said(self, text: str) -> Word:
        return synthetic_word(text, self._voice(), self._random)

    def _voice(self) -> Voice:
        recorded = self._recorded and self._random.random() < _RECORDED_SHARE
        known = self._recorded if recorded or not self._rules else self._rules
        return known[self._random.integers(len(known))]

"""Speech recognition with PocketSphinx and a grammar: the one door to pocketsphinx at run time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from sensing.dsp.loudness import loud_rms
from sensing.speech.grammar import Grammar
from sensing.speech.recognizer import Hypothesis, SpokenWord

_FRAME_SECONDS = 0.01
_SENTENCES, _PHONES = "sentences", "phones"
_SCORE_SHIFT = 1024
"""PocketSphinx divides its log scores by this."""

_LOUD_RMS = 0.1
_DITHER_DB = -40.0
"""Noise below the loud parts of the speech: recordings gated to digital silence lie outside the
acoustic model's training (86 % of the coffee commands with it, 80 % without)."""

_LANGUAGE_WEIGHT = 2.0
"""Of the grammar's branching against the sound; the usual 6.5 loses short sentences."""
_MOST_STATES = 3_000
"""Active at a time; it bounds the cost of speech that fits nowhere."""

_DOUBTFUL_MARGIN = -2.4
_MARGIN_SLOPE = 3.0
"""Where the margin of a sentence over free phones, in nats a frame of words, means even odds, and how fast
the odds turn. Medians: coffee orders -0.1, commands of a home -1.5, other speech forced into one -3.4."""
_WELL_COVERED, _UNCOVERED_WEIGHT = 0.7, 10.0
"""A sentence must explain most of the sound that free phones find, not take it for noise."""


class PocketSphinxRecognizer:
    """Recognises the sentences of a grammar, in one go at the end of the utterance.

    So the cepstral mean is that of the whole utterance, and it costs only 30 to 150 ms a second of speech.

    Parameters
    ----------
    grammar : Grammar
        What may be said.
    pronounce : callable
        Returns the ARPAbet phones of a word that the dictionary lacks, separated by spaces.
    """

    def __init__(self, grammar: Grammar, *, pronounce: Callable[[str], str]) -> None:
        self._decoder = Decoder(lm=None, lw=_LANGUAGE_WEIGHT, maxhmmpf=_MOST_STATES, loglevel="FATAL")
        self._grammar = grammar
        unknown = sorted(word for word in grammar.words if self._decoder.lookup_word(word) is None)
        for word in unknown:
            self._decoder.add_word(word, pronounce(word), word == unknown[-1])
        branches = Counter(first for first, _, _ in grammar.arcs)
        transitions = [
            (first, second, 1 / branches[first], *([] if word is None else [word]))
            for first, second, word in grammar.arcs
        ]
        graph = self._decoder.create_fsg(_SENTENCES, grammar.start, grammar.final, transitions)
        self._decoder.add_fsg(_SENTENCES, graph)
        self._decoder.add_allphone_file(_PHONES, None)
        self.reset()

    def reset(self) -> None:
        """Begin an utterance."""
        self._pieces: list[NDArray[np.float32]] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Keep the next samples, mono at 16 kHz."""
        self._pieces.append(samples)

    def finish(self) -> list[Hypothesis]:
        """Return the best sentence, of no confidence where none fits whole; nothing in silence."""
        speech = _prepared(np.concatenate([np.zeros(0, np.float32), *self._pieces]))
        self.reset()
        if not len(speech):
            return []
        words, score = self._search(_SENTENCES, speech)
        if not words:
            return []
        # Where the last sound led into another word, the decoder gives a sentence that is not over.
        whole = [said for said in (words, words[:-1]) if self._grammar.accepts([one.text for one in said])]
        if not whole or not whole[0]:
            return [Hypothesis(words=words, confidence=0.0)]
        words = whole[0]
        phones, free_score = self._search(_PHONES, speech)
        margin = (score - free_score) / (_seconds(words) / _FRAME_SECONDS)
        covered = min(1.0, _seconds(words) / max(_seconds(phones), _FRAME_SECONDS))
        odds = margin - _DOUBTFUL_MARGIN - _UNCOVERED_WEIGHT * max(0.0, _WELL_COVERED - covered)
        return [Hypothesis(words=words, confidence=1 / (1 + exp(-_MARGIN_SLOPE * odds)))]

    def _search(self, name: str, speech: bytes) -> tuple[tuple[SpokenWord, ...], float]:
        """Return the best path's words or phones without silence and noise, and its log likelihood."""
        self._decoder.reinit_feat()  # else noise estimates of the last utterance remain
        self._decoder.activate_search(name)
        self._decoder.start_utt()
        self._decoder.process_raw(speech, full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        if best is None or not best.hypstr:
            return (), 0.0
        words = tuple(
            SpokenWord(
                text=one.word.split("(")[0],
                start_seconds=one.start_frame * _FRAME_SECONDS,
                end_seconds=(one.end_frame + 1) * _FRAME_SECONDS,
            )
            for one in self._decoder.seg()
            if one.word[0] not in "<[(+" and one.word != "SIL"
        )
        return words, _SCORE_SHIFT * log(best.score)


def _seconds(words: tuple[SpokenWord, ...]) -> float:
    return sum(word.end_seconds - word.start_seconds for word in words)


def _prepared(speech: NDArray[np.float32]) -> bytes:
    """Return 16-bit samples at one level, with a little noise of a fixed seed."""
    noise = np.random.default_rng(1).standard_normal(len(speech)) * 10 ** (_DITHER_DB / 20)
    levelled = _LOUD_RMS * (speech / max(loud_rms(speech), 1e-5) + noise)
    return (np.clip(levelled, -1, 1) * 32_767).astype("<i2").tobytes()

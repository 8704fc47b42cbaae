"""A wake word of one's own, from its text alone: made voices say it in made rooms, and a head learns it.

What it must refuse is made the same way (words that sound like it, parts of it, any words), together with the
embeddings of real speech that ship with the trainer. Recordings of the people who will say it help most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sensing.dsp.loudness import loud_rms
from sensing.speech.wake_errors import CHUNKS_PER_HOUR, false_accepts
from sensing.training.made_home import made_home
from sensing.training.other_speech import other_speech
from sensing.training.phonetic_neighbours import dictionary
from sensing.training.recordings import RATE_HZ, Part, Sound
from sensing.training.synthetic_speech import spoken_by
from sensing.training.synthetic_words import SyntheticWords, voices_of
from sensing.training.wake_head import Said, WakeHead, fit, fitting_threshold
from sensing.training.wake_word_data import Renderings, Stream, Word

SEED = 20_26
_HELD_OUT_EVERY = 4
"""Of one's own recordings, each fourth is not learnt but measures."""
_RECORDED_SHARE = 0.5
_PIECE_FRAMES = RATE_HZ // 50
_SPOKEN_DB = -26.0
"""Below the loud parts of a recording: what is softer at its ends is not the phrase."""
_FALSE_ACCEPTS_PER_HOUR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is made and learnt.

    Attributes
    ----------
    said, near, talk : int
        Utterances of the phrase, words that sound like it, and stretches of any words, to learn from.
    held_out : int
        Of each, by other voices, once to choose the threshold and once to measure.
    renderings : int
        Of each recording.
    noises : int
        Of each home.
    epochs, steps : int
        Of the training.
    """

    said: int = 1_200
    near: int = 600
    talk: int = 500
    held_out: int = 150
    renderings: int = 40
    noises: int = 24
    epochs: int = 24
    steps: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How often a head erred on voices, rooms and recordings that it had not learnt.

    Attributes
    ----------
    said, missed : int
        Utterances of the phrase by made voices.
    recordings, recordings_missed : int
        Renderings of the recordings that were held out.
    hours, false_accepts : float, int
        Other speech, real and made.
    near, near_accepted : int
        Words that sound like the phrase.
    """

    said: int
    missed: int
    recordings: int
    recordings_missed: int
    hours: float
    false_accepts: int
    near: int
    near_accepted: int


@dataclass(frozen=True, slots=True, eq=False)
class OwnWakeWord:
    """A trained head, the score from which it counts, and how it did."""

    head: WakeHead
    threshold: float
    measured: Measured


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """The streams of one part."""

    said: list[Stream]
    recorded: list[Stream]
    near: list[Stream]
    other: list[Stream]


def train_own(
    phrase: str,
    *,
    recordings: Sequence[Sound] = (),
    sizes: Sizes | None = None,
    told: Callable[[float], None] = lambda _share: None,
) -> OwnWakeWord:
    """Return a head for a phrase.

    Parameters
    ----------
    phrase : str
        One or several words of letters.
    recordings : sequence of NDArray
        People who say the phrase once each, 16 kHz.
    told : callable
        Called with the share of the work that is done, 0 to 1.

    Raises
    ------
    RuntimeError
        espeak-ng does not say the phrase.
    """
    wanted = sizes or Sizes()
    words = [trimmed(sound) for sound in recordings]
    held_out = words[_HELD_OUT_EVERY - 1 :: _HELD_OUT_EVERY]
    learnt = [word for index, word in enumerate(words) if (index + 1) % _HELD_OUT_EVERY]
    made = wanted.said + wanted.talk + wanted.near // 6 + len(learnt) * wanted.renderings
    made += 2 * (2 * wanted.held_out + wanted.held_out // 6) + len(held_out) * wanted.renderings
    progress = _Progress(told, made + wanted.epochs * wanted.steps)
    train = _material(phrase, "train", wanted, learnt, progress)
    said = [Said(train.said, 1 - _RECORDED_SHARE if train.recorded else 1.0)]
    if train.recorded:
        said.append(Said(train.recorded, _RECORDED_SHARE))
    head = fit(
        said,
        train.other + train.near,
        random=np.random.default_rng(SEED),
        epochs=wanted.epochs,
        steps=wanted.steps,
        told=lambda _epoch, _loss: progress.advance(wanted.steps),
    )
    chosen = _material(phrase, "validation", wanted, [], progress)
    threshold = fitting_threshold(head.others(chosen.other), false_accepts_per_hour=_FALSE_ACCEPTS_PER_HOUR)
    test = _material(phrase, "test", wanted, held_out, progress)
    return OwnWakeWord(head, threshold, _measured(head, threshold, test))


def trimmed(sound: Sound) -> Word:
    """Return where somebody speaks in a recording, which says the phrase and nothing else."""
    pieces = sound[: max(1, len(sound) // _PIECE_FRAMES) * _PIECE_FRAMES]
    powers = np.square(np.pad(pieces, (0, -len(pieces) % _PIECE_FRAMES)).reshape(-1, _PIECE_FRAMES)).mean(
        axis=1
    )
    loud = np.flatnonzero(powers >= (loud_rms(sound) * 10 ** (_SPOKEN_DB / 20)) ** 2)
    end = min(len(sound), (int(loud[-1]) + 1) * _PIECE_FRAMES)
    return Word(sound=sound, first=int(loud[0]) * _PIECE_FRAMES, end=end, speaker="own")


def _material(
    phrase: str, part: Part, sizes: Sizes, recorded: Sequence[Word], progress: _Progress
) -> _Material:
    """Make the streams of a part, in a home and by voices of its own."""
    is_train = part == "train"
    random = np.random.default_rng([SEED, ("train", "validation", "test").index(part)])
    voices = voices_of(part)
    spoken_by(voices[0], phrase)  # a phrase that cannot be said fails before any work is done
    vocabulary = list(dictionary())
    words = [vocabulary[index] for index in random.integers(len(vocabulary), size=200)]
    renderings = Renderings(made_home(random, noises=sizes.noises, voices=voices, words=words), random)
    made = SyntheticWords(voices, renderings, random)
    said = list(progress.of(made.phrase(phrase, sizes.said if is_train else sizes.held_out)))
    near = list(progress.of(made.confusable(phrase, sizes.near if is_train else sizes.held_out)))
    talk = made.talk(sizes.talk if is_train else sizes.held_out, without=[phrase])
    other = [*progress.of(talk), *other_speech(part)]
    clips = (renderings.word(word) for word in recorded for _ in range(sizes.renderings))
    return _Material(said, list(progress.of(clips)), near, other)


def _measured(head: WakeHead, threshold: float, test: _Material) -> Measured:
    other = head.others(test.other)
    near = head.others(test.near)
    return Measured(
        said=len(test.said),
        missed=int((head.best(test.said) < threshold).sum()),
        recordings=len(test.recorded),
        recordings_missed=int((head.best(test.recorded) < threshold).sum()),
        hours=len(other) / CHUNKS_PER_HOUR,
        false_accepts=false_accepts(other, threshold),
        near=6 * len(test.near),
        near_accepted=false_accepts(near, threshold),
    )


class _Progress:
    """Count what is done of all the work."""

    def __init__(self, told: Callable[[float], None], total: int) -> None:
        self._told = told
        self._total = total
        self._done = 0

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        self._told(min(1.0, self._done / self._total))

    def of(self, streams: Iterable[Stream]) -> Iterator[Stream]:
        for stream in streams:
            yield stream
            self.advance()

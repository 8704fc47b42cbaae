"""How often other sound is taken for a wake word, by head and verifier as in a house.

Real: all speech of people of the test part. Made: people who talk without end, by voices that trained and
chose no head, about what no training was about, in rooms, noise and music. A scene of five minutes is drawn
from its number, all but espeak-ng's breath, so nothing is stored. Nothing is gated: each second counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

from hub.wake_trial import verdict
from hub.wake_words import make_verifier
from script.journal import Batch, Row, batches
from sensing.speech.speech_stages import CHUNK_FRAMES
from sensing.speech.verification import Verifier
from sensing.speech.wake_errors import accepts, rate_at_most
from sensing.speech.wake_heads import find_head
from sensing.speech.wake_word import REFRACTORY_CHUNKS, WakeWord
from sensing.training.made_home import made_noises, made_rooms
from sensing.training.recognizer_speech import is_held_back
from sensing.training.recordings import RATE_HZ, Part, Recording, Sound, noises, spoken
from sensing.training.rooms_and_noise import Home
from sensing.training.synthetic_speech import Voice, spoken_by
from sensing.training.synthetic_words import voices_of

REAL, NEW_TO_HEADS, NEW_TO_ALL = (
    "real",
    "made, voices new to the heads",
    "made, voices new to the verifier too",
)
PARTS: tuple[Part, ...] = ("validation", "test")
KINDS = (REAL, NEW_TO_HEADS, NEW_TO_ALL)
DEPENDS_ON = (
    "script/voice/false_accepts.py",
    "hub/wake_trial.py",
    "sensing/speech/phone_verifier.py",
    "sensing/speech/wake_verifier.py",
    "sensing/speech/wake_word.py",
    "sensing/speech/speech_embedding.py",
    "sensing/speech/speech_stages.py",
    "sensing/models/shipped/models.toml",
    "sensing/training/made_home.py",
    "sensing/training/rooms_and_noise.py",
    "sensing/training/synthetic_speech.py",
)
"""What the results depend on: the heads are in the cards by their sha256, with their thresholds."""

_SEED = 1_906
_SCENE_SECONDS = 300
SCENES_AN_HOUR = 3_600 // _SCENE_SECONDS
_BATCH_SCENES, _BATCH_RECORDINGS = 6, 100
_TALKERS = 3
_SPEEDS, _PITCHES = (0.8, 1.25), (0.75, 1.35)
_PAUSES_SECONDS = (0.05, 1.0)
_LEVELS_DBFS = (-34.0, -20.0)
_ROOM_SHARE, _NOISE_SHARE = 0.7, 0.8
_MADE_NOISES = 24
_LEAST_WORDS = 4


def wanted_batches(data: Path, part: Part, hours: float, phrases: Sequence[str]) -> Iterator[Batch]:
    """Yield all real speech of a part, and so many hours of each kind of made speech, in small portions."""
    names = tuple(phrases)
    yield from batches(part, REAL, len(_recordings(data, part)), _BATCH_RECORDINGS, names, None)
    for kind in (NEW_TO_HEADS, NEW_TO_ALL):
        if voices_for(part, kind):
            yield from batches(part, kind, round(hours * SCENES_AN_HOUR), _BATCH_SCENES, names, None)


def measure(data: Path, batch: Batch) -> list[Row]:
    """Return for each sound and phrase how often head and house took it for the phrase."""
    rows: list[Row] = []
    part: Part = "test" if batch.part == "test" else "validation"
    for number in batch.numbers:
        if batch.kind == REAL:
            recording = _recordings(data, part)[number]
            sound, text = recording.read(), recording.label.lower()
        else:
            sound, text = scene(data, part, batch.kind, number), ""
        rows += [row for row in _accepted(sound, batch.names) if str(row["phrase"]) not in text]
    return [{"kind": batch.kind, **row} for row in rows]


def _accepted(sound: Sound, phrases: Sequence[str]) -> Iterator[Row]:
    """Yield a row for each phrase; all of them read one embedding."""
    wake, verifier = _ears(tuple(phrases))
    wake.reset()
    whole = np.pad(sound, (0, -len(sound) % CHUNK_FRAMES))
    scores = wake.scores(whole)
    for column, phrase in enumerate(phrases):
        chunks = accepts(scores[:, column], find_head(phrase).threshold)
        looks = [verdict(verifier, whole, chunk, phrase) for chunk in chunks]
        peaks = [float(scores[chunk : chunk + REFRACTORY_CHUNKS, column].max()) for chunk in chunks]
        yield {
            "phrase": phrase,
            "seconds": len(sound) / RATE_HZ,
            "head": len(chunks),
            "house": sum(look.is_confirmed for look in looks),
            "scores": " ".join(
                f"{peak:.4f}/{look.score:.2f}" for peak, look in zip(peaks, looks, strict=True)
            ),
        }


@cache
def _ears(phrases: tuple[str, ...]) -> tuple[WakeWord, Verifier]:
    return WakeWord(phrases), make_verifier()


def scene(data: Path, part: Part, kind: str, number: int) -> Sound:
    """Return five minutes in which three people take turns at talking."""
    random = np.random.default_rng([_SEED, PARTS.index(part), KINDS.index(kind), number])
    home, known, said = _home(data, part, kind), voices_for(part, kind), sentences(part)
    home.draw_from(random)
    talkers = [(known[int(random.integers(len(known)))], *_manner(random)) for _ in range(_TALKERS)]
    pieces, frames = list[Sound](), 0
    while frames < _SCENE_SECONDS * RATE_HZ:
        voice, speed, pitch = talkers[int(random.integers(_TALKERS))]
        text = said[int(random.integers(len(said)))]
        pause = np.zeros(round(random.uniform(*_PAUSES_SECONDS) * RATE_HZ), np.float32)
        spoken_text = spoken_by(voice, text, speed=speed, pitch=pitch)
        quietest, loudest = _LEVELS_DBFS
        pieces += [home.level(spoken_text, quietest_dbfs=quietest, loudest_dbfs=loudest), pause]
        frames += len(pieces[-2]) + len(pause)
    sound = np.concatenate(pieces)[: _SCENE_SECONDS * RATE_HZ]
    if random.random() < _ROOM_SHARE:
        sound = home.room(sound)
    if random.random() < _NOISE_SHARE:
        sound = home.noisy(sound)
    return home.level(sound)


def _manner(random: np.random.Generator) -> tuple[float, float]:
    return float(random.uniform(*_SPEEDS)), float(random.uniform(*_PITCHES))


@cache
def voices_for(part: Part, kind: str) -> list[Voice]:
    """Return voices of a part of the heads' data, without those that trained the verifier if wanted."""
    return [voice for voice in voices_of(part) if is_held_back(voice) or kind == NEW_TO_HEADS]


@cache
def _home(data: Path, part: Part, kind: str) -> Home:
    """Return rooms and noises of its own, and the recorded noises and music of a part."""
    random = np.random.default_rng([_SEED, PARTS.index(part), KINDS.index(kind)])
    words = sorted({word for sentence in sentences(part) for word in sentence.split()})
    made = made_noises(random, _MADE_NOISES, voices=voices_for(part, kind), words=words)
    recorded = [one for one in noises(data / "noise", ("noise", "music")) if one.part == part]
    return Home(noises=[*made, *recorded], rooms=made_rooms(random))


@cache
def sentences(part: Part) -> list[str]:
    """Return half of the sentences of the manual that every Python carries: nothing was trained on them."""
    found = list[str]()
    for text in topics.values():
        for sentence in re.split(r"[.:;!?]\s|\n\n", text):
            words = re.findall(r"[a-z']+", sentence.lower())
            if len(words) >= _LEAST_WORDS and not re.search(r"[^\w\s,'()\"*-]|_|\d", sentence):
                found.append(" ".join(words))
    others = [one for one in dict.fromkeys(found) if not re.search(r"computer|jarvis|alexa", one)]
    return others[PARTS.index(part) :: len(PARTS)]


@cache
def _recordings(data: Path, part: Part) -> list[Recording]:
    folders = (("wakeword", "keyword"), ("speech", "transcript"), ("commands", "transcript"))
    every = (one for name, column in folders for one in spoken(data / name, column))
    return [one for one in every if one.part == part]


def summary(rows: Sequence[Row]) -> Row:
    """Return the rate an hour of the house, and what it is at most (95 %, Poisson)."""
    hours = sum(float(row["seconds"] or 0) for row in rows) / 3_600
    head, house = (sum(int(row[name] or 0) for row in rows) for name in ("head", "house"))
    return {
        "hours": hours,
        "head_accepts": head,
        "head_an_hour": head / hours,
        "false_accepts": house,
        "an_hour": house / hours,
        "an_hour_at_most": rate_at_most(house, hours),
    }

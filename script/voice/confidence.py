"""Fit the recogniser's confidence to what people of the validation part say.

    python -m script.voice.confidence --data ../shared/data [--model phones.onnx]

Prints coefficients for `sensing.speech.confidence`, and how well they are calibrated: on speakers that were
left out of the fit, five times a fifth of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hub.hearing import BUILT_IN_SENTENCES, HOUSE_SENTENCES, meaning_of, read_phrases
from hub.playback.text_to_speech import pronunciation
from routines.phrases import Phrasebook
from script.voice.household_noise import in_noise
from script.voice.sounds import Spoken, machine_commands, orders, read_aloud
from sensing.speech.confidence import ConfidenceCoefficients, ConfidenceFeatures
from sensing.speech.confidence_fit import expected_calibration_error, fit_confidence
from sensing.speech.grammar import compile_grammar
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_graph import compile_phones
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phone_recognizer import best_sentences
from sensing.speech.token_passing import TokenPassing
from sensing.training.recordings import RATE_HZ, Sound, noises

_RATIOS_DB, _OTHERS_RATIOS_DB = (None, 20.0, 12.0, 6.0), (None, 12.0)
_READ_ONE_IN = 4
_MACHINE_COMMANDS = 100
_FRAGMENT_SECONDS = (0.3, 0.6, 1.0)
_SEED = 75
_FOLDS = 5
_SURE = 0.5

_PIECES_OF_ONE = 6
"""Three pieces of a recording in two grammars: together they count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The best sentence of something said, and whether it means that."""

    speaker: str
    features: ConfidenceFeatures
    is_right: bool
    weight: float


def main() -> None:
    """Decode, fit, and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    options.add_argument("--model", type=Path, help="an ONNX file instead of the shipped one")
    given = options.parse_args()
    rows = list(_rows(given.data, given.model))
    held_out = list(_held_out(rows))
    figures = {
        "rows": len(rows),
        "right": sum(row.is_right for row in rows),
        "calibration_error": expected_calibration_error(held_out),
        "right_and_sure": float(np.mean([one >= _SURE for one, is_right in held_out if is_right])),
        "wrong_and_sure": float(np.mean([one >= _SURE for one, is_right in held_out if not is_right])),
        "coefficients": asdict(_fitted(rows)),
    }
    print(json.dumps(figures, indent=1))


def _rows(data: Path, model: Path | None) -> Iterator[Row]:
    coffee = read_phrases(data / "commands" / "coffee.yaml", [])
    home = read_phrases(BUILT_IN_SENTENCES, [])
    backgrounds = [one.read() for one in noises(data / "noise", ("noise",)) if one.part == "validation"]
    noise = np.concatenate(backgrounds)
    ordered, read = (
        list(orders(data, "validation")),
        list(read_aloud(data, "validation", one_in=_READ_ONE_IN)),
    )
    made = list(machine_commands(compile_grammar(home.intents), _MACHINE_COMMANDS, held_back=False))
    strangers = [Spoken(sound=one.sound, speaker=one.speaker) for one in ordered]
    yield from _decoded(coffee, [*ordered, *read], noise, model)
    yield from _decoded(home, [*made, *read, *strangers], noise, model)
    house = read_phrases(HOUSE_SENTENCES, [])
    fragments = list(_fragments([*read, *strangers]))
    yield from _decoded(house, read, noise, model)
    for phrases in (house, home):
        yield from _decoded(phrases, fragments, noise, model, weight=1 / _PIECES_OF_ONE)


def _fragments(said: Sequence[Spoken]) -> Iterator[Spoken]:
    """Yield pieces of a syllable or two, which short commands resemble most."""
    random = np.random.default_rng(_SEED)
    for one in said:
        for seconds in _FRAGMENT_SECONDS:
            frames = round(seconds * RATE_HZ)
            if len(one.sound) > frames:
                first = int(random.integers(len(one.sound) - frames))
                yield Spoken(sound=one.sound[first : first + frames], speaker=one.speaker)


def _decoded(
    phrases: Phrasebook, said: Sequence[Spoken], noise: Sound, model: Path | None, weight: float = 1.0
) -> Iterator[Row]:
    acoustic = PhoneModel(model)
    graph = compile_phones(compile_grammar(phrases.intents), Lexicon(pronunciation))
    meaning = meaning_of(phrases)
    for number, one in enumerate(said):
        for ratio_db in _RATIOS_DB if one.slots or one.words else _OTHERS_RATIOS_DB:
            sound = one.sound if ratio_db is None else in_noise(one.sound, noise, ratio_db, number)
            acoustic.reset()
            tokens = TokenPassing(graph)
            tokens.feed(acoustic.feed(sound))
            tokens.feed(acoustic.finish())
            best = next(iter(best_sentences(tokens, meaning)), None)
            if best is not None:
                sentence, features = best
                is_right = one.is_meant_by(" ".join(sentence.texts), phrases)
                yield Row(speaker=one.speaker, features=features, is_right=is_right, weight=weight)


def _held_out(rows: Sequence[Row]) -> Iterator[tuple[float, bool]]:
    speakers = sorted({row.speaker for row in rows})
    for fold in range(_FOLDS):
        left_out = set(speakers[fold::_FOLDS])
        coefficients = _fitted([row for row in rows if row.speaker not in left_out])
        for row in rows:
            if row.speaker in left_out:
                yield coefficients.confidence(row.features), row.is_right


def _fitted(rows: Sequence[Row]) -> ConfidenceCoefficients:
    return fit_confidence([(row.features, row.is_right) for row in rows], [row.weight for row in rows])


if __name__ == "__main__":
    main()

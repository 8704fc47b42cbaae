"""What the hub understands: sentences from files and routines, and a recogniser for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hassil.errors import HassilError

from hub.errors import BadInput, ConfigError
from hub.recognizer_backend import RecognizerBackend, own
from routines.facts import Json
from routines.phrases import Match, Phrasebook
from routines.positions import parse_yaml
from routines.problems import Problem
from routines.routine import Routine
from sensing.speech.confidence import Meaning
from sensing.speech.grammar import compile_grammar
from sensing.speech.recognizer import SURE_CONFIDENCE, SpeechRecognizer

BUILT_IN_SENTENCES = Path(__file__).parent / "sentences.en.yaml"
HOUSE_SENTENCES = Path(__file__).parent / "house.en.yaml"
"""What a hub understands whatever its routines: timers, undo, why, yes and no."""


def read_phrases(sentences: Path | None, routines: Sequence[Routine]) -> Phrasebook:
    """Return the sentences of a file (hassil's intents format) together with the routines' phrases.

    Raises
    ------
    ConfigError
        The file is not YAML; the problem has its place.
    BadInput
        The file is missing, or is not what hassil reads; the message names the fault.
    """
    content: Mapping[str, Json] | None = None
    if sentences is not None:
        if not sentences.is_file():
            raise BadInput(f"{sentences}: no such file; name a YAML file of sentence templates")
        document = parse_yaml(sentences.read_text(encoding="utf-8"), str(sentences))
        if isinstance(document, Problem):
            raise ConfigError([document])
        if not isinstance(document.data, dict) or not isinstance(document.data.get("intents"), dict):
            raise BadInput(f"{sentences}: has no mapping `intents:`; see the sentence files of hassil")
        content = document.data
    try:
        return Phrasebook.from_sentences(content, routines)
    except (HassilError, ValueError, KeyError, TypeError, AttributeError) as error:
        place = sentences or "the routines' phrases"
        raise BadInput(f"{place}: cannot be read as sentence templates ({error})") from error


def make_recognizer(
    phrases: Phrasebook, *, after: str | None = None, backend: RecognizerBackend | None = None
) -> SpeechRecognizer:
    """Return a recogniser for all phrases, each of which the words ``after`` may precede.

    Parameters
    ----------
    backend : RecognizerBackend or None
        Which recogniser, see `recognizer_backend`; None for the hub's own.

    Raises
    ------
    BadInput
        A template cannot be spoken; the message says why.
    """
    try:
        return (backend or own())(compile_grammar(phrases.intents, after=after), meaning_of(phrases, after))
    except ValueError as error:
        raise BadInput(f"sentences: {error}") from error


def meaning_of(phrases: Phrasebook, after: str | None = None) -> Meaning:
    """Return what tells the meaning of words, with or without the words that may precede them."""
    before = tuple(after.split()) if after else ()

    def meaning(words: tuple[str, ...]) -> str:
        said = words[len(before) :] if before and words[: len(before)] == before else words
        return repr(phrases.match(" ".join(said)))

    return meaning


def understand(phrases: Phrasebook, text: str, confidence: float) -> Match | None:
    """Return what a transcript asks for; None for a guess or for what no sentence says."""
    return phrases.match(text) if text and confidence >= SURE_CONFIDENCE else None

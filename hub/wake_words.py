"""The wake words of this hub: those that ship with it, and those that were trained here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hub import status
from hub.errors import BadInput
from hub.playback.text_to_speech import pronunciation
from hub.whole_file import write_whole
from routines.facts import Json
from sensing.speech.lexicon import Lexicon
from sensing.speech.phone_model import PhoneModel
from sensing.speech.phone_verifier import PhoneVerifier
from sensing.speech.verification import Verifier
from sensing.speech.wake_heads import file_stem, wake_phrases
from sensing.speech.wake_word import WakeWord


def wake_folder() -> Path:
    """Return where ``roomwise wake train`` puts its heads."""
    return status.default_state_directory() / "wake"


def make_wake_word(phrases: str | Sequence[str], *, threshold: float | None = None) -> WakeWord:
    """Return an ear for one or several phrases; ``threshold`` goes before the heads' own.

    Raises
    ------
    BadInput
        A phrase has no head; the message names those that have one.
    sensing.errors.ModelDamaged
        A head is not the file that was written.
    """
    wanted = [phrases] if isinstance(phrases, str) else list(phrases)
    folder = wake_folder()
    known = wake_phrases(folder)
    for phrase in wanted:
        if phrase not in known:
            raise BadInput(
                f"no such wake word: {phrase!r}; there is {', '.join(known)}; "
                f'teach another with: roomwise wake train "{phrase}"'
            )
    return WakeWord(wanted, threshold=threshold, folder=folder)


def make_verifier() -> Verifier:
    """Return who looks at each wake word once more: the recogniser's acoustic model."""
    return PhoneVerifier(PhoneModel(), Lexicon(pronunciation))


def write_own_head(
    folder: Path,
    phrase: str,
    export: Callable[[Path], None],
    *,
    threshold: float,
    figures: Mapping[str, Json],
) -> Path:
    """Write a head and its card, and return the head's file; a phrase that was learnt before is replaced.

    Raises
    ------
    BadInput
        The folder cannot be written.
    """
    model = folder / f"{file_stem(phrase)}.onnx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        export(model)
        card = {
            "phrase": phrase,
            "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "threshold": threshold,
            "made_by": "roomwise wake train",
            "licence": "yours; other speech: LibriSpeech (CC-BY-4.0)",
            "measured": dict(figures),
        }
        write_whole(model.with_suffix(".json"), json.dumps(card, indent=2) + "\n")
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    return model

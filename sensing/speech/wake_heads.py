"""The phrases that can wake: heads that ship with the house, and those that people trained for themselves.

A head of one's own is two files in one folder: ``hey_orbit.onnx``, and its card ``hey_orbit.json`` with the
phrase, the threshold, the model's sha256 and what was measured.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensing.errors import ModelDamaged
from sensing.models.catalog import model_cards, shipped_model


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeHeadFile:
    """Where the head of a phrase is, and the score from which the phrase counts as heard."""

    phrase: str
    path: Path
    threshold: float


class OwnHeadCard(BaseModel):
    """What the card of a head of one's own says; further keys tell how it was made and measured."""

    model_config = ConfigDict(frozen=True, extra="allow")

    phrase: str = Field(min_length=1)
    sha256: str
    threshold: float = Field(gt=0, lt=1)


def wake_phrases(folder: Path | None = None) -> tuple[str, ...]:
    """Return the phrases that have a head, shipped or in a folder of one's own, in alphabetical order."""
    shipped = {card.phrase for card in model_cards() if card.phrase is not None}
    own = {_card(path).phrase for path in _cards(folder)}
    return tuple(sorted(shipped | own))


def find_head(phrase: str, folder: Path | None = None) -> WakeHeadFile:
    """Return the verified head of a phrase; one's own goes before the shipped.

    Raises
    ------
    KeyError
        There is no head for the phrase.
    sensing.errors.ModelDamaged
        The head or its card is not what was written.
    """
    for path in _cards(folder):
        card = _card(path)
        if card.phrase == phrase:
            return WakeHeadFile(phrase=phrase, path=_verified(path, card), threshold=card.threshold)
    for shipped in model_cards():
        if shipped.phrase == phrase and shipped.threshold is not None:
            path = shipped_model(shipped.name)
            return WakeHeadFile(phrase=phrase, path=path, threshold=shipped.threshold)
    raise KeyError(f"no head for {phrase!r}; there are {', '.join(wake_phrases(folder))}")


def file_stem(phrase: str) -> str:
    """Return the name of a phrase's files, without their ending."""
    return "_".join(phrase.lower().split())


def _cards(folder: Path | None) -> list[Path]:
    return sorted(folder.glob("*.json")) if folder is not None else []


def _card(path: Path) -> OwnHeadCard:
    try:
        return OwnHeadCard.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelDamaged(f"{path}: is no card of a wake word; train the phrase again") from error


def _verified(path: Path, card: OwnHeadCard) -> Path:
    model = path.with_suffix(".onnx")
    if not model.is_file():
        raise ModelDamaged(f"{model}: the head is missing; train {card.phrase!r} again")
    if hashlib.sha256(model.read_bytes()).hexdigest() != card.sha256:
        raise ModelDamaged(f"{model}: the head is damaged (its sha256 differs); train {card.phrase!r} again")
    return model

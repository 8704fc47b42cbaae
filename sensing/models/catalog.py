"""The models that ship with the house, and whether their files are whole."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sensing.errors import ModelDamaged

SHIPPED = Path(__file__).parent / "shipped"


class ModelCard(BaseModel):
    """What ``models.toml`` says of one model."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    file: str
    sha256: str
    licence: str
    origin: str
    does: str
    phrase: str | None = None
    """Of the head of a wake word: what it hears."""
    threshold: float | None = None
    """Of the head of a wake word: the score from which the phrase counts as heard."""


@cache
def model_cards() -> tuple[ModelCard, ...]:
    """Return the cards of all shipped models."""
    text = (SHIPPED / "models.toml").read_text("utf-8")
    return tuple(ModelCard.model_validate(card) for card in tomllib.loads(text)["model"])


def shipped_model(name: str) -> Path:
    """Return the verified file of a shipped model.

    Raises
    ------
    KeyError
        There is no model of this name.
    sensing.errors.ModelDamaged
        The file is missing or its sha256 differs from the card's.
    """
    cards = {card.name: card for card in model_cards()}
    if name not in cards:
        raise KeyError(f"no model {name!r} is shipped; there are {', '.join(sorted(cards))}")
    path = SHIPPED / cards[name].file
    if not path.is_file():
        raise ModelDamaged(f"{path}: the model is missing; install roomwise again")
    if hashlib.sha256(path.read_bytes()).hexdigest() != cards[name].sha256:
        raise ModelDamaged(f"{path}: the model is damaged (its sha256 differs); install roomwise again")
    return path

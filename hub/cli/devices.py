"""``roomwise devices``: which sound cards are there, and can they sense with ultrasound."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from hub.errors import Degraded

if TYPE_CHECKING:
    from hub.audio.portaudio_device import SoundCard


def devices(
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List sound cards and what they can do."""
    from hub.audio.portaudio_device import sound_cards

    try:
        cards = sound_cards()
    except Degraded as missing:
        typer.echo(
            json_format.dumps({"problem": missing.what, "hint": missing.hint}) if json else str(missing)
        )
        return
    if not cards:
        line = {"problem": "No sound card found", "hint": "Plug one in, or try: roomwise demo"}
        typer.echo(json_format.dumps(line) if json else ". ".join(line.values()))
    for card in cards:
        typer.echo(json_format.dumps(asdict(card) | {"ultrasound": fitness(card)}) if json else _words(card))


def fitness(card: SoundCard) -> str:
    """Say in plain words which ultrasonic carriers a card can carry."""
    if not (card.microphones and card.speakers):
        return "no ultrasound: sensing needs microphones and speakers on one card"
    best_hz = max(card.rates_hz, default=0)
    if best_hz >= 96_000:
        return "carriers from 32 kHz are possible, which nobody hears, if its speakers carry them"
    if best_hz >= 48_000:
        return "carriers from 19.5 to 22 kHz only; children and pets may hear them"
    return "no ultrasound: the card offers none of 48, 96 and 192 kHz"


def _words(card: SoundCard) -> str:
    rates = ", ".join(str(rate_hz // 1000) for rate_hz in card.rates_hz) or "none"
    return (
        f"{card.name}: {card.microphones} microphones, {card.speakers} speakers, "
        f"usually {card.default_rate_hz} Hz; of 48/96/192 kHz it takes: {rates}\n    {fitness(card)}"
    )

"""``roomwise demo``: the house in a simulated room, with nothing but this machine."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from hub.cli.json_lines import print_json
from routines.facts import Json


def demo(
    fast: Annotated[bool, typer.Option(help="As fast as the machine can, for scripts.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Show the house at work: a person walks in, ultrasound notices, a spoken command starts the party."""
    from hub.demo.journey import travel
    from hub.log import configure_log

    configure_log("warning", json=json)
    if not json:
        print("A simulated living room: two speakers, two microphones, a 20.5 kHz tone, nobody there yet.\n")
    asyncio.run(travel(print_json if json else _print_words, fast=fast))


def _print_words(event: dict[str, Json]) -> None:
    words = _words(event)
    if words:
        print(f"{event['at']:6.2f} s  {words}", flush=True)


def _words(event: dict[str, Json]) -> str:
    """Return what happened as a sentence for people; empty for what only programs want."""
    match event:
        case {"event": "broker", "port": port}:
            return (
                f"broker    listening on 127.0.0.1:{port} (MQTT 5), try: mosquitto_sub -V 5 -p {port} -t '#'"
            )
        case {"event": "motion", "kind": kind, "score": float(score)}:
            return f"motion    {kind:5} {'#' * round(20 * score)}"
        case {"event": "presence", "present": present, "reason": reason}:
            return f"presence  {'somebody is here' if present else 'nobody is here'} ({reason})"
        case {"event": "voice", "speaker": speaker}:
            return f"voice     the command will be spoken by {speaker}"
        case {"event": "wake", "phrase": phrase}:
            return f"heard     {phrase!r}, the wake word"
        case {"event": "transcript", "text": text, "confidence": float(confidence)}:
            return f"heard     {text!r} ({100 * confidence:.0f} % sure)"
        case {"event": "verdict", "routine": routine, "verdict": verdict, "reason": reason}:
            return f"routine   {routine}: {verdict}, because {reason}"
        case {"event": "mqtt", "topic": topic, "payload": payload}:
            return f"lamp      heard {payload} on {topic}"
        case {"event": "playback", "phase": phase, "source": source}:
            return f"speakers  {phase}: {source!r}"
        case {"event": "run", "routine": routine, "result": result}:
            return f"routine   {routine}: {result}"
        case {"event": "end"}:
            return "the end. Next: roomwise routine check, roomwise presence FILE, roomwise --help"
        case _:
            return ""

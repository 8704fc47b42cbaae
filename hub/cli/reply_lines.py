"""What ``roomwise status`` says about replies: which voice speaks, and which hub answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routines.facts import Json


def reply_lines(extra: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line where another voice speaks than the wanted one, and one where there are other hubs."""
    voice, hubs = extra.get("voice"), extra.get("hubs")
    if isinstance(voice, dict) and voice.get("why"):
        yield f"voice: {voice['speaks']} speaks instead of {voice['wanted']}: {voice['why']}. {voice['hint']}"
    if isinstance(hubs, dict) and isinstance(others := hubs.get("others"), list) and others:
        answered = hubs.get("answered_last")
        who = f"; {answered['hub']} answered last" if isinstance(answered, dict) else ""
        yield f"hubs: {hubs['hub']} hears beside {', '.join(map(str, others))}{who}"

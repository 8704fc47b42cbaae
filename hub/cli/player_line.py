"""What ``roomwise status`` says about music: what plays, how far it is, and what could not be played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routines.facts import Json


def player_line(extra: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line about what plays, and one about what failed last, where something did."""
    told = extra.get("player")
    if not isinstance(told, dict):
        return
    what = told["title"] or told["source"]
    parts = [str(told["state"]) if what is None else f"{told['state']} {what}{_by(told['artist'])}"]
    if what is not None:
        parts.append(_place(told["position_seconds"], told["seconds"]))
    if told["number"] is not None:
        parts.append(f"track {told['number']} of {told['tracks']}")
    elif told["tracks"]:
        parts.append(f"{told['tracks']} tracks wait")
    if told["shuffle"]:
        parts.append("shuffled")
    if told["repeat"] != "off":
        parts.append(f"repeats {told['repeat']}")
    parts.append(f"volume {told['volume']:g}")
    yield f"music: {', '.join(parts)}"
    if told["error"] is not None:
        yield f"music failed last: {told['error']}"


def _by(artist: Json) -> str:
    return f" by {artist}" if artist else ""


def _place(position: Json, seconds: Json) -> str:
    return _clock(position) + (f" of {_clock(seconds)}" if isinstance(seconds, int | float) else "")


def _clock(told: Json) -> str:
    """Return seconds as people say them: 3:07, and 1:02:03 above an hour."""
    whole = int(told) if isinstance(told, int | float) else 0
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

"""What ``roomwise status`` says about spatial sound: on or off, and where it is aimed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routines.facts import Json

_WHY = {
    "ahead": "",
    "config": ", as hub.yaml says",
    "hand": ", as somebody has set it",
    "talker": ", where somebody talked",
}


def spatial_line(extra: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line where there is spatial sound."""
    told = extra.get("spatial")
    if not isinstance(told, dict):
        return
    azimuth, is_on = told["azimuth_degrees"], told["on"]
    degrees = azimuth if isinstance(azimuth, int | float) else 0
    side = f"{abs(degrees):g} degrees to the {'right' if degrees > 0 else 'left'}" if degrees else "ahead"
    state = "on" if is_on else "off (plain stereo)"
    yield f"spatial sound: {state}, aimed {side}{_WHY.get(str(told['source']), '')}"

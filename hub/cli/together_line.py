"""What ``roomwise status`` says about music that several rooms play in step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routines.facts import Json


def together_line(extra: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line where music is given to other rooms, or followed."""
    told = extra.get("together")
    if not isinstance(told, dict):
        return
    if told["role"] == "serves":
        who = f"music is given on port {told['port']}, {told['players']} listening"
    else:
        who = f"music follows {told['server']}"
    yield f"{who}: {_how_well(told['figures'])}"


def _how_well(figures: Json) -> str:
    if not isinstance(figures, dict):
        return "not in step yet"
    off_ms = 1000 * (abs(_number(figures["error_seconds"])) + _number(figures["sigma_seconds"]))
    return (
        f"in step to {off_ms:.2f} ms, {_number(figures['buffered_seconds']):.1f} s ahead, "
        f"{figures['late_frames']} frames late, {figures['silent_frames']} silent, {figures['jumps']} jumps"
    )


def _number(told: Json) -> float:
    return float(told) if isinstance(told, int | float) else 0.0

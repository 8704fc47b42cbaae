"""What ``roomwise status`` says about music that several rooms play in step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routines.facts import Json


def together_line(extra: Mapping[str, Json]) -> Iterator[str]:
    """Yield a line about music that several rooms play, and what each hub that was listened for is off by."""
    told = extra.get("together")
    if not isinstance(told, dict):
        return
    if told["role"] == "serves":
        who = f"music is given on port {told['port']}, {told['players']} listening"
    else:
        who = f"music follows {told['server']}"
    yield f"{who}: {_how_well(told['figures'])}"
    calibration = told.get("calibration")
    hubs = calibration["hubs"] if isinstance(calibration, dict) else None
    for hub, known in hubs.items() if isinstance(hubs, dict) else ():
        if isinstance(known, dict):
            yield from _calibrated(hub, known["found"], known["failed"])


def _calibrated(hub: str, found: Json, failed: Json) -> Iterator[str]:
    if isinstance(found, dict):
        minutes = round(_number(found["age_seconds"]) / 60)
        yield (
            f"calibrated with {hub} {minutes} min ago: {_number(found['offset_us']):.0f} us found "
            f"(give or take {_number(found['sigma_us']):.0f}), {_number(found['distance_metres']):.2f} m away"
        )
    if isinstance(failed, dict):
        yield f"not calibrated with {hub}: {failed['why']}"


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

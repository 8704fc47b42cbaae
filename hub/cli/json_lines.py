"""Print results: JSON Lines for programs, words for people."""

from __future__ import annotations

import json

from routines.facts import Json


def print_json(values: dict[str, Json]) -> None:
    """Print one object as one line on stdout; floats are rounded to the tenth of a millisecond."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
    print(json.dumps(rounded, ensure_ascii=False, allow_nan=False), flush=True)

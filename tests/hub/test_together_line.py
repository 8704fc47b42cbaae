"""What ``roomwise status`` says of rooms in step."""

from __future__ import annotations

import pytest

from hub.cli.together_line import together_line
from routines.facts import Json

FOLLOWS: dict[str, Json] = {"role": "follows", "server": "den:1704", "figures": None}
FOUND: dict[str, Json] = {
    "at": "2026-11-21T20:00:00+00:00",
    "age_seconds": 184,
    "offset_us": 297.4,
    "sigma_us": 3.1,
    "trim_us": 297.4,
    "distance_metres": 2.42,
}
WORKED = "calibrated with den 3 min ago: 297 us found (give or take 3), 2.42 m away"
FAILED = "not calibrated with den: a chirp is missing"


@pytest.mark.parametrize(
    ("calibration", "lines"),
    [
        (None, []),
        ({"trim_us": 0.0, "hubs": {}}, []),
        ({"trim_us": 297.4, "hubs": {"den": {"found": FOUND, "failed": None}}}, [WORKED]),
        (
            {"trim_us": 0.0, "hubs": {"den": {"found": None, "failed": {"why": "a chirp is missing"}}}},
            [FAILED],
        ),
        (
            {"trim_us": 0.0, "hubs": {"den": {"found": FOUND, "failed": {"why": "a chirp is missing"}}}},
            [WORKED, FAILED],
        ),
    ],
)
def test_each_hub_that_was_listened_for_has_a_line_and_the_last_failure_stands_beside_it(
    calibration: Json, lines: list[str]
) -> None:
    told = list(together_line({"together": {**FOLLOWS, "calibration": calibration}}))
    assert told == ["music follows den:1704: not in step yet", *lines]

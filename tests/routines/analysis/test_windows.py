"""Windows of time as sets of minutes say what the engine says."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from routines.analysis.windows import minutes_of
from routines.decide import in_window
from routines.vocabulary.conditions import TimeCondition
from routines.vocabulary.words import WEEKDAYS

MONDAY = datetime(2026, 1, 5)
_TIMES = st.none() | st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))


@settings(max_examples=200, deadline=None)
@given(
    after=_TIMES,
    before=_TIMES,
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    weekday_of=st.sampled_from(["now", "window_start"]),
    minute=st.integers(0, 7 * 24 * 60 - 1),
)
def test_a_minute_is_in_the_set_exactly_when_the_window_is_open(
    after: time | None, before: time | None, days: list[str], weekday_of: str, minute: int
) -> None:
    window = TimeCondition.model_validate(
        {"after": after, "before": before, "weekday": days, "weekday_of": weekday_of}
    )
    is_open = in_window(window, MONDAY + timedelta(minutes=minute))
    assert bool(minutes_of(window) >> minute & 1) is is_open

"""When a frame is heard: jumps of a card are followed, late reports of a starving machine are not."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sync.dac_clock import DacClock

RATE_HZ = 48_000
EVERY = 480
NOISE_SECONDS = 2e-4
"""Of a report of a card with nothing else to do."""

SEEDS = st.integers(0, 10_000)


class Card:
    """A card that reports every 10 ms, by a clock that is 40 ppm slow."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.clock = DacClock(rate_hz=RATE_HZ)
        self.frame = 0
        self.offset = 5.0
        self.run(500)

    def heard_at(self, frame: float) -> float:
        return self.offset + frame / RATE_HZ * (1 + 40e-6)

    def report(self, late_seconds: float = 0.0) -> None:
        noise = self.random.normal(0, NOISE_SECONDS)
        self.clock.observe(self.frame, self.heard_at(self.frame) + noise + late_seconds)
        self.frame += EVERY

    def run(self, reports: int) -> None:
        for _ in range(reports):
            self.report()

    @property
    def error_seconds(self) -> float:
        return abs(self.clock.heard_at(self.frame) - self.heard_at(self.frame))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0.003, 2.0), st.booleans())
def test_a_jump_is_followed_within_a_quarter_of_a_second_and_once(
    seed: int, jump_seconds: float, is_back: bool
) -> None:
    card = Card(seed)
    card.offset += -jump_seconds if is_back else jump_seconds
    card.run(25)
    assert card.clock.jumps == 1
    assert card.error_seconds < 5e-4
    card.run(500)
    assert card.clock.jumps == 1


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 150), st.floats(0.01, 0.2))
def test_late_reports_of_a_starving_machine_are_left_out_however_many_there_are(
    seed: int, reports: int, longest_seconds: float
) -> None:
    card = Card(seed)
    for late_seconds in card.random.uniform(0.003, longest_seconds, reports):
        card.report(late_seconds)
        assert card.error_seconds < 5e-4
    card.run(50)
    assert card.clock.jumps == 0
    assert card.error_seconds < 2e-4


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0.004, 0.5), st.booleans())
def test_a_jump_is_followed_through_every_fifth_report_being_late(
    seed: int, jump_seconds: float, is_back: bool
) -> None:
    card = Card(seed)
    card.offset += -jump_seconds if is_back else jump_seconds
    for number in range(100):
        card.report(card.random.uniform(0.003, 0.05) if number % 5 == 0 else 0.0)
    assert card.clock.jumps == 1
    assert card.error_seconds < 5e-4


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_where_all_reports_are_late_for_long_the_least_late_is_believed(seed: int) -> None:
    card = Card(seed)
    card.offset += 0.3
    for late_seconds in card.random.uniform(0, 0.05, 230):
        card.report(late_seconds)
    assert card.clock.jumps >= 1
    assert card.error_seconds < 0.03
    card.run(300)
    assert card.error_seconds < 5e-4


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 12), min_size=1, max_size=10))
def test_a_wrong_time_that_goes_back_is_no_jump(seed: int, lengths: list[int]) -> None:
    card = Card(seed)
    for length in lengths:
        for _ in range(length):
            card.report(0.0201)  # all by the same, as of a server that is wrong for a moment
        card.run(3)
    assert card.clock.jumps == 0
    assert card.error_seconds < 5e-4

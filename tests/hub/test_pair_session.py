"""One acoustic calibration between two hubs, as both go through it, whatever becomes of their messages."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.sync.acoustic_offset import AcousticOffset, Arrivals, Unsure
from hub.sync.chirp_plan import ChirpPlan
from hub.sync.pair_messages import (
    Abort,
    Accept,
    Applied,
    Heard,
    PairMessage,
    Placement,
    PlanOffered,
    Propose,
    Refuse,
    Result,
    read_message,
)
from hub.sync.pair_partner import PartnerSession
from hub.sync.pair_session import (
    Action,
    Arm,
    Calibrated,
    Done,
    Failed,
    LeadSession,
    Outcome,
    Send,
    Suspected,
    agree,
)

PLAN = ChirpPlan()
SESSION = "0123456789abcdef"
LONGEST_SECONDS = 20.0
TRIM_SECONDS = 1e-4
METRES_SECONDS = 0.006


def arrivals(offset_seconds: float, way_seconds: float) -> Arrivals:
    return Arrivals(later_seconds=offset_seconds + way_seconds, sigma_seconds=5e-6, snr_db=40.0)


class Pair:
    """Both sides, and the messages between them, each with a delay; None for one that is lost."""

    def __init__(
        self,
        offset_seconds: float,
        *,
        delays: Callable[[], list[float]] = lambda: [0.01],
        hears: tuple[bool, bool] = (True, True),
        why_not: str | None = None,
        suspected: AcousticOffset | None = None,
        places: tuple[Placement, Placement] = (Placement(), Placement()),
    ) -> None:
        self._offset_seconds = offset_seconds
        self._delays = delays
        self._hears = hears
        self._why_not = why_not
        self._places = places
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self.now = 50.0
        self.lead = LeadSession(
            me="kitchen", partner="den", session=SESSION, plan=PLAN, place=places[0], suspected=suspected
        )
        self.partner: PartnerSession | None = None
        self.said: list[PairMessage] = []
        self.armed: list[Arm] = []
        self.outcomes: dict[str, list[Outcome]] = {"kitchen": [], "den": []}
        self.ended_at: dict[str, float] = {}

    def run(self) -> None:
        self._do("kitchen", self.lead.begin(self.now))
        for tick in range(round(LONGEST_SECONDS / 0.25)):
            self._later(0.25 * tick, self._tick)
        while self._queue:
            self.now, _, act = heapq.heappop(self._queue)
            act()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._count), act))

    def _tick(self) -> None:
        self._do("kitchen", self.lead.tick(self.now))
        if self.partner is not None:
            self._do("den", self.partner.tick(self.now))

    def _do(self, who: str, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(message=message):
                    self.said.append(message)
                    to = "den" if who == "kitchen" else "kitchen"
                    told = read_message(message.model_dump_json())
                    for delay in self._delays():
                        self._later(delay, partial(self._take, to, told))
                case Arm():
                    self.armed.append(action)
                    which = action.device
                    way = METRES_SECONDS * (1 if which == 0 else -1)
                    heard: Arrivals | Unsure = arrivals(self._offset_seconds, way)
                    if not self._hears[which]:
                        heard = Unsure("a chirp is 3 dB above the noise")
                    ends = action.start_seconds + action.plan.seconds + 0.5 - self.now
                    self._later(ends, partial(self._hear, who, heard))
                case Done(outcome=outcome):
                    self.outcomes[who].append(outcome)
                    self.ended_at[who] = self.now

    def _take(self, who: str, message: PairMessage) -> None:
        if who == "kitchen":
            self._do(who, self.lead.take(message, self.now))
        elif self.partner is not None:
            self._do(who, self.partner.take(message, self.now))
        elif isinstance(message, Propose):
            self.partner = PartnerSession(message, me="den", place=self._places[1], trim_seconds=TRIM_SECONDS)
            self._do(who, self.partner.begin(self.now, why_not=self._why_not))

    def _hear(self, who: str, heard: Arrivals | Unsure) -> None:
        side = self.lead if who == "kitchen" else self.partner
        assert side is not None
        self._do(who, side.hear(heard, self.now))


def test_two_hubs_that_understand_each_other_find_the_offset_and_the_partners_trim_grows_by_it() -> None:
    pair = Pair(3e-4)
    pair.run()
    assert [type(one) for one in pair.said] == [Propose, Accept, Heard, Result, Applied]
    [at_kitchen], [at_den] = pair.outcomes.values()
    assert isinstance(at_kitchen, Calibrated)
    assert at_den == at_kitchen
    assert at_kitchen.offset.offset_seconds == pytest.approx(3e-4)
    assert at_kitchen.offset.distance_metres == pytest.approx(METRES_SECONDS * 343, rel=0.02)
    assert at_kitchen.trim_seconds == pytest.approx(TRIM_SECONDS + 3e-4)
    assert [arm.device for arm in pair.armed] == [1, 0]
    assert len({arm.start_seconds for arm in pair.armed}) == 1


def test_places_of_the_microphones_are_exchanged() -> None:
    pair = Pair(
        0.0,
        places=(
            Placement(towards_metres=0.0343, own_path_metres=0.1),
            Placement(towards_metres=-0.0343, own_path_metres=0.3),
        ),
    )
    pair.run()
    [found] = pair.outcomes["den"]
    assert isinstance(found, Calibrated)
    assert found.offset.offset_seconds == pytest.approx(1e-4, rel=0.02)
    assert found.offset.distance_metres == pytest.approx(METRES_SECONDS * 343 + 0.2, rel=0.02)


@st.composite
def networks(draw: st.DrawFn) -> Callable[[], list[float]]:
    """Messages come late, twice, in another order, or never."""
    spells = iter(draw(st.lists(st.lists(st.floats(0, 12), max_size=3), min_size=12, max_size=12)))
    return lambda: next(spells, [])


@settings(max_examples=300, deadline=None)
@given(networks(), st.tuples(st.booleans(), st.booleans()), st.sampled_from([2e-4, -5e-3]), st.booleans())
def test_whatever_becomes_of_the_messages_each_side_ends_once_and_in_time(
    network: Callable[[], list[float]], hears: tuple[bool, bool], offset: float, refuses: bool
) -> None:
    pair = Pair(offset, delays=network, hears=hears, why_not="muted" if refuses else None)
    pair.run()
    assert len(pair.outcomes["kitchen"]) == 1
    assert len(pair.outcomes["den"]) == (pair.partner is not None)
    assert max(pair.ended_at.values()) < 50.0 + LONGEST_SECONDS
    [at_kitchen] = pair.outcomes["kitchen"]
    for at_den in pair.outcomes["den"]:
        # what is believed by the one who leads is in force, and all else is not
        if isinstance(at_kitchen, Calibrated):
            assert at_den == at_kitchen
        if isinstance(at_den, Calibrated):
            assert all(hears)
            assert not refuses
            assert abs(at_den.trim_seconds - TRIM_SECONDS - at_den.offset.offset_seconds) < 1e-12
    if refuses:
        assert not pair.armed


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_messages_of_nobody_and_of_other_sessions_change_nothing(data: st.DataObject) -> None:
    """They are mixed into a session that goes well."""
    kinds: list[PairMessage] = [
        Accept(session=SESSION, sender="attic", place=Placement(towards_metres=0.5)),
        Refuse(session="f" * 16, sender="den", why="no"),
        Abort(session="f" * 16, sender="den", why="no"),
        Heard(session=SESSION, sender="attic", later_seconds=0.1, sigma_seconds=0, snr_db=60),
        Heard(session="f" * 16, sender="den", later_seconds=0.1, sigma_seconds=0, snr_db=60),
        Result(session="f" * 16, sender="kitchen", offset_seconds=0.02, sigma_seconds=0, distance_metres=1),
        Result(session=SESSION, sender="attic", offset_seconds=0.02, sigma_seconds=0, distance_metres=1),
        Applied(session=SESSION, sender="attic", trim_seconds=0.1),
        # early, of the right hubs
        Result(session=SESSION, sender="kitchen", offset_seconds=0.02, sigma_seconds=0, distance_metres=1),
        Applied(session=SESSION, sender="den", trim_seconds=0.1),
    ]
    strangers = st.sampled_from(kinds)
    pair = Pair(3e-4)
    begun = pair.lead.begin(pair.now)
    [proposal] = [one.message for one in begun if isinstance(one, Send)]
    assert isinstance(proposal, Propose)
    partner = PartnerSession(proposal, me="den", place=Placement(), trim_seconds=0.0)
    accepted = partner.begin(pair.now)
    for side in (pair.lead, partner):
        for stranger in data.draw(st.lists(strangers, max_size=5)):
            assert side.take(stranger, pair.now) == []
    [accept] = [one.message for one in accepted if isinstance(one, Send)]
    assert [type(one) for one in pair.lead.take(accept, pair.now)] == [Arm]


def test_an_answer_that_comes_too_late_for_the_chirps_ends_it_without_any() -> None:
    pair = Pair(3e-4, delays=lambda: [0.8])
    pair.run()
    assert [arm.device for arm in pair.armed] == [1]
    [failed] = pair.outcomes["kitchen"]
    assert isinstance(failed, Failed)
    assert "does not answer" in failed.why
    assert pair.ended_at["den"] < 50.0 + 2.5  # told so before the first chirp


def test_a_refusal_says_why() -> None:
    pair = Pair(3e-4, why_not="the ultrasonic tone is switched off")
    pair.run()
    assert pair.outcomes["kitchen"] == [Failed(why="den refuses: the ultrasonic tone is switched off")]


@pytest.mark.parametrize("deaf", [0, 1])
def test_a_hub_that_hears_nothing_says_so_to_both(deaf: int) -> None:
    pair = Pair(3e-4, hears=(deaf != 0, deaf != 1))
    pair.run()
    for outcomes in pair.outcomes.values():
        [failed] = outcomes
        assert isinstance(failed, Failed)
        assert "3 dB above the noise" in failed.why


def test_what_time_stamps_cannot_be_wrong_by_is_believed_the_second_time_only() -> None:
    first = Pair(4e-3)
    first.run()
    [suspected] = first.outcomes["kitchen"]
    assert isinstance(suspected, Suspected)
    assert isinstance(first.outcomes["den"][0], Failed)
    again = Pair(4.01e-3, suspected=suspected.offset)
    again.run()
    assert isinstance(again.outcomes["den"][0], Calibrated)
    other = Pair(5e-3, suspected=suspected.offset)
    other.run()
    [failed] = other.outcomes["kitchen"]
    assert isinstance(failed, Failed)
    assert "4000 us were heard, and then 5000 us" in failed.why


def test_measurements_agree_within_what_they_know() -> None:
    def offset(seconds: float, sigma: float) -> AcousticOffset:
        return AcousticOffset(offset_seconds=seconds, sigma_seconds=sigma, distance_metres=1.0)

    assert agree(offset(2e-3, 1e-6), offset(2.09e-3, 1e-6))
    assert not agree(offset(2e-3, 1e-6), offset(2.11e-3, 1e-6))
    assert agree(offset(2e-3, 2e-5), offset(2.11e-3, 2e-5))


@pytest.mark.parametrize(
    "change",
    [
        {"low_hz": 1000.0},
        {"high_hz": 19_000.0},
        {"chirp_seconds": 10.0},
        {"slot_seconds": 0.09},
        {"rounds": 1000},
        {"low_hz": float("nan")},
    ],
)
def test_a_plan_that_people_hear_or_that_never_ends_is_not_even_read(change: dict[str, float]) -> None:
    offered = PlanOffered.of(PLAN)
    assert offered.plan() == PLAN
    with pytest.raises(ValidationError):
        PlanOffered.model_validate({**offered.model_dump(), **change})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode(errors="replace")))
def test_nonsense_is_a_validation_error_and_nothing_else(payload: str) -> None:
    with pytest.raises(ValidationError):
        read_message(payload)

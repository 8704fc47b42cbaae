"""The presence bench in small: what is promised holds on a few scenes, and the peers are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from script.journal import Batch, Journal, Row, batches, fingerprint
from script.presence import empty, entries, roc, stays
from script.presence.scenes import MICROPHONES, SEATED_SECONDS, as_calibrated, clip, entry, stay, visit
from script.presence.watchers import Watched, hop_at, told_at
from script.presence.watching import watch, watch_room
from sensing.share_interval import share_interval
from sensing.simulation.baseband.scene import Gesture, Scene, Sitter, Walker
from sensing.simulation.baseband.scene_faults import Line
from sensing.simulation.baseband.scene_nuisances import Pet

WALKS_ACROSS = Walker(kind="walker", at=5.0, path=((0.5, 3.0), (4.5, 3.0)), then="leaves")


def batch(part: str, kind: str, count: int, *names: str) -> Batch:
    return Batch(part=part, kind=kind, first=0, count=count, names=names)


def test_of_eight_entries_into_a_quiet_room_seven_are_told_within_a_second_and_all_within_four() -> None:
    rows = entries.measure(batch("entries", "quiet", 8, "network"))
    late = [float(str(row["late_seconds"])) for row in rows]
    assert sum(seconds <= 1.0 for seconds in late) >= 7
    assert max(late) < 4.0
    assert not any(row["began_before"] for row in rows)


@pytest.mark.parametrize("nuisance", ["fan", "curtain", "hvac"])
def test_an_hour_without_anybody_is_an_hour_without_presence(nuisance: str) -> None:
    (hour,) = empty.measure(batch("empty", nuisance, 1, "network"))
    assert (hour["false_presences"], hour["false_minutes"]) == (0, 0.0)


def test_who_is_there_when_one_scene_of_a_room_ends_is_there_when_the_next_begins() -> None:
    scenes = [Scene(seconds=12, people=(WALKS_ACROSS,)), Scene(seconds=5)]
    first, second = (seen["network"] for seen in watch_room(scenes, ("network",)))
    assert first.present[-1]
    assert second.present[-1]
    assert not watch(scenes[1], ("network",))["network"].present.any()


def test_a_visit_is_over_three_minutes_after_the_last_step() -> None:
    found = stays.exit_summary(stays.measure(batch("visit", "visit", 2, "network")))
    assert found["exits"] == 2
    assert isinstance(found["most_seconds"], float)
    assert found["most_seconds"] <= 180.0


def test_a_hub_that_saves_power_notices_who_comes_as_soon_rests_and_notices_the_exit() -> None:
    always, resting = watch(visit(1).scene, ("network", "balanced")).values()
    entered = int(always.begins[0])
    assert abs(int(resting.begins[0]) - entered) <= 1
    rest = slice(entered + 2, entered + hop_at(29.0))
    assert always.motion[rest].any()
    assert not resting.motion[rest].any()
    assert len(resting.begins) == 1
    assert not resting.present[-1]


def test_doppler_js_sees_a_hand_that_moves_fast_near_it_and_no_quiet_room() -> None:
    hand = Sitter(
        kind="sitter",
        position_m=(2.5, 0.8),
        gestures=(Gesture(at=10.0, kind="reach"),),
        gestures_per_minute=0.0,
    )
    watched = watch(Scene(seconds=20, people=(hand,)), ("doppler_js",))["doppler_js"]
    # the first windows ring up from nothing
    assert not watched.motion[hop_at(2.0) : hop_at(9.5)].any()
    assert watched.motion[hop_at(10.0) : hop_at(12.0)].any()
    assert watched.present[-1]


def test_passive_infrared_sees_who_walks_across_and_forgets_who_sits() -> None:
    watched = infrared(Scene(seconds=90, people=(WALKS_ACROSS,)))
    (begin,) = watched.begins
    assert 5.0 < told_at(int(begin)) < 7.0
    assert not watched.present[-1]
    sitter = Sitter(kind="sitter", position_m=(2.5, 2.0), gestures_per_minute=30)
    assert not infrared(Scene(seconds=60, people=(sitter,))).present.any()


def test_passive_infrared_sees_pets_that_are_near_and_nobody_who_comes_straight_at_it() -> None:
    cat = Pet(kind="pet", path=((0.5, 2.0), (4.5, 2.0)), at=5.0)
    assert infrared(Scene(seconds=20, nuisances=(cat,))).present.any()
    straight = Walker(kind="walker", at=5.0, path=((2.5, 3.8), (2.5, 1.0)), then="stays")
    assert not infrared(Scene(seconds=20, people=(straight,))).present.any()


def infrared(scene: Scene) -> Watched:
    return watch(scene, ("pir",))["pir"]


def test_a_calibrated_hub_hears_the_tones_of_others_as_near_as_before() -> None:
    line = Line(kind="line", hz=30_100.0)
    scene = as_calibrated(Scene(seconds=1, carrier_hz=30_000.0, rate_hz=96_000, faults=(line,)))
    (moved,) = scene.faults
    assert isinstance(moved, Line)
    assert moved.hz - scene.carrier_hz == pytest.approx(100.0)
    Scene.model_validate(scene.model_dump())


@pytest.mark.parametrize("number", range(4))
def test_nothing_comes_before_the_floors_have_settled_and_nuisances_last(number: int) -> None:
    one = entry(number, "fan")
    assert one.at >= 40.0
    assert 1.0 + number <= one.distance_m < 2.0 + number
    assert [(fan.at, fan.until) for fan in one.scene.nuisances] == [(0.0, None)]
    assert one.scene.hub.microphones == MICROPHONES
    Scene.model_validate(one.scene.model_dump())


def test_a_stay_is_half_an_hour_on_a_seat_within_three_metres() -> None:
    for number in range(3):
        one = stay(number)
        assert one.seated[1] - one.seated[0] == pytest.approx(SEATED_SECONDS)
        assert one.distance_m < 3.0
        assert one.seated[1] < one.exit_at < one.scene.seconds - 500
        Scene.model_validate(one.scene.model_dump())


def test_the_same_number_gives_the_same_clip() -> None:
    assert clip(1, "nobody", "fan").people == ()
    assert clip(1, "walks_in", "fan") == clip(1, "walks_in", "fan")


def test_bounds_are_the_exact_ones() -> None:
    # Clopper and Pearson: 1 - 0.025^(1/10)
    assert share_interval(0, 10) == (0.0, pytest.approx(0.30850, abs=1e-5))
    assert share_interval(10, 10) == (pytest.approx(0.69150, abs=1e-5), 1.0)


def test_the_area_under_a_curve_counts_equal_scores_half() -> None:
    apart: list[Row] = [{"walks": walks, "score": float(walks)} for walks in (True, False)]
    equal: list[Row] = [{"walks": walks, "score": 0.5} for walks in (True, False)]
    assert (roc.summary(apart)["auc"], roc.summary(equal)["auc"]) == (1.0, 0.5)


def test_a_run_that_was_interrupted_measures_only_what_is_missing(tmp_path: Path) -> None:
    model = tmp_path / "network.onnx"
    model.write_bytes(b"one network")
    measured: list[int] = []

    def measure(one: Batch) -> list[Row]:
        measured.append(one.first)
        return [{"number": float(number)} for number in one.numbers]

    def run(scenes: int) -> list[Row]:
        wanted = batches("entries", "quiet", scenes, 2, ("energy",), model)
        journal = Journal(tmp_path / "kept", processes=1, fingerprint=fingerprint((), model))
        return journal.rows(measure, wanted, "entries")

    assert len(run(4)) == 4
    assert [row["number"] for row in run(6)] == list(np.arange(6.0))
    assert measured == [0, 2, 4]
    model.write_bytes(b"another network")
    run(2)
    assert measured == [0, 2, 4, 0]

"""The parts of the presence network's training; the training itself takes two hours."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensing.models.catalog import SHIPPED, shipped_model
from sensing.models.session import Session
from sensing.simulation.baseband.renderer import render
from sensing.simulation.baseband.scene_nuisances import Neighbour
from sensing.simulation.baseband.truth import MAJOR, NONE
from sensing.training import recurrent_network
from sensing.training.presence_alarms import poisson_upper
from sensing.training.presence_data import Example, drawn_kinds
from sensing.training.presence_features import ENDED, Hops, hops_of
from sensing.training.presence_mining import clusters, hardest, mine_hour, widened
from sensing.training.presence_nuisances import FANS, NUISANCES, Split
from sensing.training.presence_scenes import PEOPLE, SIMPLE, STRONG, draw_empty_hour, draw_scene
from sensing.training.train_presence import Trained, importance, train
from sensing.ultrasound.motion_network import INPUTS, OUTPUTS, UNITS, MotionNetwork

SPLITS: tuple[Split, ...] = ("train", "dev", "test")


@given(
    people=st.sampled_from([*PEOPLE, STRONG, SIMPLE]),
    nuisance=st.sampled_from(NUISANCES),
    number=st.integers(0, 5_000),
    split=st.sampled_from(SPLITS),
)
@settings(max_examples=60, deadline=None)
def test_a_drawn_scene_is_always_the_same_and_no_split_has_another_ones(
    people: str, nuisance: str, number: int, split: Split
) -> None:
    scene = draw_scene(split, number, people=people, nuisance=nuisance)
    assert scene == draw_scene(split, number, people=people, nuisance=nuisance)
    seeds = {draw_scene(one, number, people=people, nuisance=nuisance).seed for one in SPLITS}
    assert len(seeds) == len(SPLITS)


def test_nobody_is_measured_on_a_fan_that_was_learnt() -> None:
    for radius_m, rpm, _ in FANS["test"]:
        for learnt_radius_m, learnt_rpm, _ in FANS["train"]:
            apart = radius_m[0] >= learnt_radius_m[1] or radius_m[1] <= learnt_radius_m[0]
            assert apart or rpm[0] >= learnt_rpm[1] or rpm[1] <= learnt_rpm[0]


@given(nuisance=st.sampled_from(NUISANCES), number=st.integers(0, 500))
@settings(max_examples=30, deadline=None)
def test_an_empty_hour_is_empty_and_a_scene_like_it_can_be_drawn(nuisance: str, number: int) -> None:
    hour = draw_empty_hour("dev", number, nuisance=nuisance)
    assert hour.people == ()
    assert hour.seconds == 3_600
    like_it = widened(hour, number)
    assert like_it.people == ()
    assert {one.kind for one in like_it.nuisances} == {one.kind for one in hour.nuisances}
    assert like_it.seed != hour.seed


def test_what_is_rendered_comes_back_from_its_file(tmp_path: Path) -> None:
    scene = draw_scene("dev", 3, people="walks_at_once", nuisance="music", seconds=8.0)
    example = Example.of(render(scene), "walks_at_once", "music")
    example.save(tmp_path / "one.npz")
    back = Example.load(tmp_path / "one.npz")
    assert back.scene == scene
    assert example.playback is not None
    assert back.playback is not None
    np.testing.assert_array_equal(back.playback, example.playback)
    np.testing.assert_array_equal(back.baseband, example.baseband)
    np.testing.assert_array_equal(back.motion, example.motion)
    assert (back.people, back.kind) == ("walks_at_once", "music")


def test_who_begins_to_listen_late_hears_the_same_labels_later() -> None:
    scene = draw_scene("dev", 3, people="walks_at_once", nuisance="quiet", seconds=12.0)
    example = Example.of(render(scene), "walks_at_once", "quiet")
    whole, late = hops_of(example), hops_of(example, begins=40)
    assert whole.inputs.shape == late.inputs.shape == (1, whole.kinds.shape[1], INPUTS)
    assert (late.kinds[0, -40:] == ENDED).all()
    np.testing.assert_array_equal(late.kinds[0, :-40], whole.kinds[0, 40:])
    assert (importance(late)[0, -40:] == 0).all()


def test_any_beginning_of_the_list_of_scenes_has_the_same_shares() -> None:
    kinds = list(drawn_kinds("train", 1_000))
    assert len(kinds) == 1_266
    empty = [people == "nobody" for people, _, _ in kinds[:1_000]]
    assert np.mean(empty[:300]) == pytest.approx(np.mean(empty), abs=0.1)


def toy(scenes: int, seed: int) -> Hops:
    """Return scenes in which the first input says when somebody walks."""
    chance = np.random.default_rng(seed)
    inputs = chance.normal(0, 1, (scenes, 500, INPUTS)).astype(np.float16)
    walks = np.zeros((scenes, 500), bool)
    for row in walks:
        begin = int(chance.integers(50, 400))
        row[begin : begin + 60] = True
    inputs[..., 0] += 4 * walks
    kinds = np.where(walks, MAJOR, NONE).astype(np.int8)
    return Hops(
        inputs=inputs,
        kinds=kinds,
        nuisances=np.zeros_like(walks),
        occupied=walks,
        people=("walks_in",) * scenes,
        nuisance_kinds=("quiet",) * scenes,
    )


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(toy(256, 1), epochs=15, seed=1)


def test_the_training_finds_what_is_there_to_be_found(trained: Trained) -> None:
    unseen = toy(16, 2)
    major = trained.scores(unseen.inputs)[..., 2] > 0.5
    walks = unseen.kinds == MAJOR
    assert major[walks].mean() > 0.8
    assert major[~walks].mean() < 0.05


def test_the_exported_network_says_hop_by_hop_what_the_trained_one_says(
    trained: Trained, tmp_path: Path
) -> None:
    path = tmp_path / "net.onnx"
    recurrent_network.export(trained.weights, path, mean=trained.mean, scale=trained.scale)
    session, state = Session(path), np.zeros((1, 1, UNITS), np.float32)
    inputs = toy(1, 3).inputs
    expected = trained.scores(inputs)[0]
    for hop in range(100):
        scores, state = session.run({"features": inputs[:, [hop]].astype(np.float32), "state": state})
        np.testing.assert_allclose(scores[0], expected[hop], atol=2e-3)


def test_the_loss_of_hops_without_importance_is_nothing() -> None:
    weights = recurrent_network.first_weights(INPUTS, UNITS, len(OUTPUTS), seed=1)
    inputs = jnp.asarray(np.random.default_rng(1).normal(size=(20, 2, INPUTS)), jnp.float32)
    nothing = jnp.zeros((20, 2))
    importance = nothing.at[:10].set(1.0)
    kinds = jnp.zeros((20, 2), jnp.int32)
    other = kinds.at[10:].set(2)
    one, two = (
        recurrent_network.loss(weights, inputs, labels, nothing, importance) for labels in (kinds, other)
    )
    assert float(one) == float(two)


def test_mining_keeps_the_windows_with_the_highest_scores_but_no_neighbours(tmp_path: Path) -> None:
    paths = []
    for number, kind in enumerate(("fan", "curtain", "neighbour")):
        scene = draw_empty_hour("dev", number, nuisance=kind, seconds=300.0)
        hour = mine_hour(scene, kind, MotionNetwork())
        assert list(hour.tops) == sorted(hour.tops, reverse=True)
        paths.append(tmp_path / f"{number}.npz")
        np.savez(paths[-1], scene=scene.model_dump_json(), kind=kind, inputs=hour.inputs, tops=hour.tops)
    hops, found = hardest(paths, windows=3)
    assert len(hops) == 3
    assert not hops.occupied.any()
    assert [top for top, *_ in found] == sorted((top for top, *_ in found), reverse=True)
    assert "neighbour" not in {kind for _, kind, _ in found}
    assert sum(int(str(one["windows"])) for one in clusters(found)) == 3


def test_neighbours_pass_the_same_door_in_every_hour_of_a_room_at_other_times() -> None:
    hours = [draw_empty_hour("dev", 1, nuisance="neighbour", hour=hour) for hour in range(3)]
    passes = [one for hour in hours for one in hour.nuisances if isinstance(one, Neighbour)]
    assert len({(one.doorway_m, one.aperture_db) for one in passes}) == 1
    assert len({one.at for one in passes}) == len(passes) == 36
    assert draw_empty_hour("dev", 2, nuisance="neighbour").nuisances[0] != hours[0].nuisances[0]


def test_no_event_in_21_days_bounds_the_rate_at_once_a_week() -> None:
    assert poisson_upper(0, 21) < 1 / 7
    assert poisson_upper(0, 20) > 1 / 7
    assert poisson_upper(0, 30) == pytest.approx(0.09986, abs=1e-5)  # -ln(0.05) / 30


def test_the_shipped_network_says_what_its_card_says() -> None:
    with np.load(SHIPPED / "presence.npz") as vectors:
        state = np.zeros((1, 1, UNITS), np.float32)
        scores, _ = Session(shipped_model("presence")).run({"features": vectors["features"], "state": state})
        np.testing.assert_allclose(scores, vectors["scores"], atol=1e-4)

"""What a hub may keep for its owner to learn from."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np

from hub.clock import SystemClock
from hub.rare_moments import MOST_MOMENTS, RareMomentFolder
from sensing.ultrasound.doppler_features import DopplerFeatures, DopplerFrame
from sensing.ultrasound.motion_classifier import MotionScore
from sensing.ultrasound.motion_network import INPUTS
from sensing.ultrasound.rare_moments import AFTER_HOPS, BEFORE_HOPS, PAUSE_HOPS, RareMoment, RareMoments

QUIET = MotionScore(minor=0.01, major=0.01)
DOUBT = MotionScore(minor=0.1, major=0.5)


def frame() -> DopplerFrame:
    noise = np.random.default_rng(1).normal(0, 1e-4, (2, 600, 2)) @ np.array([1, 1j])
    return DopplerFeatures(baseband_hz=1_000, microphones=2).process((0.1 + noise).astype(np.complex64))[-1]


FRAME = frame()


def fed(rare: RareMoments, hops: list[tuple[MotionScore, bool, bool]]) -> list[RareMoment]:
    """Feed scores with whether the room is occupied and whether something moves."""
    found = []
    for number, (score, is_present, is_moving) in enumerate(hops):
        moment = rare.process(FRAME, score, number, is_present=is_present, is_moving=is_moving)
        if moment is not None:
            found.append(moment)
    return found


def test_an_empty_room_in_which_nothing_happens_gives_nothing() -> None:
    assert fed(RareMoments(), [(QUIET, False, False)] * 20_000) == []


def test_what_nearly_was_somebody_is_kept_with_what_came_before_and_after() -> None:
    hops = [(QUIET, False, False)] * 1_000 + [(DOUBT, False, False)] * 10 + [(QUIET, False, False)] * 1_000
    [moment] = fed(RareMoments(), hops)
    assert moment.kind == "nearly_somebody"
    assert moment.inputs.shape == (BEFORE_HOPS + AFTER_HOPS, INPUTS)
    doubtful = np.flatnonzero(moment.scores[:, 1] > 0.3)
    assert len(doubtful) == 10
    assert BEFORE_HOPS - 20 < doubtful[0] < BEFORE_HOPS + 20


def test_what_lasts_all_night_is_kept_once_in_five_minutes() -> None:
    hours = 2
    found = fed(RareMoments(), [(DOUBT, False, False)] * (72_000 * hours))
    assert len(found) <= 72_000 * hours / PAUSE_HOPS


def test_an_entry_after_which_nobody_moves_is_kept_and_one_after_which_somebody_does_is_not() -> None:
    entry = [(QUIET, False, False)] * 1_000 + [(DOUBT, True, True)] * 20
    ghost = [*entry, *[(QUIET, True, False)] * 3_000, *[(QUIET, False, False)] * 100]
    [moment] = fed(RareMoments(), ghost)
    assert moment.kind == "soon_gone"
    assert (moment.scores[:, 1] > 0.3).sum() == 20
    lived = [(QUIET, True, False)] * 1_500 + [(QUIET, True, True)] * 5 + [(QUIET, True, False)] * 3_000
    assert fed(RareMoments(), [*entry, *lived, *[(QUIET, False, False)] * 100]) == []


def test_the_folder_keeps_the_newest_and_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    moment = RareMoment(
        kind="soon_gone",
        end_frame=1,
        inputs=np.zeros((600, INPUTS), np.float16),
        scores=np.zeros((600, 3), np.float16),
    )
    folder = tmp_path / "rare"
    folder.mkdir()
    for number in range(MOST_MOMENTS + 3):
        (folder / f"2000{number:04}.npz").touch()
    RareMomentFolder(folder, SystemClock(UTC)).keep(moment)
    kept = sorted(folder.glob("*.npz"))
    assert len(kept) == MOST_MOMENTS
    with np.load(kept[-1]) as file:
        assert set(file) == {"inputs", "scores", "kind"}
    (tmp_path / "file").touch()
    RareMomentFolder(tmp_path / "file", SystemClock(UTC)).keep(moment)  # a file is no folder

"""A recording becomes a picture: spectrum, motion and presence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from hub.cli.main import run_command
from hub.presence_plot import spectrogram_of, times_of
from sensing.observations import MotionSeen, Observation, PresenceChanged

RATE = 48_000


def present(at: float, is_present: bool | None) -> PresenceChanged:
    return PresenceChanged(
        at=at,
        frame=round(at * RATE),
        present=is_present,
        reason="major_motion",
        explanation="",
        confidence=1.0,
    )


def major(at: float) -> MotionSeen:
    return MotionSeen(at=at, frame=round(at * RATE), kind="major", score=0.9)


def test_motion_that_is_told_again_and_again_is_one_bar() -> None:
    seen: list[Observation] = [major(1.0), present(1.1, True), major(1.5), major(2.05), major(4.0)]
    times = times_of(seen, seconds=4.2)
    assert times.major == (pytest.approx((1.0, 2.55)), pytest.approx((4.0, 4.2)))
    assert times.minor == ()
    assert times.present == (pytest.approx((1.1, 4.2)),)


def test_a_room_that_becomes_unknown_is_not_drawn_as_occupied() -> None:
    seen: list[Observation] = [
        present(1.0, True),
        present(3.0, None),
        present(5.0, True),
        present(6.0, False),
    ]
    assert times_of(seen, seconds=9.0).present == ((1.0, 3.0), (5.0, 6.0))


@pytest.mark.parametrize("seconds", [4, 600])
def test_an_echo_of_100_hz_is_drawn_at_100_hz_however_long_the_recording(seconds: int) -> None:
    time = np.arange(seconds * 1_000) / 1_000
    baseband = (0.1 + 0.001 * np.exp(2j * np.pi * 100 * time)).astype(np.complex64)[None]
    picture = spectrogram_of([baseband[:, :1_500], baseband[:, 1_500:]], 1_000)
    strongest = np.abs(picture.power_dbc.mean(axis=1).argmax() - np.abs(picture.hz - 100).argmin())
    assert strongest == 0
    # 0.001 over 0.1 is -40 dB; half a bin beside a line Blackman loses 1.1 dB
    assert picture.power_dbc.max() == pytest.approx(-40, abs=1.2)
    assert picture.seconds == pytest.approx(seconds, abs=1)
    assert picture.power_dbc.shape[1] <= 1_500


def test_presence_plots_a_recording_and_refuses_what_is_no_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 20_000 / RATE * np.arange(2 * RATE))
    noise = np.random.default_rng(1).normal(0, 1e-4, len(tone))
    wavfile.write(tmp_path / "quiet.wav", RATE, (tone + noise).astype(np.float32))
    picture = tmp_path / "quiet.png"
    assert run_command(["presence", str(tmp_path / "quiet.wav"), "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run_command(["presence", str(tmp_path / "quiet.wav"), "--plot", "quiet.xyz"]) != 0
    assert "is no picture" in capsys.readouterr().err
    nowhere = tmp_path / "no" / "quiet.png"
    assert run_command(["presence", str(tmp_path / "quiet.wav"), "--plot", str(nowhere)]) != 0
    assert "choose another --plot" in capsys.readouterr().err

"""What waits to be played is as long after an underrun as it was before: a sound card in virtual time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.audio import portaudio_device
from hub.audio.device import CardReport
from hub.audio.portaudio_device import PortAudioDevice

RATE_HZ = 48_000
BLOCK = 480
LATENCY_SECONDS = 0.2
AHEAD = round((LATENCY_SECONDS + 0.1) * RATE_HZ)
"""Frames between what is heard and what is played for it."""
KEPT_BLOCKS = 200
"""What is heard is kept for 2 s while nobody takes it."""


class Card:
    """A sound card, and who plays through it: each frame that is played names the frame heard with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 100.0
        self.played: list[NDArray[np.float32]] = []
        self.reports: list[CardReport] = []
        library = SimpleNamespace(Stream=self._stream, PortAudioError=OSError)
        monkeypatch.setattr(portaudio_device, "_load_sounddevice", lambda: library)
        monkeypatch.setattr(portaudio_device, "time", SimpleNamespace(monotonic=lambda: self.seconds))
        device = PortAudioDevice(
            name=None, rate_hz=RATE_HZ, microphones=1, speakers=1, latency_seconds=LATENCY_SECONDS
        )
        self.stream = device.open()

    def _stream(self, *, callback: Any, **_: object) -> Any:
        self._callback = callback
        return SimpleNamespace(start=lambda: None, active=True, time=0.0)

    def call(self, times: int) -> None:
        """Let the driver exchange blocks; nobody takes them."""
        for _ in range(times):
            self.stream._stream.time = self.seconds
            plays_at = SimpleNamespace(outputBufferDacTime=self.seconds + LATENCY_SECONDS)
            flags = SimpleNamespace(output_underflow=False, input_overflow=False)
            out = np.full((BLOCK, 1), np.nan, np.float32)
            self._callback(np.zeros((BLOCK, 1), np.float32), out, BLOCK, plays_at, flags)
            self.played.append(out[:, 0])
            self.seconds += BLOCK / RATE_HZ

    def tick(self, most: int) -> None:
        """Take what was heard, at most so many blocks, and play for it."""
        for _ in range(most):
            if self.stream._heard.available < BLOCK:
                return
            captured = self.stream.read()
            assert captured is not None
            if captured.report is not None:
                self.reports.append(captured.report)
            names = 1 + captured.first_frame + np.arange(BLOCK)
            self.stream.write(names[None].astype(np.float32))

    def run(self, blocks: int) -> None:
        for _ in range(blocks):
            self.call(1)
            self.tick(1)

    def wrong(self) -> NDArray[np.int64]:
        """Return the places of frames that are neither silence nor heard when they should be."""
        played = np.concatenate(self.played)
        due = 1 + np.arange(len(played)) - AHEAD
        return np.flatnonzero((played != 0) & (played != due))


STALLS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 300), st.integers(1, 400)), max_size=4)


@settings(max_examples=40, deadline=None)
@given(STALLS)
def test_each_frame_is_heard_when_it_would_have_been_or_not_at_all_however_long_nobody_came(
    stalls: list[tuple[int, int, int]],
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        card = Card(monkeypatch)
        for blocks, stall, come in stalls:
            card.run(blocks)
            card.call(stall)
            card.tick(come)
        card.tick(400)
        card.run(AHEAD // BLOCK + 20)
        assert card.wrong().size == 0
        assert np.concatenate(card.played[-15:]).all()


def test_an_underrun_costs_the_silence_once_and_the_queue_is_as_long_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = Card(monkeypatch)
    card.run(100)
    before = card.stream._to_play.available
    card.call(60)
    card.tick(100)
    assert card.stream.underruns == 30  # of 60 blocks, 30 were ahead
    assert card.stream._to_play.available == before
    card.run(100)
    played = np.concatenate(card.played)
    assert int((played[AHEAD:] == 0).sum()) == 30 * BLOCK


def test_what_the_card_reports_goes_on_in_one_line_through_underruns(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch)
    for stall in (1, 45, 3, 120, 199):
        card.run(40)
        card.call(stall)
        card.tick(KEPT_BLOCKS)
    card.run(40)
    lines = [report.heard_at_seconds - report.frame / RATE_HZ for report in card.reports]
    assert len(lines) > 200
    np.testing.assert_allclose(lines, lines[0], atol=1e-9)


def test_the_frames_that_a_report_names_are_those_that_are_heard_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = Card(monkeypatch)
    card.run(100)
    card.call(80)
    card.tick(100)
    card.run(100)
    report = card.reports[-1]
    place = round((report.heard_at_seconds - LATENCY_SECONDS - 100.0) * RATE_HZ)
    assert np.concatenate(card.played)[place] == report.frame + 1

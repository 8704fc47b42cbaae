"""Stereo mixes made by machine, whose centre is known: a voice, plucked strings, drums and a room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from hub.playback.text_to_speech import speak
from sensing.audio_block import Block

RATE_HZ = 48_000
Sound = NDArray[np.float64]

_SENTENCES = (
    "the river runs under the old stone bridge and nobody asks it where it wants to go",
    "seven quiet sailors found a lantern in the morning and carried it across the bay",
    "give me one more evening by the open window while the city lights come on below",
    "every summer the children paint the fence again in colours that they made themselves",
    "she wrote a letter to the mountain and the mountain sent her back a slow white cloud",
    "we walked along the railway until the houses ended and the fields began to sing",
    "nothing in the garden grows as quickly as the rumour that it rained again last night",
    "put the kettle on the stove and tell me what the doctor said about the broken chair",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mix:
    """A stereo sound and what of it is the centre.

    Attributes
    ----------
    stereo : Block
        Shape ``(2, frames)``.
    centre : Block
        Shape ``(frames,)``: what both channels share in equal parts; zeros where nothing does.
    """

    name: str
    stereo: Block
    centre: NDArray[np.float32]


def mixes(seed: int, *, seconds: float = 10.0) -> list[Mix]:
    """Return one mix of each kind; other seeds bring other words, notes and levels."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE_HZ)
    vocal = _level(_voice(rng, frames), 1.0)
    left, right = (_level(_plucks(rng, frames), 1.27) for _ in range(2))
    drums = _level(_drums(rng, frames), 1.0)
    ambience = np.stack([_level(_ambience(rng, frames), 0.3) for _ in range(2)])
    none = np.zeros(frames)
    hard = _panned((left, -1.0), (right, 1.0))
    return [
        _mix("hard-panned", vocal, hard),
        _mix("drums and ambience", vocal, hard + _panned((drums, -0.33)) + ambience),
        _mix("partly panned", vocal, _panned((left, -0.6), (right, 0.6))),
        _mix("no centre", none, hard + ambience),
        _mix("mono", vocal, np.zeros((2, frames))),
    ]


def _mix(name: str, centre: Sound, sides: Sound) -> Mix:
    scale = 0.08
    return Mix(
        name=name,
        stereo=(scale * (centre + sides)).astype(np.float32),
        centre=(scale * centre).astype(np.float32),
    )


def _panned(*sources: tuple[Sound, float]) -> Sound:
    """Return sources placed from -1 (left) to 1 (right) at equal power, shape ``(2, frames)``."""
    angles = [(place + 1) * np.pi / 4 for _, place in sources]
    pairs = [np.stack([np.cos(a) * s, np.sin(a) * s]) for a, (s, _) in zip(angles, sources, strict=True)]
    total: Sound = np.sum(pairs, axis=0)
    return total


def _level(sound: Sound, rms: float) -> Sound:
    scaled: Sound = sound * (rms / np.sqrt(np.mean(sound**2)))
    return scaled


def _voice(rng: np.random.Generator, frames: int) -> Sound:
    """Return sentences with short pauses."""
    said = np.zeros(0)
    while len(said) < frames:
        words = speak(str(rng.choice(_SENTENCES)), RATE_HZ)[0].astype(float)
        said = np.concatenate([said, words, np.zeros(round(rng.uniform(0.1, 0.5) * RATE_HZ))])
    first = int(rng.integers(0, len(said) - frames + 1))
    piece: Sound = said[first : first + frames]
    return piece


def _plucks(rng: np.random.Generator, frames: int) -> Sound:
    """Return plucked strings: partials that fade the faster the higher they are."""
    sound = np.zeros(frames)
    root_hz, at = float(rng.uniform(90, 180)), float(rng.uniform(0, 0.2))
    beat = float(rng.uniform(0.18, 0.4))
    while round(at * RATE_HZ) < frames:
        first = round(at * RATE_HZ)
        time = np.arange(min(frames - first, 2 * RATE_HZ)) / RATE_HZ
        note_hz = root_hz * 2 ** (rng.choice([0, 3, 5, 7, 10, 12, 15, 19]) / 12)
        for partial in range(1, min(25, int(12_000 / note_hz))):
            hz = partial * note_hz * np.sqrt(1 + 1e-4 * partial**2)
            shape = abs(np.sin(0.2 * np.pi * partial)) / partial * rng.uniform(0.5, 1)
            wave = np.sin(2 * np.pi * hz * time + rng.uniform(0, 2 * np.pi))
            sound[first : first + len(time)] += shape * np.exp(-time * (1 + 0.5 * partial)) * wave
        at += beat * float(rng.choice([1, 1, 2]))
    return sound


def _drums(rng: np.random.Generator, frames: int) -> Sound:
    """Return kick, snare and hat in a bar of eight."""
    sound = np.zeros(frames)
    step = float(rng.uniform(0.2, 0.28))
    time = np.arange(round(0.25 * RATE_HZ)) / RATE_HZ
    kick = 2 * np.exp(-time * 18) * np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-time * 30))))
    high = signal.butter(2, 6_000, "high", fs=RATE_HZ, output="sos")
    for count in range(int(frames / RATE_HZ / step) + 1):
        noise = rng.standard_normal(len(time))
        hit = 0.4 * np.exp(-time * 60) * signal.sosfilt(high, noise)
        if count % 4 == 0:
            hit = hit + kick
        if count % 4 == 2:
            hit = hit + np.exp(-time * 25) * (0.5 * noise + np.sin(2 * np.pi * 190 * time))
        first = round(count * step * RATE_HZ)
        piece = hit[: max(0, frames - first)]
        sound[first : first + len(piece)] += piece
    return sound


def _ambience(rng: np.random.Generator, frames: int) -> Sound:
    """Return noise with the colour of a room."""
    low = signal.butter(1, [120, 2_500], "band", fs=RATE_HZ, output="sos")
    noise: Sound = signal.sosfilt(low, rng.standard_normal(frames))
    return noise

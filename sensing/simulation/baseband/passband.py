"""From the baseband to what the sound card would have recorded."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

from sensing.audio_block import Block
from sensing.dsp.resampler import Resampler
from sensing.simulation.baseband.card import Card
from sensing.simulation.baseband.cast import chance_of
from sensing.simulation.baseband.interferers import KeyBursts, Tones
from sensing.simulation.baseband.played_music import PlayedMusic
from sensing.simulation.baseband.recording import Recording
from sensing.simulation.baseband.renderer import BasebandRenderer
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_geometry import microphone_places

_CHUNK_FRAMES = 1 << 18
_NOTCH_TAPS = 1_025
_MUSIC_ECHOES = ((0.0061, 0.3), (0.0093, 0.2), (0.0147, 0.15), (0.0233, 0.1))
"""Delays in seconds and gains of the walls for the music, relative to one metre."""


def to_passband(recording: Recording, *, music: NDArray[np.float32] | None = None) -> Block:
    """Return the samples of the sound card at the scene's rate.

    The baseband is interpolated, mixed up by the carrier, and joined by what lies beside its band: noise,
    lines, other hubs, keys and the music itself. Then the card's faults are applied to the samples.

    Parameters
    ----------
    music : NDArray, optional
        The same that was given to `render`.

    Returns
    -------
    Block
        Shape ``(microphones, frames)``.
    """
    scene = recording.scene
    renderer = BasebandRenderer(scene, music=music)
    frames = round(scene.seconds * scene.rate_hz)
    capture = np.empty((scene.hub.microphones, frames), np.float32)
    for index, row in enumerate(recording.arriving):
        capture[index] = _mixed_up(row, scene, frames)
    _add_beside(capture, renderer.tones, scene)
    for index, row in enumerate(capture):
        row += _noise_beside(scene, renderer.keys, frames, index)
    if renderer.music is not None:
        _add_music(capture, renderer.music, scene)
    return Card(scene).samples(capture)


def _mixed_up(row: NDArray[np.complex64], scene: Scene, frames: int) -> NDArray[np.float32]:
    parts = []
    for part in (row.real, row.imag):
        resampler = Resampler(scene.baseband_hz, scene.rate_hz)
        samples = resampler.process(np.ascontiguousarray(part), last=True)
        parts.append(np.pad(samples, (0, max(0, frames - len(samples))))[:frames])
    out = np.empty(frames, np.float32)
    for first in range(0, frames, _CHUNK_FRAMES):
        piece = slice(first, min(first + _CHUNK_FRAMES, frames))
        phase = np.remainder(np.arange(piece.start, piece.stop) * (scene.carrier_hz / scene.rate_hz), 1.0)
        angle = (2 * math.pi * phase).astype(np.float32)
        out[piece] = parts[0][piece] * np.cos(angle) - parts[1][piece] * np.sin(angle)
    return out


def _add_beside(capture: Block, tones: Tones, scene: Scene) -> None:
    """Add the tones outside the baseband's band."""
    half = scene.baseband_hz / 2
    bands = [(0.0, scene.carrier_hz - half), (scene.carrier_hz + half, scene.rate_hz / 2 + 1)]
    for first in range(0, capture.shape[1], _CHUNK_FRAMES):
        end = min(first + _CHUNK_FRAMES, capture.shape[1])
        seconds = np.arange(first, end) / scene.rate_hz
        for low_hz, high_hz in bands:
            capture[:, first:end] += tones.process(
                seconds, centre_hz=0.0, low_hz=low_hz, high_hz=high_hz
            ).real


def _noise_beside(scene: Scene, keys: KeyBursts, frames: int, microphone: int) -> Array:
    """Return the noise of one microphone without the band that the baseband has already."""
    chance = chance_of(scene, "noise beside", microphone)
    seconds = np.arange(frames) / scene.rate_hz
    level = np.hypot(10 ** (scene.hub.noise_db / 20), keys.amplitude(seconds))
    # a density over half the rate, and full scale is the peak of a sine: half its energy
    unit = math.sqrt(10 ** (-scene.hub.full_scale_db / 10) / 2 * scene.rate_hz / 2)
    half = 0.46 * scene.baseband_hz
    edges = [scene.carrier_hz - half, min(scene.carrier_hz + half, 0.499 * scene.rate_hz)]
    taps = firwin(_NOTCH_TAPS, edges, fs=scene.rate_hz, pass_zero="bandstop")
    noise: Array = oaconvolve(chance.standard_normal(frames) * level * unit, taps, mode="same")
    return noise


def _add_music(capture: Block, music: PlayedMusic, scene: Scene) -> None:
    """Add the music: direct from the speaker, and from the walls."""
    rate = 1 + 1e-6 * scene.clocks.drift_ppm
    size = 10 ** ((music.level_db - scene.hub.full_scale_db) / 20) / math.sqrt(2)
    speaker = np.array(scene.hub.position_m)
    for first in range(0, capture.shape[1], _CHUNK_FRAMES):
        end = min(first + _CHUNK_FRAMES, capture.shape[1])
        seconds = np.arange(first, end) / scene.rate_hz
        for row, place in zip(capture, microphone_places(scene), strict=True):
            metres = float(np.linalg.norm(place - speaker))
            for delay, gain in ((metres / 343.0, 1 / max(metres, 0.1)), *_MUSIC_ECHOES):
                row[first:end] += size * gain * music.pressure((seconds - delay) * rate)

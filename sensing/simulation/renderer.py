"""Render what the microphones hear: the speakers' own sound, people who reflect it, voices, noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

from sensing.audio_block import Block
from sensing.simulation.person import positions
from sensing.simulation.scene import Point, Scene

SPEED_OF_SOUND_MPS = 343.0
_MICROPHONE_SPACING_METRES = 0.07
_DIRECT_GAIN = 0.5
_ECHOES = ((0.0061, 0.12), (0.0093, 0.08), (0.0147, 0.05), (0.0233, 0.03))
"""Delays in seconds and gains of the walls for the sound of the device's own speakers."""
_HISTORY_SECONDS = 0.1
_KNOTS_HZ = 1_000
_VOICE_DISTANCE_METRES = 1.0
"""A voice's samples have their own level at this distance."""


class RoomRenderer:
    """Answer each tick of playback with a tick of capture.

    The walls are static delays of whatever is played. A moving person reflects only the band around the
    carrier: each part contributes ``A e(t - tau) exp(-2 pi j fc tau(t))``, with e the complex envelope of
    the played signal at the carrier and tau the way there and back. Spreading is 1/r each way. The way
    changes by less than a millimetre between two knots of 1 ms, so it is linear in between.

    Parameters
    ----------
    scene : Scene
        What happens.
    carrier_hz : float
        Centre of the band that people reflect.
    """

    def __init__(self, scene: Scene, carrier_hz: float) -> None:
        self.scene = scene
        self._step = 2 * math.pi * carrier_hz / scene.rate_hz
        self._wavenumber = 2 * math.pi * carrier_hz / SPEED_OF_SOUND_MPS
        middle = (scene.microphones - 1) / 2
        self._microphones: list[Point] = [
            ((index - middle) * _MICROPHONE_SPACING_METRES, 0.0, 0.0) for index in range(scene.microphones)
        ]
        self._band = firwin(129, 1_000, fs=scene.rate_hz)
        self._history_frames = round(_HISTORY_SECONDS * scene.rate_hz)
        self._speech = self._render_voices()
        self.reset()

    def reset(self) -> None:
        """Return to the start of the scene."""
        self._frame = 0
        self._played = np.zeros(self._history_frames)
        self._noise = np.random.default_rng(self.scene.seed)

    def render(self, first_frame: int, playback: Block) -> Block:
        """Return the capture of the frames in which ``playback`` leaves the speakers.

        Parameters
        ----------
        first_frame : int
            Must continue the last call.
        playback : Block
            Shape ``(speakers, n)``; speakers are taken as one source at the origin.

        Returns
        -------
        Block
            Shape ``(microphones, n)``.
        """
        if first_frame != self._frame:
            message = f"the scene is at frame {self._frame}, not {first_frame}; reset it first"
            raise ValueError(message)
        frames = playback.shape[1]
        played = np.concatenate([self._played, playback.sum(axis=0)])
        capture = self._noise.normal(
            0, 10 ** (self.scene.noise_dbfs / 20), (frames, len(self._microphones))
        ).T
        capture = capture + self._own_sound(played, frames) + self._reflections(played, frames)
        speech = self._speech[:, first_frame : first_frame + frames]
        capture[:, : speech.shape[1]] += speech
        self._frame += frames
        self._played = played[-self._history_frames :]
        return capture.astype(np.float32)

    def _own_sound(self, played: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
        """Return direct sound and wall echoes, the same at all microphones but for the first path."""
        heard = np.zeros((len(self._microphones), frames))
        for index, microphone in enumerate(self._microphones):
            metres = abs(microphone[0]) + 0.08
            paths = [(metres / SPEED_OF_SOUND_MPS, _DIRECT_GAIN)]
            paths += [(delay * (1 + 0.003 * index), gain) for delay, gain in _ECHOES]
            for delay, gain in paths:
                end = len(played) - round(delay * self.scene.rate_hz)
                heard[index] += gain * played[end - frames : end]
        return heard

    def _reflections(self, played: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
        """Return what moving people send back around the carrier."""
        heard = np.zeros((len(self._microphones), frames))
        numbers = self._frame + np.arange(frames)
        knots = (
            np.arange(
                math.floor(self._frame * _KNOTS_HZ / self.scene.rate_hz),
                math.ceil((self._frame + frames) * _KNOTS_HZ / self.scene.rate_hz) + 2,
            )
            / _KNOTS_HZ
        )
        seconds = numbers / self.scene.rate_hz
        envelope: NDArray[np.complex128] | None = None
        for walk in self.scene.walks:
            points, reflections = positions(walk, knots)
            if not reflections.any():
                continue
            if envelope is None:
                envelope = self._envelope(played)
            out = np.linalg.norm(points, axis=2)
            for index, microphone in enumerate(self._microphones):
                back = np.linalg.norm(points - np.array(microphone), axis=2)
                gains = reflections / np.maximum(out * back, 0.1)
                for way, gain in zip(out + back, gains, strict=True):
                    metres = np.interp(seconds, knots, way)
                    lag = np.round(metres / SPEED_OF_SOUND_MPS * self.scene.rate_hz).astype(int)
                    source = envelope[len(played) - frames + np.arange(frames) - lag]
                    turn = np.exp(1j * (self._step * numbers - self._wavenumber * metres))
                    heard[index] += np.interp(seconds, knots, gain) * (source * turn).real
        return heard

    def _envelope(self, played: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the complex envelope of the played signal at the carrier, delayed by half the filter."""
        numbers = self._frame - self._history_frames + np.arange(len(played))
        mixed = 2 * played * np.exp(-1j * self._step * numbers)
        envelope: NDArray[np.complex128] = np.convolve(mixed, self._band)[: len(played)]
        return envelope

    def _render_voices(self) -> NDArray[np.float64]:
        """Return all voices at all microphones, until the last of them has ended."""
        rate_hz = self.scene.rate_hz
        ends = [voice.at_seconds + len(voice.samples) / rate_hz + 0.1 for voice in self.scene.voices]
        frames = math.ceil(min(max(ends, default=0.0), self.scene.seconds) * rate_hz)
        heard = np.zeros((len(self._microphones), frames))
        for voice in self.scene.voices:
            for index, microphone in enumerate(self._microphones):
                metres = math.dist(voice.position, microphone)
                for extra_metres, gain in ((0.0, 1.0), (1.1, 0.2), (2.7, 0.12)):
                    way = metres + extra_metres
                    first = round((voice.at_seconds + way / SPEED_OF_SOUND_MPS) * self.scene.rate_hz)
                    piece = voice.samples[: max(0, frames - first)]
                    heard[index, first : first + len(piece)] += gain * _VOICE_DISTANCE_METRES / way * piece
        return heard

"""A scene through everything that follows the demodulator, as the hub does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sensing.simulation.baseband.played_music import PlayedMusic
from sensing.simulation.baseband.renderer import BasebandRenderer
from sensing.simulation.baseband.scene import Scene
from sensing.ultrasound.demodulator import Baseband
from sensing.ultrasound.doppler_features import DopplerFrame
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_classifier import MotionClassifier, MotionScore
from sensing.ultrasound.playback_reference import Playback
from sensing.ultrasound.presence import PresenceFilter

_PIECE_SECONDS = 30
_EDGE_SECONDS = 1


def rendered_pieces(scene: Scene) -> Iterator[tuple[Baseband, Playback | None]]:
    """Yield a scene in pieces that fit into memory: what is heard, and what was played if anything was."""
    renderer = BasebandRenderer(scene)
    step = _PIECE_SECONDS * scene.baseband_hz
    for first in range(0, scene.frames, step):
        frames = min(step, scene.frames - first)
        baseband = renderer.process(frames)
        yield baseband, None if renderer.music is None else _playback(renderer.music, scene, first, frames)


def _playback(music: PlayedMusic, scene: Scene, first: int, frames: int) -> Playback:
    """Return the music at the baseband's rate; the edges are for the filter."""
    factor = scene.rate_hz // scene.baseband_hz
    edge = _EDGE_SECONDS * scene.baseband_hz
    wide = music.reference((first - edge) * factor, (frames + 2 * edge) * factor)[0]
    slow: Playback = resample_poly(wide, 1, factor)[edge : edge + frames].astype(np.float32)
    return slow


def frames_of(scene: Scene) -> Iterator[list[DopplerFrame]]:
    """Yield the hops of each piece of a scene."""
    front_end = FrontEnd(baseband_hz=scene.baseband_hz, microphones=scene.hub.microphones)
    for baseband, playback in rendered_pieces(scene):
        yield front_end.process(baseband, playback)


def entries(frames: Sequence[DopplerFrame], scores: Sequence[MotionScore], presence: PresenceFilter) -> int:
    """Return how often the presence filter takes somebody to come in scored hops."""
    verdicts = [
        presence.process(score, float(frame.masked.mean())).verdict
        for frame, score in zip(frames, scores, strict=True)
    ]
    return sum(verdict is not None and verdict.present is True for verdict in verdicts)


def scored(classifier: MotionClassifier, scene: Scene) -> tuple[list[DopplerFrame], NDArray[np.float32]]:
    """Return the hops of a whole scene with their scores, shape ``(hops, 3)``: minor, major, nuisance."""
    frames: list[DopplerFrame] = []
    scores: list[tuple[float, float, float]] = []
    for some in frames_of(scene):
        frames += some
        scores += [(one.minor, one.major, one.nuisance) for one in classifier.score(some)]
    return frames, np.array(scores, np.float32)

"""From rendered scenes to what the network learns from: inputs and labels of every hop."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sensing.training.job_pool import worked
from sensing.training.presence_data import Example
from sensing.ultrasound.doppler_features import HOP_SECONDS
from sensing.ultrasound.front_end import FrontEnd
from sensing.ultrasound.motion_network import network_inputs

ENDED = -1
_BEGINS_LATE_SHARE = 0.4
_LATEST_SECONDS = 20.0
_WINDOW_LABEL_HOPS = 1
"""The middle of a window of 128 ms lies one hop of 50 ms after the window's first hop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hops:
    """Scenes of equal length, hop by hop.

    Attributes
    ----------
    inputs : NDArray
        Shape ``(scenes, hops, inputs)``, float16.
    kinds : NDArray
        Shape ``(scenes, hops)``, int8: `NONE`, `MINOR`, `MAJOR`, or `ENDED` after the scene's last hop.
    nuisances, occupied : NDArray
        The same shape: whether something that is nobody is there, and whether somebody is.
    people, nuisance_kinds : tuple of str
        Which were drawn for each scene.
    """

    inputs: NDArray[np.float16]
    kinds: NDArray[np.int8]
    nuisances: NDArray[np.bool_]
    occupied: NDArray[np.bool_]
    people: tuple[str, ...]
    nuisance_kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.inputs)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the scenes of all parts."""
        return cls(
            inputs=np.concatenate([part.inputs for part in parts]),
            kinds=np.concatenate([part.kinds for part in parts]),
            nuisances=np.concatenate([part.nuisances for part in parts]),
            occupied=np.concatenate([part.occupied for part in parts]),
            people=tuple(name for part in parts for name in part.people),
            nuisance_kinds=tuple(name for part in parts for name in part.nuisance_kinds),
        )


def hops_of(example: Example, *, begins: int = 0) -> Hops:
    """Return the hops of one scene.

    Parameters
    ----------
    begins : int
        Hop of the scene with which listening begins; what is missing at the end is `ENDED`.
    """
    rate_hz = example.scene.baseband_hz
    front_end = FrontEnd(baseband_hz=rate_hz, microphones=example.scene.hub.microphones)
    late = begins * front_end.hop_frames
    playback = None if example.playback is None else example.playback[late:]
    frames = front_end.process(example.baseband[:, late:], playback)
    labels = np.array([begins + frame.hop + _WINDOW_LABEL_HOPS for frame in frames])
    labels = np.minimum(labels, len(example.motion) - 1)
    ended = ((0, begins), (0, 0))
    return Hops(
        inputs=np.pad(network_inputs(frames).astype(np.float16), ended)[None],
        kinds=np.pad(example.motion[labels], ended[0], constant_values=ENDED)[None],
        nuisances=np.pad(example.nuisance[labels], ended[0])[None],
        occupied=np.pad(example.occupied[labels], ended[0])[None],
        people=(example.people,),
        nuisance_kinds=(example.kind,),
    )


def begin_of(path: Path) -> int:
    """Return the hop at which a file's scene is begun to be listened to: 0, or anywhere in its first 20 s.

    A hub that starts, and a short recording, find somebody in the middle of something.
    """
    chance = np.random.default_rng(zlib.crc32(path.stem.encode()))
    is_late = chance.random() < _BEGINS_LATE_SHARE
    return int(chance.uniform(0, _LATEST_SECONDS) / HOP_SECONDS) if is_late else 0


def _of_file(path: Path) -> Hops:
    return hops_of(Example.load(path), begins=begin_of(path))


def hops_of_files(paths: Sequence[Path], processes: int) -> Hops:
    """Return the hops of many scenes, all of one length."""
    return Hops.joined(list(worked(_of_file, paths, "features", processes=processes)))

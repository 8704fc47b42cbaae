"""What a rendered scene is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensing.audio_block import Block
from sensing.simulation.baseband.port import Phasors
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A scene's sound around the carrier, and the truth about it.

    Attributes
    ----------
    baseband : NDArray
        Shape ``(microphones, frames)``, complex64 at the scene's ``baseband_hz``: what an ideal demodulator
        would make of the card's samples; a magnitude of 1 is a sine at full scale.
    arriving : NDArray
        The same before the card's faults.
    reference : Block or None
        Shape ``(1, frames)`` at the card's rate: the music that was played, without the carrier.
    excursion : NDArray or None
        Shape ``(frames,)`` at ``baseband_hz``: the loudspeaker's cone, rms 1 while music plays.
    """

    scene: Scene
    baseband: Phasors
    arriving: Phasors
    truth: Truth
    reference: Block | None = None
    excursion: NDArray[np.float32] | None = None

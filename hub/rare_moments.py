"""Keep rare moments of the ultrasonic sensor on this hub, for its owner to learn from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import structlog

from hub.clock import Clock
from sensing.ultrasound.rare_moments import RareMoment

MOST_MOMENTS = 500
"""About 30 MB; then the oldest go."""

log = structlog.get_logger("rare moments")


class RareMomentFolder:
    """A folder of features, one file a moment, named by kind and time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, moment: RareMoment) -> None:
        """Write a moment; a full disk costs the moment and nothing else."""
        name = f"{self._clock.now():%Y%m%dT%H%M%S}-{moment.kind}.npz"
        packed = io.BytesIO()
        np.savez_compressed(packed, inputs=moment.inputs, scores=moment.scores, kind=moment.kind)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f"{name}.part"
            draft.write_bytes(packed.getvalue())
            draft.replace(self._folder / name)
            for oldest in sorted(self._folder.glob("*.npz"))[:-MOST_MOMENTS]:
                oldest.unlink()
        except OSError as error:
            log.warning("a rare moment was not kept", folder=str(self._folder), why=str(error))

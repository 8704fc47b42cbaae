"""Arrays that are written at once, so that an interrupted run leaves no half of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike


def save_whole(path: Path, **arrays: ArrayLike) -> None:
    """Write arrays by name as ``numpy.savez`` does; ``path`` ends in ``.npz``."""
    draft = path.with_suffix(".part.npz")
    np.savez(draft, **arrays)  # type: ignore[arg-type]  # the stubs take keywords for allow_pickle
    draft.replace(path)

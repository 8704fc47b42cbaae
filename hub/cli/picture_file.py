"""Where a picture is to be written."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from hub.errors import BadInput

ENDINGS = (".png", ".svg", ".pdf")


def check_picture(path: Path) -> None:
    """Refuse a picture that cannot be drawn, before any work is done for it.

    Raises
    ------
    BadInput
        matplotlib is missing, or the name's ending is no picture format.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BadInput("--plot needs matplotlib; install it with: pip install roomwise[plot]")
    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"{path}: is no picture; end its name in {', '.join(ENDINGS)}")


def write_picture(draw: Callable[[], None], path: Path) -> None:
    """Draw a picture.

    Raises
    ------
    BadInput
        The file cannot be written.
    """
    try:
        draw()
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose another --plot") from error

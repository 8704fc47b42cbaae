"""Where the drivers of a loudspeaker stand, as the user writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hub.errors import BadInput

_PRESETS = Path(__file__).parent / "layouts"
_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Listener(BaseModel):
    """Where the listener sits: at ``(0, -distance, 0)``."""

    model_config = _STRICT
    distance_m: float = Field(default=1.5, ge=0.2, le=20)
    spread_m: float = Field(default=0.03, ge=0, le=0.3)
    """How far the head is to the left or right of there, standard deviation.

    A larger spread is a wider listening zone that cancels less in its middle.
    """


class Driver(BaseModel):
    """One driver: x to the listener's right, y from the listener to the device, z up."""

    model_config = _STRICT
    name: str
    position_m: tuple[float, float, float]
    facing_degrees: float = 0.0


class Microphone(BaseModel):
    """One microphone, in the order of the sound card's channels, in the frame of the drivers."""

    model_config = _STRICT
    name: str
    position_m: tuple[float, float, float]


class Enclosure(BaseModel):
    """The body that the drivers sit in; it shadows what is behind it."""

    model_config = _STRICT
    shape: Literal["none", "sphere", "box"] = "none"
    radius_m: float = Field(default=0.09, gt=0.01, le=1)


class SpeakerLayout(BaseModel):
    """A loudspeaker with two or more drivers and its listener."""

    model_config = _STRICT
    sample_rate: int = Field(default=48_000, ge=32_000, le=192_000)
    listener: Listener = Listener()
    drivers: tuple[Driver, ...] = Field(min_length=2, max_length=16)
    max_filter_gain_db: float = Field(default=9.0, ge=0, le=30)
    virtual_pair_degrees: float | None = Field(default=30.0, gt=0, le=90)
    enclosure: Enclosure = Enclosure()
    head_model: Literal["sphere", "brown_duda"] = "sphere"
    microphones: tuple[Microphone, ...] = Field(default=(), max_length=16)

    @property
    def positions_m(self) -> NDArray[np.float64]:
        """Positions of the drivers, shape ``(drivers, 3)``, metres."""
        return np.array([driver.position_m for driver in self.drivers], float)


def preset_names() -> list[str]:
    """Return the layouts that come with the hub; each can be named instead of a file."""
    return sorted(file.stem for file in _PRESETS.glob("*.yaml"))


def load_layout(path: Path) -> SpeakerLayout:
    """Read a layout: a file, or where there is none of this name, a preset of `preset_names`.

    Raises
    ------
    BadInput
        The file is missing or wrong; names the line.
    """
    if not path.exists() and path.name in preset_names():
        path = _PRESETS / f"{path.name}.yaml"
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(preset_names())
        raise BadInput(f"{path}: cannot be read; name a speaker layout (YAML), or one of {known}") from error
    except MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise BadInput(f"{path}:{line}: not valid YAML ({error.problem})") from error
    except YAMLError as error:
        raise BadInput(f"{path}: not valid YAML; check for stray characters") from error
    if not isinstance(tree, CommentedMap):
        raise BadInput(f"{path}:1: a layout is a mapping that has a list called drivers")
    try:
        layout = SpeakerLayout.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}:{_line_of(tree, first['loc'])}: {where}: {first['msg']}") from error
    _check_places(path, tree, layout)
    return layout


def _check_places(path: Path, tree: CommentedMap, layout: SpeakerLayout) -> None:
    """Refuse drivers that stand at one place or in the listener's head."""
    line = _line_of(tree, ("drivers",))
    positions = layout.positions_m
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=2) + np.eye(len(positions))
    if gaps.min() < 0.005:
        raise BadInput(f"{path}:{line}: drivers: two drivers stand at one place; move them 5 mm apart")
    listener = np.array([0.0, -layout.listener.distance_m, 0.0])
    if np.linalg.norm(positions - listener, axis=1).min() < 0.15:
        raise BadInput(f"{path}:{line}: drivers: one is within 15 cm of the head; check listener.distance_m")


def _line_of(tree: CommentedMap, place: tuple[int | str, ...]) -> int:
    """Return the line, from 1, of a place in the file, or of the nearest parent that is there."""
    node: object = tree
    line = tree.lc.line + 1
    for part in place:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
            node = node[part]
        else:
            break
    return int(line)

"""The spatial part of playback, as hub.yaml and the layout ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog

from hub.calibration import hardware_of
from hub.config.hub_config import AudioConfig, HubConfig
from hub.errors import BadInput
from hub.spatial.filter_design import SpatialFilters, design_filters
from hub.spatial.layout import SpeakerLayout, load_layout
from hub.spatial.renderer import SpatialRenderer
from hub.spatial.steered_filters import SteeredFilters, steered_filters
from hub.spatial_calibration import apply_measured, microphone_places, usable_calibration
from sensing.speech.command_direction import CommandDirection

log = structlog.get_logger("spatial sound")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialSound:
    """What renders, what steers it, and what finds the talker.

    Attributes
    ----------
    renderer : SpatialRenderer
        With the filters for a listener straight ahead.
    design : callable
        Returns filters for listeners in many directions, for these drivers as they were measured; takes
        seconds of processor time.
    direction : CommandDirection or None
        None where talkers are not to be followed, or cannot be.
    """

    renderer: SpatialRenderer
    design: Callable[[], SteeredFilters]
    direction: CommandDirection | None


def build_spatial_sound(config: HubConfig, directory: Path, state: Path) -> SpatialSound | None:
    """Return the spatial part, None where hub.yaml names no layout.

    Parameters
    ----------
    directory, state : Path
        Where the layout and what was measured of it are found.

    Raises
    ------
    BadInput
        The layout is wrong, or is not that of this sound card.
    """
    path = config.playback.layout
    if path is None:
        return None
    layout = load_layout(directory / path)
    check_card(config.audio, layout, path)
    measured = usable_calibration(layout, hardware_of(config.audio), state)

    def as_measured(filters: SpatialFilters) -> SpatialFilters:
        return filters if measured is None else apply_measured(filters, measured, layout)

    def design() -> SteeredFilters:
        steered = steered_filters(layout)
        return replace(steered, sets=tuple(as_measured(filters) for filters in steered.sets))

    return SpatialSound(
        renderer=SpatialRenderer(as_measured(design_filters(layout)), config.audio.rate_hz),
        design=design,
        direction=_direction(config, layout, path),
    )


def check_card(audio: AudioConfig, layout: SpeakerLayout, path: Path) -> None:
    """Refuse a layout that is not that of the sound card.

    Raises
    ------
    BadInput
        Rate or number of drivers differ.
    """
    if layout.sample_rate != audio.rate_hz:
        raise BadInput(
            f"{path}: sample_rate is {layout.sample_rate} Hz, audio.rate_hz in hub.yaml {audio.rate_hz}; "
            "make them agree"
        )
    if len(layout.drivers) != audio.speakers:
        raise BadInput(
            f"{path}: has {len(layout.drivers)} drivers, audio.speakers in hub.yaml is {audio.speakers}; "
            "make them agree"
        )


def _direction(config: HubConfig, layout: SpeakerLayout, path: Path) -> CommandDirection | None:
    """Return what finds the talker; the log says why a wanted one is missing."""
    if not (config.playback.follow_talker and config.speech.enabled) or len(layout.microphones) < 2:
        return None
    try:
        places = microphone_places(layout, config.audio.microphones, at_listener=False)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    try:
        return CommandDirection(np.asarray(places), config.audio.rate_hz)
    except ValueError as error:
        log.warning("talkers are not followed", why=str(error))
        return None

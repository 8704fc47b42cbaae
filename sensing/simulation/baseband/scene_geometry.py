"""A scene's room and microphones in metres and at the carrier's wavelength."""

from __future__ import annotations

import math

import numpy as np

from sensing.dsp.air import air_absorption_nepers, speed_of_sound_mps
from sensing.simulation.baseband.room_images import Acoustics, Array
from sensing.simulation.baseband.scene import Scene, WallAbsorption

_ARRAY_ABOVE_SPEAKER_M = 0.08


def acoustics_of(scene: Scene) -> Acoustics:
    """Return the scene's room at its carrier."""
    shape = scene.room
    walls = shape.absorption
    if isinstance(walls, WallAbsorption):
        absorbed = np.array(
            [[walls.west, walls.east], [walls.south, walls.north], [walls.floor, walls.ceiling]]
        )
    else:
        absorbed = np.full((3, 2), walls)
    speed_mps = speed_of_sound_mps(shape.temperature_c)
    loss = air_absorption_nepers(
        scene.carrier_hz, temperature_c=shape.temperature_c, humidity_percent=shape.humidity_percent
    )
    return Acoustics(
        size_m=np.array(shape.size_m),
        reflections=np.sqrt((1 - absorbed) * (1 - shape.scattering)),
        order=shape.order,
        decay_seconds=shape.reverberation_seconds,
        wavelength_m=speed_mps / scene.carrier_hz,
        loss_nepers=loss,
        speed_mps=speed_mps,
    )


def microphone_places(scene: Scene) -> list[Array]:
    """Return where the microphones are: on a level circle above the speaker, metres."""
    angles = 2 * math.pi * np.arange(scene.hub.microphones) / scene.hub.microphones
    x, y, z = scene.hub.position_m
    centre = np.array([x, y, z + _ARRAY_ABOVE_SPEAKER_M])
    radius_m = scene.hub.radius_m
    return [centre + radius_m * np.array([math.cos(angle), math.sin(angle), 0.0]) for angle in angles]

"""Render a scene in the complex baseband."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sensing.simulation.baseband.card import Card
from sensing.simulation.baseband.cast import When, between, cast_of, chance_of
from sensing.simulation.baseband.directivity import Directivity
from sensing.simulation.baseband.echo import factorised_echo
from sensing.simulation.baseband.emission import echo_envelope, envelope
from sensing.simulation.baseband.hub_units import microphone_gains, speaker_gain
from sensing.simulation.baseband.interferers import KeyBursts, Tones
from sensing.simulation.baseband.played_music import PlayedMusic
from sensing.simulation.baseband.port import DiffuseField, Phasors, Port
from sensing.simulation.baseband.recording import Recording
from sensing.simulation.baseband.room_images import Array
from sensing.simulation.baseband.scatterers import Scatterers
from sensing.simulation.baseband.scene import Scene
from sensing.simulation.baseband.scene_faults import Keys, Line, Music, OtherHub
from sensing.simulation.baseband.scene_geometry import acoustics_of, microphone_places
from sensing.simulation.baseband.shadows import Shadows
from sensing.simulation.baseband.static_changes import StaticChanges
from sensing.simulation.baseband.static_paths import StaticPaths
from sensing.simulation.baseband.tabulated_echo import TabulatedEcho
from sensing.simulation.baseband.truth import Truth, truth_of


class BasebandRenderer:
    """Render a scene piece by piece; the pieces do not depend on how they are cut.

    Inside it renders whole seconds, whatever is asked for.

    Parameters
    ----------
    music : NDArray, optional
        Shape ``(frames,)`` at the card's rate: what plays instead of synthetic music, repeated.

    Attributes
    ----------
    truth : Truth
        Of the whole scene.
    """

    def __init__(self, scene: Scene, *, music: NDArray[np.float32] | None = None) -> None:
        self.scene = scene
        self.room = acoustics_of(scene)
        self._cast = cast_of(scene, self.room)
        self.truth: Truth = truth_of(self._cast, _fault_times(scene), scene.seconds)
        self._directivity = Directivity(
            angle_degrees=scene.hub.speaker_angle_degrees, floor_db=scene.hub.speaker_floor_db
        )
        self._unit = speaker_gain(
            scene.carrier_hz, variation=scene.hub.variation, chance=chance_of(scene, "speaker")
        )
        self._unit *= 10 ** ((scene.level_db - scene.hub.full_scale_db) / 20)
        self._gains = microphone_gains(
            scene.hub.microphones, variation=scene.hub.variation, chance=chance_of(scene, "microphones")
        )
        self._places = microphone_places(scene)
        self._build_ports()
        self._echoes = self._build_echoes()
        self._shadows = Shadows(
            self._cast.bodies, hub=np.array(scene.hub.position_m), depth_db=scene.occlusion_db
        )
        self._changes = StaticChanges(self.static, self._shadows, scene.room, carrier_hz=scene.carrier_hz)
        ends = scene.seconds
        self.music = played_music(scene, music)
        self._ring_up()
        tones = [fault for fault in scene.faults if isinstance(fault, Line | OtherHub)]
        self.tones = Tones(
            tones,
            ends=ends,
            rate_hz=scene.rate_hz,
            full_scale_db=scene.hub.full_scale_db,
            microphones=scene.hub.microphones,
            chance=chance_of(scene, "tones"),
        )
        keys = [fault for fault in scene.faults if isinstance(fault, Keys)]
        self.keys = KeyBursts(keys, ends=ends, chance=chance_of(scene, "keys"))
        self.card = Card(scene)
        self._noise = chance_of(scene, "noise")
        self._block = 0
        empty = np.zeros((scene.hub.microphones, 0), np.complex64)
        self._ready = (empty, empty)

    def process(self, frames: int) -> Phasors:
        """Return the next frames of the captured baseband, shape ``(microphones, frames)``."""
        return self.next_frames(frames)[0]

    def next_frames(self, frames: int) -> tuple[Phasors, Phasors]:
        """Return the next frames after the card and before it."""
        captured, arriving = [self._ready[0]], [self._ready[1]]
        have = self._ready[0].shape[1]
        while have < frames:
            fresh = self._next_second()
            arriving.append(fresh)
            captured.append(self.card.process((self._block - 1) * self.scene.baseband_hz, fresh))
            have += fresh.shape[1]
        whole = np.concatenate(captured, axis=1), np.concatenate(arriving, axis=1)
        self._ready = whole[0][:, frames:], whole[1][:, frames:]
        return whole[0][:, :frames], whole[1][:, :frames]

    def _build_ports(self) -> None:
        scene, room = self.scene, self.room
        facing = math.radians(scene.hub.facing_degrees)
        axis = np.array([math.cos(facing), math.sin(facing), 0.0])
        chance = chance_of(scene, "diffuse")
        waves, energy = scene.room.waves, room.tail_energy
        beamed = DiffuseField.random(waves, energy * self._directivity.mean_square, chance)
        heard = DiffuseField.random(waves, energy, chance)
        place = np.array(scene.hub.position_m)
        kept = scene.room.kept_images
        self.speaker = Port(
            place, axis, room, directivity=self._directivity, diffuse=beamed, most_images=kept
        )
        moves = [spot - self._places[0] for spot in self._places]
        steps = heard.leaving_directions(chance)
        self.microphones = [
            Port(
                spot,
                axis,
                room,
                diffuse=heard.moved(move, room.wavelength_m, steps),
                most_images=kept,
            )
            for spot, move in zip(self._places, moves, strict=True)
        ]
        every = Port(place, axis, room, directivity=self._directivity)
        self.static = StaticPaths(
            every,
            self._places,
            self._gains,
            mean_square=self._directivity.mean_square,
            rate_hz=scene.baseband_hz,
            chance=chance,
        )

    def _build_echoes(self) -> list[tuple[Scatterers, Callable[[int, int], Phasors]]]:
        """Return groups and machines, each with its echo: a function of the first frame and their number."""
        rate_hz = self.scene.baseband_hz
        quick = [machine for machine in self._cast.machines if TabulatedEcho.fits(machine)]
        slow = [machine for machine in self._cast.machines if machine not in quick]
        tables = [TabulatedEcho(one, self.speaker, self.microphones, rate_hz) for one in quick]
        echoes: list[tuple[Scatterers, Callable[[int, int], Phasors]]] = [
            (machine, table.process) for machine, table in zip(quick, tables, strict=True)
        ]
        for one in [*self._cast.groups, *slow]:
            echo = partial(factorised_echo, one, self.speaker, self.microphones, rate_hz=rate_hz)
            echoes.append((one, echo))
        return echoes

    def _ring_up(self) -> None:
        """Let the room hear the second before the scene, where the emission has edges."""
        rate_hz = self.scene.baseband_hz
        if self.scene.emission is not None:
            seconds = np.arange(-rate_hz, 0) / rate_hz
            self.static.process(self._played(seconds, envelope(self.scene.emission, seconds)))

    def _next_second(self) -> Phasors:
        """Return the next second of what arrives at the card."""
        scene = self.scene
        frames = scene.baseband_hz
        first = self._block * frames
        self._block += 1
        seconds = (first + np.arange(frames)) / frames
        played = seconds * (1 + 1e-6 * scene.clocks.drift_ppm)
        sent, echoed = self._modulation(played)
        if sent is None:
            heard = np.repeat(self.static.carrier[:, None], frames, axis=1).astype(np.complex64)
        else:
            heard = self.static.process(sent)
        changes = self._changes.process(seconds)
        if changes is not None:
            heard += changes if sent is None else changes * sent
        for air in self._cast.air:
            heard *= 1 + air.process(first, seconds)
        gains = np.array(self._gains, np.complex64)[:, None]
        for group, echo_of in self._echoes:
            echo = gains * echo_of(first, frames)
            shadow = self._shadows.over(group, seconds)
            if shadow is not None:
                echo *= shadow.astype(np.float32)
            heard += echo if echoed is None else echo * echoed.astype(np.complex64)
        drift = 2 * math.pi * scene.carrier_hz * 1e-6 * scene.clocks.drift_ppm * seconds
        heard *= (self._unit * np.exp(1j * drift)).astype(np.complex64)
        half = frames / 2
        heard += self.tones.process(
            seconds,
            centre_hz=scene.carrier_hz,
            low_hz=scene.carrier_hz - half,
            high_hz=scene.carrier_hz + half,
        )
        return self._with_noise(heard, seconds)

    def _modulation(
        self, seconds: Array
    ) -> tuple[NDArray[np.complex128] | None, NDArray[np.complex128] | None]:
        """Return what the speaker makes of the carrier, and what of it is in the echoes; None for one."""
        emission = self.scene.emission
        if emission is not None:
            on_its_way = envelope(emission, seconds), echo_envelope(emission, seconds)
            return self._played(seconds, on_its_way[0]), self._played(seconds, on_its_way[1])
        if self.music is not None:
            played = self._played(seconds, np.ones(len(seconds)))
            return played, played
        return None, None

    def _played(self, seconds: Array, emitted: Array) -> NDArray[np.complex128]:
        if self.music is None:
            return emitted.astype(np.complex128)
        return self.music.modulation(seconds, self.room.wavelength_m, emitted=emitted)

    def _with_noise(self, heard: Phasors, seconds: Array) -> Phasors:
        """Return the sound with the microphones' noise, keys, and the converters' phase noise.

        A density of N dB SPL per hertz is ``10^((N - full_scale) / 10) * rate`` of complex energy.
        """
        scene = self.scene
        jitter = self._noise.normal(
            0, math.sqrt(10 ** (scene.hub.jitter_dbc / 10) * scene.baseband_hz), len(seconds)
        )
        heard *= (1 + 1j * jitter).astype(np.complex64)
        unit = math.sqrt(10 ** (-scene.hub.full_scale_db / 10) * scene.baseband_hz / 2)
        level = np.hypot(10 ** (scene.hub.noise_db / 20), self.keys.amplitude(seconds)) * unit
        noise = self._noise.standard_normal((*heard.shape, 2), dtype=np.float32)
        heard += noise.view(np.complex64)[..., 0] * level.astype(np.float32)
        return heard


def render(
    scene: Scene,
    *,
    music: NDArray[np.float32] | None = None,
    told: Callable[[float], object] | None = None,
) -> Recording:
    """Return the whole scene.

    Parameters
    ----------
    music : NDArray, optional
        See `BasebandRenderer`.
    told : function, optional
        Called with the seconds that are rendered, now and then.
    """
    renderer = BasebandRenderer(scene, music=music)
    captured = np.empty((scene.hub.microphones, scene.frames), np.complex64)
    arriving = np.empty_like(captured)
    for first in range(0, scene.frames, scene.baseband_hz):
        piece = slice(first, min(first + scene.baseband_hz, scene.frames))
        captured[:, piece], arriving[:, piece] = renderer.next_frames(piece.stop - first)
        if told is not None:
            told(piece.stop / scene.baseband_hz)
    reference = excursion = None
    if renderer.music is not None:
        reference = renderer.music.reference(0, round(scene.seconds * scene.rate_hz))
        seconds = np.arange(scene.frames) / scene.baseband_hz
        excursion = renderer.music.excursion(seconds).astype(np.float32)
    return Recording(
        scene=scene,
        baseband=captured,
        arriving=arriving,
        truth=renderer.truth,
        reference=reference,
        excursion=excursion,
    )


def played_music(scene: Scene, samples: NDArray[np.float32] | None = None) -> PlayedMusic | None:
    """Return the music of a scene, None when there is none."""
    faults = [fault for fault in scene.faults if isinstance(fault, Music)]
    if not faults:
        return None
    return PlayedMusic(
        faults[0],
        ends=scene.seconds,
        rate_hz=scene.rate_hz,
        baseband_hz=scene.baseband_hz,
        carrier_hz=scene.carrier_hz,
        carrier_db=scene.level_db,
        samples=samples,
        chance=chance_of(scene, "music"),
    )


def _fault_times(scene: Scene) -> list[tuple[str, When]]:
    """Return when each fault is there."""
    return [
        (fault.kind, between(fault.at, math.inf if fault.until is None else fault.until))
        for fault in scene.faults
    ]

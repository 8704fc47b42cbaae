"""Build every part of the house from its configuration: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from hub.acting import Acting, build_acting
from hub.answers import Answers
from hub.audio.device import AudioDevice
from hub.audio.engine import AudioEngine, unheard
from hub.audio.lane import Lane
from hub.bus import Bus
from hub.calibration import CalibrationInUse
from hub.clock import Clock
from hub.config.files import LoadedConfig
from hub.config.hub_config import HubConfig
from hub.events import Observed
from hub.home_publisher import HomePublisher
from hub.hub_id import hub_id
from hub.links import Links
from hub.pair_parts import PairEar, pair_ear, pair_services
from hub.playback.ducking import Ducker
from hub.playback.mixer import Mixer
from hub.recognition import Recognition
from hub.room_presence import RoomPresence
from hub.routine_driver import RoutineDriver
from hub.routine_files import RoutineFiles
from hub.sensing_switch import SensingSwitch
from hub.service import Service
from hub.spatial_sound import SpatialSound, build_spatial_sound
from hub.supervisor import Supervisor
from hub.sweet_spot import SweetSpot
from hub.ultrasound import LANE, Ultrasound, build_ultrasound, ultrasound_services
from hub.wake_words import make_verifier, make_wake_word
from routines.ports import MessageLink
from routines.routine import Routine
from sensing.audio_block import Block
from sensing.observations import HearingFault, Observation
from sensing.processing_meter import LevelFigures
from sensing.speech.listener import Listener
from sensing.speech.self_trigger_guard import SUSPICION, SelfTriggerGuard
from sensing.ultrasound.sensor import UltrasoundSensor

log = structlog.get_logger("assemble")

_SPEECH_LANE = "speech"
_LANE_BLOCKS = 200
"""Blocks that a lane may be behind: 2 s of 10 ms blocks, then the oldest is dropped and reported."""
_LOSSLESS_LANE_BLOCKS = 10
"""Faster than real time a lane stays within 0.1 s, so that what it finds is answered in time."""
_NOT_CALIBRATED = CalibrationInUse()
_BEFORE_A_RECORDING = frozenset({"mqtt", "routines"})
"""A recording would be over before the broker answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The parts of a hub that its owner looks at while it runs."""

    bus: Bus
    audio: AudioEngine
    acting: Acting
    lanes: Sequence[Lane]
    presence: RoomPresence
    levels: Callable[[], Sequence[LevelFigures]]
    """What the levels of the ultrasonic sensing have cost so far."""
    listener: Listener | None
    sweet_spot: SweetSpot | None
    """Where spatial sound is aimed, where there is any."""
    supervisor: Supervisor

    @property
    def driver(self) -> RoutineDriver:
        """The routine engine's service."""
        return self.acting.driver

    def hearing_levels(self) -> Sequence[LevelFigures]:
        """Return what the levels of hearing have cost so far."""
        return () if self.listener is None else self.listener.meter.figures()

    def hearing_faults(self) -> Sequence[HearingFault]:
        """Return what keeps the house from hearing well."""
        return () if self.listener is None else self.listener.faults


def _nothing(_frames: int) -> None:
    return


def _nothing_spent() -> Sequence[LevelFigures]:
    return ()


def assemble(
    loaded: LoadedConfig,
    *,
    directory: Path,
    clock: Clock,
    device: AudioDevice,
    state: Path,
    broker_port: int,
    lossless: bool,
    calibration: CalibrationInUse = _NOT_CALIBRATED,
    on_tick: Callable[[int], None] = _nothing,
) -> House:
    """Build the house; nothing runs yet. Call it inside the running event loop.

    Parameters
    ----------
    directory, state : Path
        Where layouts and sounds are found, and where the hub keeps all but a database that hub.yaml moves.
    lossless : bool
        True for recordings and simulations: sensors are waited for instead of losing blocks.
    calibration : CalibrationInUse
        Where the configuration's tone comes from.
    on_tick : callable
        Called from the audio thread with the frames of each tick, before they are mixed.
    """
    config, bus = loaded.hub, Bus(clock)
    ultrasound = build_ultrasound(config, calibration=calibration, state=state, bus=bus, clock=clock)
    spatial = build_spatial_sound(config, directory, state)
    mixer = _mixer(config, spatial, ultrasound)
    recognition = Recognition(config, loaded.routines, directory=directory, bus=bus)
    listener = _listener(config, loaded.routines, recognition, calibration, spatial)
    lanes = list(_lanes(config, ultrasound, listener, recognition, bus, clock, lossless=lossless))
    ear = pair_ear(config, lanes, bus)
    links = Links(config, broker_port, loaded.routines, bus=bus, hub=hub_id(state, config.home.room))
    acting = build_acting(loaded, links, mixer, directory=directory, state=state, bus=bus, clock=clock)
    audio = _audio(device, _ticking(mixer.next_block, on_tick), lanes, bus, acting, lossless=lossless)
    sweet_spot = _sweet_spot(spatial, config, links.mqtt, bus=bus, clock=clock, state=state)
    home = _home(loaded, links.mqtt, acting.music.playlists(), bus=bus, clock=clock)
    services: tuple[Service, ...] = (
        acting.store,
        *links.services,
        home,
        *_ultrasound(ultrasound, ear, lanes, acting, links, config=config, bus=bus, clock=clock, state=state),
        *recognition.services,
        *acting.services,
        *(() if sweet_spot is None else (sweet_spot,)),
        *_ears(directory, links, listener, recognition, lanes, config, bus=bus, clock=clock),
        audio,
    )
    return House(
        bus=bus,
        audio=audio,
        acting=acting,
        lanes=lanes,
        presence=home.presence,
        levels=_nothing_spent if ultrasound is None else ultrasound.meter.figures,
        listener=listener,
        sweet_spot=sweet_spot,
        supervisor=Supervisor(services, bus=bus, clock=clock),
    )


def _home(
    loaded: LoadedConfig, messages: MessageLink, playlists: Sequence[str], *, bus: Bus, clock: Clock
) -> HomePublisher:
    return HomePublisher(
        messages=messages,
        bus=bus,
        clock=clock,
        home=loaded.hub.home,
        routines=loaded.routines,
        playlists=playlists,
    )


def _audio(
    device: AudioDevice,
    playback: Callable[[int], Block],
    lanes: Sequence[Lane],
    bus: Bus,
    acting: Acting,
    *,
    lossless: bool,
) -> AudioEngine:
    needs = set(_BEFORE_A_RECORDING) if lossless else set()
    if lossless and any(lane.name == LANE for lane in lanes):
        needs.add(SensingSwitch.name)
    return AudioEngine(
        device=device,
        playback=playback,
        lanes=lanes,
        lossless=lossless,
        on_event=bus.publish_from_thread,
        on_report=unheard if acting.together is None else acting.together.card_reported,
        needs=frozenset(needs),
    )


def _ticking(playback: Callable[[int], Block], on_tick: Callable[[int], None]) -> Callable[[int], Block]:
    def next_block(frames: int) -> Block:
        on_tick(frames)
        return playback(frames)

    return next_block


def _mixer(config: HubConfig, spatial: SpatialSound | None, ultrasound: Ultrasound | None) -> Mixer:
    """Return the mixer with its spatial renderer (where there is a layout) and the carrier."""
    rate_hz = config.audio.rate_hz
    emitter = None if ultrasound is None else ultrasound.chirps
    return Mixer(
        rate_hz=rate_hz,
        speakers=config.audio.speakers,
        renderer=None if spatial is None else spatial.renderer,
        emitter=emitter,
        ducker=Ducker(rate_hz=rate_hz, depth_db=config.playback.ducking_db),
    )


def _lanes(
    config: HubConfig,
    ultrasound: Ultrasound | None,
    listener: Listener | None,
    recognition: Recognition,
    bus: Bus,
    clock: Clock,
    *,
    lossless: bool,
) -> Iterator[Lane]:
    """Yield a lane for each way of sensing that is switched on; the ear may wait for who recognises."""

    def deliver(observation: Observation) -> None:
        bus.publish_from_thread(Observed(room=config.home.room, observation=observation, at=clock.now()))

    capacity = _LOSSLESS_LANE_BLOCKS if lossless else _LANE_BLOCKS
    patience = 0 if lossless else recognition.patience_blocks
    sensors: list[tuple[str, UltrasoundSensor | Listener]] = []
    if ultrasound is not None:
        sensors.append((LANE, ultrasound.sensor))
    if listener is None:
        log.info("nobody listens", why="speech is off")
    else:
        sensors.append((_SPEECH_LANE, listener))
    for name, sensor in sensors:
        yield Lane(
            name=name,
            process=sensor.process,
            deliver=deliver,
            capacity_blocks=capacity + (patience if sensor is listener else 0),
            on_gap=bus.publish_from_thread,
            reset=sensor.reset,
        )


def _ultrasound(
    ultrasound: Ultrasound | None,
    ear: PairEar | None,
    lanes: Sequence[Lane],
    acting: Acting,
    links: Links,
    *,
    config: HubConfig,
    bus: Bus,
    clock: Clock,
    state: Path,
) -> Iterator[Service]:
    """Yield the services of the ultrasonic part, where there is one, and what calibrates rooms by chirps."""
    if ultrasound is not None:
        [lane] = [one for one in lanes if one.name == LANE]
        yield from ultrasound_services(
            ultrasound, lane, config=config, messages=links.mqtt, bus=bus, clock=clock, state=state
        )
    together = acting.together
    yield from pair_services(ear, config, together, ultrasound, links, state=state, bus=bus, clock=clock)


def _sweet_spot(
    spatial: SpatialSound | None,
    config: HubConfig,
    messages: MessageLink,
    *,
    bus: Bus,
    clock: Clock,
    state: Path,
) -> SweetSpot | None:
    if spatial is None:
        return None
    return SweetSpot(
        renderer=spatial.renderer,
        design=spatial.design,
        azimuth_degrees=config.playback.listener_azimuth_degrees,
        path=state / "sweet_spot.json",
        messages=messages,
        bus=bus,
        clock=clock,
        home=config.home,
    )


def _listener(
    config: HubConfig,
    routines: Sequence[Routine],
    recognition: Recognition,
    calibration: CalibrationInUse,
    spatial: SpatialSound | None,
) -> Listener | None:
    """Return the ear for the wake word and what may be said after it, None when it is switched off."""
    if not config.speech.enabled:
        return None
    known = calibration.calibration
    return Listener(
        rate_hz=config.audio.rate_hz,
        wake=make_wake_word(config.speech.wake_word),
        recognizer=recognition.recognizer(routines),
        verifier=make_verifier(),
        guard=SelfTriggerGuard(make_wake_word(config.speech.wake_word, threshold=SUSPICION)),
        delay_frames=None if known is None else known.loopback_delay_frames,
        direction=None if spatial is None else spatial.direction,
    )


def _ears(
    directory: Path,
    links: Links,
    listener: Listener | None,
    recognition: Recognition,
    lanes: Sequence[Lane],
    config: HubConfig,
    *,
    bus: Bus,
    clock: Clock,
) -> Iterator[Service]:
    """Yield what makes the ears hear edited routines, and answers without a wake word."""
    yield _routine_files(directory, links, listener, recognition, bus=bus, clock=clock)
    if listener is not None:
        [lane] = [one for one in lanes if one.name == _SPEECH_LANE]
        listen = partial(lane.tell, "answer", listener.expect_answer)
        yield Answers(listen=listen, bus=bus, room=config.home.room)


def _routine_files(
    directory: Path,
    links: Links,
    listener: Listener | None,
    recognition: Recognition,
    *,
    bus: Bus,
    clock: Clock,
) -> RoutineFiles:
    """Return what makes the links and the ears wait for what edited routines wait for."""

    def follow(routines: Sequence[Routine]) -> None:
        links.listen_to(routines)
        recognition.follow(routines)
        if listener is not None:
            listener.use(recognition.recognizer(routines))

    return RoutineFiles(folder=directory / "routines", bus=bus, clock=clock, on_edit=follow)

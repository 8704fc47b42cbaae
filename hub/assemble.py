"""Build every part of the house from its configuration: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from hub.audio.device import AudioDevice
from hub.audio.engine import AudioEngine
from hub.audio.lane import Lane
from hub.bus import Bus
from hub.calibration import CalibrationInUse
from hub.clock import Clock
from hub.config.files import LoadedConfig
from hub.config.hub_config import HubConfig
from hub.events import Observed
from hub.hearing import HOUSE_SENTENCES, make_recognizer, read_phrases
from hub.home_publisher import HomePublisher
from hub.performer import Performer
from hub.place import place_of_home
from hub.playback.mixer import Mixer
from hub.room_presence import RoomPresence
from hub.routine_driver import RoutineDriver
from hub.routine_files import RoutineFiles
from hub.sensing_switch import SensingSwitch
from hub.service import Service
from hub.spatial.filter_design import design_filters
from hub.spatial.layout import load_layout
from hub.spatial.renderer import SpatialRenderer
from hub.status import DATABASE
from hub.store.engine_memory import EngineMemory
from hub.store.writer import StoreWriter
from hub.supervisor import Supervisor
from hub.ultrasound import LANE, Ultrasound, build_ultrasound, ultrasound_services
from integrations.home_assistant.client import HomeAssistantLink
from integrations.mqtt.client import MqttLink
from integrations.mqtt.lights import MqttLights
from integrations.mqtt.topics import BASE
from routines.effects import CallService
from routines.engine import Engine
from routines.ports import DeviceLink, MessageLink
from routines.routine import Routine, awaited_triggers
from routines.templates.template import is_template
from routines.vocabulary.triggers import EventTrigger, MqttTrigger
from sensing.audio_block import Block
from sensing.observations import Observation
from sensing.speech.listener import Listener
from sensing.speech.recognizer import SpeechRecognizer
from sensing.speech.wake_word import WakeWord
from sensing.ultrasound.processing_meter import LevelFigures
from sensing.ultrasound.sensor import UltrasoundSensor

log = structlog.get_logger("assemble")

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
    driver: RoutineDriver
    lanes: Sequence[Lane]
    presence: RoomPresence
    levels: Callable[[], Sequence[LevelFigures]]
    """What the levels of the ultrasonic sensing have cost so far."""
    supervisor: Supervisor


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
    broker_port : int
        Port of the configured or the embedded broker.
    lossless : bool
        True for recordings and simulations: sensors are waited for instead of losing blocks.
    calibration : CalibrationInUse
        Where the configuration's tone comes from.
    on_tick : callable
        Called from the audio thread with the frames of each tick, before they are mixed.
    """
    config = loaded.hub
    bus = Bus(clock)
    store_path = config.store.path or state / DATABASE
    ultrasound = build_ultrasound(config, calibration=calibration, state=state, bus=bus, clock=clock)
    mixer = _mixer(config, directory, ultrasound)
    listener = _listener(config, loaded.routines)
    lanes = list(_lanes(config, ultrasound, listener, bus, clock, lossless=lossless))
    audio = _audio(device, _ticking(mixer.next_block, on_tick), lanes, bus, lossless=lossless)
    mqtt = _mqtt(config, broker_port, loaded.routines, bus)
    home_assistant = _home_assistant(config, loaded.routines, bus)
    performer = _performer(config, directory, mixer, mqtt, home_assistant, bus)
    driver = _driver(loaded, performer, store_path, bus, clock)
    on_edit = _on_edit(config, mqtt, home_assistant, listener)
    home = HomePublisher(messages=mqtt, bus=bus, clock=clock, home=config.home, routines=loaded.routines)
    services: tuple[Service, ...] = (
        StoreWriter(path=store_path, bus=bus, clock=clock, config=config.store),
        mqtt,
        home,
        *_ultrasound(ultrasound, lanes, config=config, messages=mqtt, bus=bus, clock=clock, state=state),
        *([] if home_assistant is None else [home_assistant]),
        driver,
        RoutineFiles(folder=directory / "routines", bus=bus, clock=clock, on_edit=on_edit),
        audio,
    )
    return House(
        bus=bus,
        audio=audio,
        driver=driver,
        lanes=lanes,
        presence=home.presence,
        levels=_nothing_spent if ultrasound is None else ultrasound.meter.figures,
        supervisor=Supervisor(services, bus=bus, clock=clock),
    )


def _audio(
    device: AudioDevice, playback: Callable[[int], Block], lanes: Sequence[Lane], bus: Bus, *, lossless: bool
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
        needs=frozenset(needs),
    )


def _ticking(playback: Callable[[int], Block], on_tick: Callable[[int], None]) -> Callable[[int], Block]:
    def next_block(frames: int) -> Block:
        on_tick(frames)
        return playback(frames)

    return next_block


def _mixer(config: HubConfig, directory: Path, ultrasound: Ultrasound | None) -> Mixer:
    """Return the mixer with its spatial renderer (where there is a layout) and the carrier."""
    rate_hz = config.audio.rate_hz
    renderer = None
    if config.playback.layout is not None:
        layout = load_layout(directory / config.playback.layout)
        renderer = SpatialRenderer(design_filters(layout), rate_hz)
    emitter = None if ultrasound is None else ultrasound.emitter
    return Mixer(rate_hz=rate_hz, speakers=config.audio.speakers, renderer=renderer, emitter=emitter)


def _lanes(
    config: HubConfig,
    ultrasound: Ultrasound | None,
    listener: Listener | None,
    bus: Bus,
    clock: Clock,
    *,
    lossless: bool,
) -> Iterator[Lane]:
    """Yield a lane for each way of sensing that is switched on."""

    def deliver(observation: Observation) -> None:
        bus.publish_from_thread(Observed(room=config.home.room, observation=observation, at=clock.now()))

    capacity = _LOSSLESS_LANE_BLOCKS if lossless else _LANE_BLOCKS
    sensors: list[tuple[str, UltrasoundSensor | Listener]] = []
    if ultrasound is not None:
        sensors.append((LANE, ultrasound.sensor))
    if listener is None:
        log.info("nobody listens", why="speech is off")
    else:
        sensors.append(("speech", listener))
    for name, sensor in sensors:
        yield Lane(
            name=name,
            process=sensor.process,
            deliver=deliver,
            capacity_blocks=capacity,
            on_gap=bus.publish_from_thread,
            reset=sensor.reset,
        )


def _ultrasound(
    ultrasound: Ultrasound | None,
    lanes: Sequence[Lane],
    *,
    config: HubConfig,
    messages: MessageLink,
    bus: Bus,
    clock: Clock,
    state: Path,
) -> Iterator[Service]:
    """Yield the services of the ultrasonic part, where there is one."""
    if ultrasound is not None:
        [lane] = [one for one in lanes if one.name == LANE]
        yield from ultrasound_services(
            ultrasound, lane, config=config, messages=messages, bus=bus, clock=clock, state=state
        )


def _listener(config: HubConfig, routines: Sequence[Routine]) -> Listener | None:
    """Return the ear for the wake word and what may be said after it, None when it is switched off."""
    if not config.speech.enabled:
        return None
    return Listener(
        rate_hz=config.audio.rate_hz,
        wake=WakeWord(config.speech.wake_word),
        recognizer=_recognizer(config, routines),
    )


def _recognizer(config: HubConfig, routines: Sequence[Routine]) -> SpeechRecognizer:
    return make_recognizer(read_phrases(HOUSE_SENTENCES, routines), after=config.speech.wake_word)


def _on_edit(
    config: HubConfig, mqtt: MqttLink, home_assistant: HomeAssistantLink | None, listener: Listener | None
) -> Callable[[Sequence[Routine]], None]:
    """Return what makes the links and the ear wait for what edited routines wait for."""

    def follow(routines: Sequence[Routine]) -> None:
        mqtt.listen_to(_topics(routines))
        if home_assistant is not None:
            home_assistant.listen_to(_event_types(routines))
        if listener is not None:
            listener.use(_recognizer(config, routines))

    return follow


def _mqtt(config: HubConfig, port: int, routines: Sequence[Routine], bus: Bus) -> MqttLink:
    """Return the broker link, subscribed to requests and to what routines wait for."""
    password = config.mqtt.password
    return MqttLink(
        host=config.mqtt.host or "127.0.0.1",
        port=port,
        username=config.mqtt.username,
        password=None if password is None else password.get_secret_value(),
        protocol=config.mqtt.protocol,
        topics=_topics(routines),
        outbox=bus,
    )


def _topics(routines: Sequence[Routine]) -> Sequence[str]:
    """Return the topics of requests, and those that routines wait for, in waits inside their actions too."""
    awaited = {one.topic for one in awaited_triggers(routines, MqttTrigger) if not is_template(one.topic)}
    return (f"{BASE}/set/#", *sorted(awaited))


def _event_types(routines: Sequence[Routine]) -> Sequence[str]:
    """Return the types of Home Assistant's events that routines wait for."""
    awaited = awaited_triggers(routines, EventTrigger)
    return sorted({event_type for one in awaited for event_type in one.event_type})


def _home_assistant(config: HubConfig, routines: Sequence[Routine], bus: Bus) -> HomeAssistantLink | None:
    settings = config.home_assistant
    if settings is None:
        return None
    return HomeAssistantLink(
        url=settings.url,
        token=settings.token.get_secret_value(),
        outbox=bus,
        event_types=_event_types(routines),
    )


def _performer(
    config: HubConfig,
    directory: Path,
    mixer: Mixer,
    mqtt: MqttLink,
    home_assistant: HomeAssistantLink | None,
    bus: Bus,
) -> Performer:
    """Return what can carry out every effect of the routines."""
    lights = MqttLights(config.mqtt.lights, mqtt)

    def owner(call: CallService) -> DeviceLink | None:
        """Lights named in hub.yaml are ours; everything else belongs to Home Assistant, if there is one."""
        return lights if lights.owns(call) else home_assistant

    return Performer(
        owner=owner,
        messages=mqtt,
        events=home_assistant,
        mixer=mixer,
        rate_hz=config.audio.rate_hz,
        sounds=directory / "sounds",
        bus=bus,
    )


def _driver(
    loaded: LoadedConfig, performer: Performer, store_path: Path, bus: Bus, clock: Clock
) -> RoutineDriver:
    """Return the routine engine with its memory."""
    home = loaded.hub.home
    engine = Engine(
        loaded.routines,
        timezone=ZoneInfo(home.timezone),
        place=place_of_home(home),
        converses=True,
    )
    return RoutineDriver(
        engine=engine,
        performer=performer,
        memory=EngineMemory(store_path),
        bus=bus,
        clock=clock,
        waits_for=frozenset({HomeAssistantLink.name}) if loaded.hub.home_assistant else frozenset(),
    )

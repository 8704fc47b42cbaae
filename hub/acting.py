"""Build what decides and acts: the routine engine, its memory, the voice, and what carries effects out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.announcer import Announcer
from hub.bus import Bus
from hub.clock import Clock
from hub.config.files import LoadedConfig
from hub.config.hub_config import HubConfig
from hub.links import Links
from hub.music import Music
from hub.performer import Performer
from hub.place import place_of_home
from hub.playback.configured_voice import configured_voice
from hub.playback.library import Library
from hub.playback.mixer import Mixer
from hub.playback.voice import HouseVoice
from hub.player_publisher import PlayerPublisher
from hub.routine_driver import RoutineDriver, heeds_all
from hub.service import Service
from hub.settlement import Settlement
from hub.status import DATABASE
from hub.store.engine_memory import EngineMemory
from hub.store.writer import StoreWriter
from hub.together import Together, music_together
from integrations.home_assistant.client import HomeAssistantLink
from integrations.mqtt.lights import MqttLights
from routines.certainty import Certainty
from routines.effects import CallService
from routines.engine import Engine
from routines.ports import DeviceLink
from sensing.speech.recognizer import SURE_CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """The parts that decide and act."""

    store: StoreWriter
    driver: RoutineDriver
    voice: HouseVoice
    voice_services: tuple[Service, ...]
    settlement: Settlement | None
    """With the other hubs, where there can be any."""
    music: Music
    announcer: Announcer
    player: PlayerPublisher
    together: Together | None
    """Music in step with other rooms, where hub.yaml asks for it."""

    @property
    def services(self) -> tuple[Service, ...]:
        """All but the store, which has to end last."""
        hubs = () if self.settlement is None else (self.settlement,)
        rooms = () if self.together is None else self.together.services
        return (
            *self.voice_services,
            *hubs,
            self.music,
            *rooms,
            self.announcer,
            self.player,
            self.driver,
        )


def build_acting(
    loaded: LoadedConfig,
    links: Links,
    mixer: Mixer,
    *,
    directory: Path,
    state: Path,
    bus: Bus,
    clock: Clock,
) -> Acting:
    """Return the parts that decide and act.

    Parameters
    ----------
    directory, state : Path
        Where sounds and voices are found, and where the database lies unless hub.yaml moves it.
    """
    config = loaded.hub
    store_path = config.store.path or state / DATABASE
    voice, voice_services = configured_voice(config, directory)
    music = _music(config, mixer, directory=directory, state=state, bus=bus, clock=clock)
    performer = _performer(loaded, links, mixer, voice, directory, bus, music)
    announcer = Announcer(
        perform=performer.perform,
        mixer=mixer,
        rate_hz=config.audio.rate_hz,
        bus=bus,
        room=config.home.room,
    )
    engine = _engine(loaded)
    settlement = links.settlement(engine.hearing, clock)
    driver = RoutineDriver(
        engine=engine,
        performer=performer,
        memory=EngineMemory(store_path),
        bus=bus,
        clock=clock,
        heeds=heeds_all if settlement is None else settlement.heeds,
        waits_for=frozenset({HomeAssistantLink.name}) if config.home_assistant else frozenset(),
    )
    return Acting(
        store=StoreWriter(path=store_path, bus=bus, clock=clock, config=config.store),
        driver=driver,
        voice=voice,
        voice_services=voice_services,
        settlement=settlement,
        music=music,
        announcer=announcer,
        player=PlayerPublisher(
            messages=links.mqtt,
            bus=bus,
            clock=clock,
            room=config.home.room,
            music=music,
            announcer=announcer,
        ),
        together=music_together(
            config, mixer=mixer, player=music.player, hub=links.hub, bus=bus, clock=clock
        ),
    )


def _music(config: HubConfig, mixer: Mixer, *, directory: Path, state: Path, bus: Bus, clock: Clock) -> Music:
    return Music(
        mixer=mixer,
        rate_hz=config.audio.rate_hz,
        library=Library(directory / config.playback.music),
        bus=bus,
        room=config.home.room,
        volume=config.playback.volume,
        path=state / "volume.json",
        fade_seconds=config.playback.fade_seconds,
        clock=clock,
    )


def _engine(loaded: LoadedConfig) -> Engine:
    home = loaded.hub.home
    return Engine(
        loaded.routines,
        timezone=ZoneInfo(home.timezone),
        place=place_of_home(home),
        converses=True,
        certainty=Certainty(sure=SURE_CONFIDENCE),
    )


def _performer(
    loaded: LoadedConfig,
    links: Links,
    mixer: Mixer,
    voice: HouseVoice,
    directory: Path,
    bus: Bus,
    music: Music,
) -> Performer:
    """Return what can carry out every effect of the routines."""
    lights = MqttLights(loaded.hub.mqtt.lights, links.mqtt)

    def owner(call: CallService) -> DeviceLink | None:
        """Lights named in hub.yaml are ours; everything else belongs to Home Assistant, if there is one."""
        return lights if lights.owns(call) else links.home_assistant

    return Performer(
        owner=owner,
        messages=links.mqtt,
        events=links.home_assistant,
        mixer=mixer,
        voice=voice,
        rate_hz=loaded.hub.audio.rate_hz,
        sounds=directory / "sounds",
        bus=bus,
        music=music,
    )

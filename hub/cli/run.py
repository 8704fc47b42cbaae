"""``roomwise run``: the hub as a service."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from hub.assemble import House
    from hub.audio.device import AudioDevice
    from hub.calibration import CalibrationInUse
    from hub.config.files import LoadedConfig
    from hub.config.hub_config import HubConfig

_SNAPSHOT_SECONDS = 5.0


def run(
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Log as JSON Lines.")] = False,
) -> None:
    """Run the hub until it is told to stop (Ctrl-C or SIGTERM)."""
    from hub.calibration import calibrated
    from hub.config.files import default_directory, load_config
    from hub.log import configure_log
    from hub.status import default_state_directory

    directory = config or default_directory()
    loaded = _fitted(load_config(directory), directory)
    configure_log(loaded.hub.log.level, json=json)
    state = default_state_directory()
    settings, calibration = calibrated(loaded.hub, state)
    asyncio.run(_live(replace(loaded, hub=settings), directory, state, calibration))


async def _live(loaded: LoadedConfig, directory: Path, state: Path, calibration: CalibrationInUse) -> None:
    """Assemble the house and keep it until a signal comes or a recording ends."""
    from zoneinfo import ZoneInfo

    from hub.assemble import assemble
    from hub.clock import SystemClock
    from integrations.mqtt.embedded_broker import EmbeddedBroker

    settings = loaded.hub
    broker = EmbeddedBroker() if settings.mqtt.host is None else None
    port = settings.mqtt.port
    if broker is not None:
        ports = await asyncio.to_thread(broker.start)
        port = ports.mqtt_5 if settings.mqtt.protocol == "5" else ports.mqtt_3
    try:
        house = assemble(
            loaded,
            directory=directory,
            clock=SystemClock(ZoneInfo(settings.home.timezone)),
            device=_device(settings, directory),
            state=state,
            calibration=calibration,
            broker_port=port,
            lossless=settings.audio.device == "file",
        )
        await _until_told(house, state / "status.json", broker_port=port)
    finally:
        if broker is not None:
            await asyncio.to_thread(broker.stop)


def _fitted(loaded: LoadedConfig, directory: Path) -> LoadedConfig:
    """Return the configuration with the rate and the microphones of its recording, if it names one."""
    from hub.audio.sound_file import sound_file_info

    settings = loaded.hub
    if settings.audio.device != "file":
        return loaded
    if settings.audio.recording is None:
        raise BadInput("hub.yaml: audio.device is file, but audio.recording names no file")
    info = sound_file_info(directory / settings.audio.recording)
    highest_hz = max(settings.ultrasound.carrier_hz, settings.ultrasound.second_tone_hz or 0.0)
    if settings.ultrasound.enabled and highest_hz >= info.rate_hz / 2:
        raise BadInput(
            f"{settings.audio.recording}: at {info.rate_hz} Hz it cannot hold the carrier of "
            f"{highest_hz:g} Hz; set ultrasound.enabled to false"
        )
    audio = settings.audio.model_copy(update={"rate_hz": info.rate_hz, "microphones": info.channels})
    return replace(loaded, hub=settings.model_copy(update={"audio": audio}))


def _device(settings: HubConfig, directory: Path) -> AudioDevice:
    from hub.audio.configured_device import configured_device

    recording = settings.audio.recording
    return configured_device(
        settings.audio,
        carrier_hz=settings.ultrasound.carrier_hz,
        recording=None if recording is None else directory / recording,
    )


async def _until_told(house: House, snapshot: Path, *, broker_port: int) -> None:
    """Run the services; end them in order at SIGTERM, Ctrl-C or the end of a recording."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    work = asyncio.create_task(house.supervisor.run(), name="supervisor")
    ends = [asyncio.create_task(told.wait()), asyncio.create_task(house.audio.finished.wait())]
    reporter = asyncio.create_task(_report(house, snapshot, broker_port), name="status snapshots")
    try:
        await asyncio.wait({*ends, work}, return_when=asyncio.FIRST_COMPLETED)
        if not told.is_set():
            await house.driver.idle.wait()
    finally:
        for task in (*ends, reporter, work):
            task.cancel()
        await asyncio.wait({*ends, reporter, work})
        await asyncio.to_thread(snapshot.unlink, missing_ok=True)


async def _report(house: House, snapshot: Path, broker_port: int) -> None:
    """Write the health of the hub every few seconds, for ``roomwise status``."""
    from hub.status import write_snapshot

    settlement, together = house.acting.settlement, house.acting.together
    sweet_spot = house.sweet_spot
    while True:
        lanes: dict[str, Json] = {lane.name: asdict(lane.statistics()) for lane in house.lanes}
        extra: dict[str, Json] = {
            "audio_frames": house.audio.frames,
            "lost_frames": house.audio.lost_frames,
            "unplayed_frames": house.audio.unplayed_frames,
            "lanes": lanes,
            "broker_port": broker_port,
            "presence": {house.presence.room: house.presence.state()},
            "levels": [asdict(level) for level in house.levels()],
            "hearing_levels": [asdict(level) for level in house.hearing_levels()],
            "hearing_faults": [*house.hearing_faults()],
            "voice": asdict(house.acting.voice.state),
            "player": asdict(house.acting.music.state),
            "hubs": None if settlement is None else settlement.state(),
            "spatial": None if sweet_spot is None else asdict(sweet_spot.state),
            "together": None if together is None else together.state(),
        }
        write_snapshot(snapshot, house.supervisor.states(), house.bus.statistics(), extra)
        await asyncio.sleep(_SNAPSHOT_SECONDS)

"""The shape of ``hub.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from hub.config.playback_config import PlaybackConfig
from hub.config.section import Section
from hub.log import LogLevel
from sensing.calibration.band import NYQUIST_GUARD_HZ
from sensing.ultrasound.emitter import LEAST_APART_HZ, MOST_APART_HZ


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone; use a name like Europe/Berlin")
    return name


Timezone = Annotated[str, AfterValidator(_known_timezone)]


EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]


class HomeConfig(Section):
    """The home and the room that this hub stands in."""

    name: str = Field(default="Home", description="Name of the home, for people.")
    timezone: Timezone = Field(default="UTC", description="Time zone of all times, as Europe/Berlin.")
    latitude: float | None = Field(
        default=None, ge=-90.0, le=90.0, description="Latitude in degrees; null for that of the zone's city."
    )
    longitude: float | None = Field(
        default=None, ge=-180.0, le=180.0, description="Longitude in degrees east; null likewise."
    )
    elevation_m: float = Field(
        default=0.0, ge=0.0, le=9000.0, description="Height above the surroundings in metres."
    )
    room: str = Field(default="living_room", min_length=1, description="Room that the microphones are in.")


class AudioConfig(Section):
    """Loudspeakers and microphones, as one duplex stream."""

    device: Literal["simulated", "file", "card"] = Field(
        default="simulated", description="A simulated room, a recording, or a sound card."
    )
    device_name: str | None = Field(
        default=None,
        description="Part of the sound card's name; null for the system's default. See roomwise devices.",
    )
    rate_hz: Literal[44100, 48000, 96000, 192000] = Field(default=48000, description="Sampling rate in Hz.")
    microphones: int = Field(default=2, ge=1, le=8, description="Number of microphone channels.")
    speakers: int = Field(default=2, ge=1, le=8, description="Number of loudspeaker channels.")
    recording: Path | None = Field(
        default=None, description="Sound file to take as the microphones, with device: file."
    )


class UltrasoundConfig(Section):
    """Presence by an inaudible tone."""

    enabled: bool = Field(default=True, description="Whether the carrier is played and motion is looked for.")
    carrier_hz: float = Field(
        default=20500.0,
        ge=17000.0,
        le=90000.0,
        description="Frequency of the carrier in hertz; leave it out for what roomwise calibrate chose.",
    )
    second_carrier_hz: float | None = Field(
        default=None,
        ge=17000.0,
        le=90000.0,
        description="A second tone, 300 to 1000 Hz from carrier_hz; leave out both for the calibrated ones.",
    )
    tones: Literal[1, 2] = Field(
        default=1, description="How many tones are played, where a second carrier is known."
    )
    level: float = Field(
        default=0.1,
        gt=0.0,
        le=0.5,
        description="Carrier's amplitude; 1 is full scale. Leave it out for what roomwise calibrate chose.",
    )
    hold_seconds: float = Field(
        default=180.0,
        gt=0.0,
        le=86_400.0,
        description="Most seconds without motion after somebody walked until the room counts as empty; "
        "after a gesture, about twice as many.",
    )
    sensitivity: float = Field(
        default=1.0, ge=0.1, le=10.0, description="Above 1 notices people who come sooner, below 1 later."
    )
    power: Literal["full", "balanced", "low"] = Field(
        default="balanced",
        description="How much the tone sounds: always; not while somebody is surely there; or in blinks too, "
        "which notice an entry up to a second later.",
    )
    keep_rare: bool = Field(
        default=False,
        description="Keep half minutes in which nobody could tell whether somebody came, to learn from: "
        "features of the tone's echoes only, never sound, in the hub's state directory.",
    )
    pets: bool = Field(
        default=False,
        description="Whether animals live here: only stronger and longer motion is then a person who comes.",
    )
    doors: tuple[EntityId, ...] = Field(
        default=(),
        description="Contacts of the room's doors in Home Assistant, as binary_sensor.hall_door: "
        "who comes and who leaves is noticed sooner.",
    )
    temperature: EntityId | None = Field(
        default=None,
        description="The room's thermometer in Home Assistant, as sensor.living_room_temperature: "
        "after 5 degrees more or less the hub asks for a new calibration.",
    )

    @model_validator(mode="after")
    def _tones_fit_each_other(self) -> UltrasoundConfig:
        if self.second_carrier_hz is None:
            return self
        if "carrier_hz" not in self.model_fields_set:
            raise ValueError("second_carrier_hz needs carrier_hz beside it; leave out both, or neither")
        apart_hz = abs(self.second_carrier_hz - self.carrier_hz)
        if not LEAST_APART_HZ <= apart_hz <= MOST_APART_HZ:
            raise ValueError(
                f"the tones are {apart_hz:g} Hz apart; second_carrier_hz must be {LEAST_APART_HZ:g} to "
                f"{MOST_APART_HZ:g} Hz from carrier_hz"
            )
        return self

    @property
    def second_tone_hz(self) -> float | None:
        """The second tone that is played, None for one tone."""
        return self.second_carrier_hz if self.tones == 2 else None


class RecognizerConfig(Section):
    """Who understands what is said."""

    backend: Literal["own", "pocketsphinx", "onnx_asr", "sherpa_onnx", "wyoming"] = Field(
        default="own", description="The recogniser; see docs/hearing-elsewhere.md."
    )
    model: Path | None = Field(
        default=None, description="Folder of a model of yours, for onnx_asr and sherpa_onnx."
    )
    uri: str | None = Field(
        default=None, description="Server of the Wyoming protocol, as tcp://homeassistant.local:10300."
    )
    answer_seconds: float = Field(
        default=5.0, ge=0.1, le=30.0, description="Most seconds that the server may take for an answer."
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> RecognizerConfig:
        needs = {"onnx_asr": "model", "sherpa_onnx": "model", "wyoming": "uri"}.get(self.backend)
        for name in ("model", "uri"):
            is_set = getattr(self, name) is not None
            if is_set and name != needs:
                raise ValueError(f"backend {self.backend} takes no {name}; leave it out")
            if not is_set and name == needs:
                raise ValueError(f"backend {self.backend} needs {name} beside it")
        if self.uri is not None:
            server_address(self.uri)
        return self


def server_address(uri: str) -> tuple[str, int]:
    """Return host and port of an address such as ``tcp://homeassistant.local:10300``.

    Raises
    ------
    ValueError
        It is not of this form.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, half an IPv6 address
        host, port = None, None
    if not uri.startswith("tcp://") or not host or not port:
        raise ValueError(f"{uri!r} is not an address; write it as tcp://homeassistant.local:10300")
    return host, port


class SpeechConfig(Section):
    """Wake word and spoken commands: the phrases of the routines."""

    enabled: bool = Field(default=True, description="Whether the hub listens.")
    wake_word: str = Field(
        default="computer",
        min_length=1,
        description="Phrase before each command: one that ships, or one of `roomwise wake train`.",
    )
    voice: Literal["espeak", "piper", "home_assistant"] = Field(
        default="espeak",
        description="What speaks: espeak-ng, which is carried; Piper; or a voice of Home Assistant. "
        "espeak-ng speaks while another one cannot.",
    )
    voice_model: Path | None = Field(
        default=None, description="With voice: piper, the voice's .onnx file; its .onnx.json lies beside it."
    )
    voice_entity: EntityId | None = Field(
        default=None, description="With voice: home_assistant, which voice speaks, as tts.piper."
    )

    @model_validator(mode="after")
    def _voice_is_named(self) -> SpeechConfig:
        if self.voice == "piper" and self.voice_model is None:
            raise ValueError("voice: piper needs voice_model, the path of a voice's .onnx file")
        if self.voice == "home_assistant" and self.voice_entity is None:
            raise ValueError("voice: home_assistant needs voice_entity, as tts.piper")
        return self

    recognizer: RecognizerConfig = Field(
        default_factory=RecognizerConfig, description="Who understands what is said."
    )


class MqttConfig(Section):
    """The broker, and lights that listen to it."""

    host: str | None = Field(default=None, description="Name or address; null starts an embedded broker.")
    port: int = Field(default=1883, ge=1, le=65535, description="Port of the broker.")
    username: str | None = Field(default=None, description="User name at the broker.")
    password: SecretStr | None = Field(default=None, description="Password at the broker; use !secret.")
    protocol: Literal["3.1.1", "5"] = Field(default="5", description="Version of MQTT.")
    lights: dict[str, str] = Field(
        default_factory=dict, description="Command topic of each light by entity id, as light.lamp."
    )


class HomeAssistantConfig(Section):
    """Home Assistant, whose entities routines can watch and call."""

    url: str = Field(pattern=r"^https?://", description="Address, as http://homeassistant.local:8123.")
    token: SecretStr = Field(description="Long-lived access token; use !secret.")


class WyomingConfig(Section):
    """The house's wake word and recogniser for Home Assistant Assist."""

    enabled: bool = Field(default=False, description="Whether they are served over the Wyoming protocol.")
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. There is no login: 0.0.0.0 serves everybody in the network.",
    )
    port: int = Field(default=10400, ge=1, le=65535, description="Port to listen on.")


class StoreConfig(Section):
    """The database of runs and states."""

    path: Path | None = Field(default=None, description="Database file; null for the user's state directory.")
    keep_days: int = Field(default=30, ge=1, description="Days after which runs are forgotten.")
    keep_fact_days: int = Field(
        default=7, ge=0, description="Days for which all that routines were told is kept, to play it again."
    )


class LogConfig(Section):
    """What is logged."""

    level: LogLevel = Field(default="info", description="Least serious messages to log.")


class HubConfig(Section):
    """Everything in ``hub.yaml``; each section may be left out."""

    version: Literal[1] = Field(default=1, description="Version of this file's format.")
    home: HomeConfig = Field(default_factory=HomeConfig, description="The home.")
    audio: AudioConfig = Field(default_factory=AudioConfig, description="Sound devices.")
    ultrasound: UltrasoundConfig = Field(default_factory=UltrasoundConfig, description="Presence.")
    speech: SpeechConfig = Field(default_factory=SpeechConfig, description="Hearing.")
    playback: PlaybackConfig = Field(default_factory=PlaybackConfig, description="Playing.")
    mqtt: MqttConfig = Field(default_factory=MqttConfig, description="MQTT.")
    home_assistant: HomeAssistantConfig | None = Field(
        default=None, description="Home Assistant; null for none."
    )
    wyoming: WyomingConfig = Field(default_factory=WyomingConfig, description="Serving Assist.")
    store: StoreConfig = Field(default_factory=StoreConfig, description="Storage.")
    log: LogConfig = Field(default_factory=LogConfig, description="Logging.")

    @model_validator(mode="after")
    def _home_assistant_can_speak(self) -> HubConfig:
        if self.speech.voice == "home_assistant" and self.home_assistant is None:
            raise ValueError("speech.voice: home_assistant needs the section home_assistant")
        return self

    @model_validator(mode="after")
    def _recording_plays_alone(self) -> HubConfig:
        if self.playback.together is not None and self.audio.device == "file":
            raise ValueError("audio.device: file plays to nobody; leave out playback.together")
        return self

    @model_validator(mode="after")
    def _card_carries_both_tones(self) -> HubConfig:
        second_hz, highest_hz = self.ultrasound.second_carrier_hz, self.audio.rate_hz / 2 - NYQUIST_GUARD_HZ
        if second_hz is None or self.audio.device == "file":
            return self
        if max(self.ultrasound.carrier_hz, second_hz) > highest_hz:
            raise ValueError(
                f"at audio.rate_hz {self.audio.rate_hz} two tones must stay below {highest_hz:g} Hz; "
                "lower ultrasound.carrier_hz and second_carrier_hz, or leave both out"
            )
        return self

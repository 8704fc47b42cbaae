"""The voice that hub.yaml asks for."""

from __future__ import annotations

from pathlib import Path

from hub.config.hub_config import HubConfig
from hub.playback.home_assistant_voice import HomeAssistantVoice
from hub.playback.piper_voice import PiperVoice, piper_command
from hub.playback.spoken_cache import SpokenCache
from hub.playback.voice import EspeakVoice, HouseVoice, Voice
from hub.service import Service
from integrations.home_assistant.speech import HomeAssistantSpeech


def configured_voice(config: HubConfig, directory: Path) -> tuple[HouseVoice, tuple[Service, ...]]:
    """Return the voice of the house, and the services that it needs.

    Parameters
    ----------
    directory : Path
        Where relative names of voice models start from.
    """
    rate_hz = config.audio.rate_hz
    spare = EspeakVoice(rate_hz)
    wanted: Voice = spare
    services: tuple[Service, ...] = ()
    speech, home_assistant = config.speech, config.home_assistant
    if speech.voice == "piper" and speech.voice_model is not None:
        piper = PiperVoice(command=piper_command(), model=directory / speech.voice_model, rate_hz=rate_hz)
        wanted, services = piper, (piper,)
    elif speech.voice == "home_assistant" and home_assistant is not None and speech.voice_entity is not None:
        source = HomeAssistantSpeech(
            url=home_assistant.url,
            token=home_assistant.token.get_secret_value(),
            entity_id=speech.voice_entity,
        )
        wanted = HomeAssistantVoice(source, rate_hz)
    return HouseVoice(wanted, spare=spare, cache=SpokenCache(rate_hz)), services

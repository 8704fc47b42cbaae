"""The sound device that hub.yaml names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.audio.device import AudioDevice

if TYPE_CHECKING:
    from hub.config.hub_config import AudioConfig


def configured_device(
    audio: AudioConfig, *, carrier_hz: float, recording: Path | None = None, is_paced: bool = True
) -> AudioDevice:
    """Return the device; nothing is opened yet.

    Parameters
    ----------
    carrier_hz : float
        Tone that is played into the simulated room.
    recording : Path, optional
        The recording's own path; needed for a file.
    is_paced : bool
        Whether the simulated room takes its time.
    """
    if audio.device == "file":
        from hub.audio.file_device import FileDevice

        assert recording is not None  # seen when the configuration was loaded
        return FileDevice(recording)
    if audio.device == "card":
        from hub.audio.portaudio_device import PortAudioDevice

        return PortAudioDevice(
            name=audio.device_name,
            rate_hz=audio.rate_hz,
            microphones=audio.microphones,
            speakers=audio.speakers,
        )
    from hub.audio.simulated_device import empty_room

    return empty_room(
        carrier_hz,
        rate_hz=audio.rate_hz,
        microphones=audio.microphones,
        speakers=audio.speakers,
        paced=is_paced,
    )

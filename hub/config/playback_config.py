"""The section ``playback`` of ``hub.yaml``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from hub.config.section import Section
from integrations.snapcast.player import DEFAULT_PORT, followed_server

_FOR_WHO_SERVES = {"host", "port", "wait_seconds", "calibrate_every_minutes"}


class TogetherConfig(Section):
    """Music that several rooms play in step: given to the others, or followed."""

    serve: bool = Field(default=False, description="Whether this room's music is given to other rooms.")
    follow: str | None = Field(
        default=None,
        description="Hub or Snapcast server whose music is played, as kitchen-hub.local, or with its port: "
        "music.local:1705.",
    )
    host: str = Field(
        default="0.0.0.0",
        description="With serve, address to listen on. There is no login: everybody who can reach it hears "
        "the music.",
    )
    port: int = Field(default=DEFAULT_PORT, ge=1, le=65535, description="With serve, port to listen on.")
    wait_seconds: float = Field(
        default=1.0,
        ge=0.6,
        le=5.0,
        description="With serve, how much later music is heard than it is sent; slow networks need more.",
    )
    calibrate_every_minutes: float | None = Field(
        default=None,
        ge=1.0,
        le=10_080.0,
        description="With serve, how often the rooms listen for each other by chirps while music plays; null "
        "for only when asked, for children and pets may hear them.",
    )
    towards_metres: float = Field(
        default=0.0,
        ge=-0.5,
        le=0.5,
        description="How much nearer to the other room's loudspeaker the first microphone is than the first "
        "loudspeaker, for calibration.",
    )
    own_path_metres: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="From the first loudspeaker to the first microphone, for the distance that calibration "
        "tells.",
    )

    @model_validator(mode="after")
    def _serves_or_follows(self) -> TogetherConfig:
        if self.serve == (self.follow is not None):
            raise ValueError("a room gives its music (serve: true) or follows another (follow: HOST)")
        if self.follow is not None:
            followed_server(self.follow)
            beside = sorted(self.model_fields_set & _FOR_WHO_SERVES)
            if beside:
                raise ValueError(
                    f"{' and '.join(beside)} beside follow: leave it out; a port stands behind the name, "
                    "as music.local:1705"
                )
        return self


class PlaybackConfig(Section):
    """How sounds are played."""

    layout: Path | None = Field(
        default=None, description="File with the loudspeakers' places for spatial sound; null for none."
    )
    listener_azimuth_degrees: float | None = Field(
        default=None, ge=-30, le=30, description="Where it is aimed at first; positive is to the right."
    )
    follow_talker: bool = Field(
        default=True, description="Whether it is aimed at who talks; layout has to name two microphones."
    )
    music: Path = Field(
        default=Path("music"), description="Folder of the music and playlists that may be asked for."
    )
    volume: float = Field(
        default=50.0, ge=0.0, le=100.0, description="Volume of the music until somebody sets another one."
    )
    fade_seconds: float = Field(
        default=0.3, ge=0.01, le=5.0, description="How long music fades at a pause, a stop and a change."
    )
    ducking_db: float = Field(
        default=20.0, ge=0.0, le=60.0, description="How far music goes down while the hub listens or speaks."
    )
    together: TogetherConfig | None = Field(
        default=None, description="Music in step with other rooms; null for this room's alone."
    )

    @model_validator(mode="after")
    def _has_something_to_aim(self) -> PlaybackConfig:
        if self.listener_azimuth_degrees is not None and self.layout is None:
            raise ValueError("listener_azimuth_degrees needs layout, the file with the loudspeakers' places")
        return self

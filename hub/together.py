"""The room's music in step with that of other rooms: given to them, or followed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict

from hub.bus import Bus
from hub.clock import Clock
from hub.config.hub_config import HubConfig
from hub.errors import Degraded
from hub.playback.mixer import Mixer, MusicSource
from hub.playback.player import Player
from hub.service import Service
from hub.sync.playout import StepFigures
from hub.sync.room_player import RoomPlayer
from hub.sync.room_sender import RoomSender
from integrations.snapcast.player import SnapcastPlayer, followed_server
from integrations.snapcast.server import SnapcastServer
from integrations.snapcast.wire import PcmFormat
from routines.facts import Json
from sensing.audio_block import Block

_PAUSE_SECONDS = 2.0
"""So much silence is sent; a longer one is a pause."""
_LOOK_SECONDS = 0.25
_REPORT_SECONDS = 5.0
_CHANNELS = 2


class Serving:
    """Give the room's own music to others, and play it here when they do.

    Parameters
    ----------
    own : MusicSource
        The music.
    wait_seconds : float
        From when it is sent until it is heard.
    now : callable
        The clock of this machine, by which the card reports and the server stamps.
    """

    def __init__(
        self,
        own: MusicSource,
        server: SnapcastServer,
        *,
        rate_hz: int,
        wait_seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._server = server
        self._now = now
        self._sender = RoomSender(own, rate_hz=rate_hz, send=self._send, wait_seconds=wait_seconds)
        self._sounded_seconds = -math.inf
        self._figures: StepFigures | None = None

    def card_reported(self, frame: int, heard_at_seconds: float) -> None:
        """Take the sound card's word."""
        self._sender.card_reported(frame, heard_at_seconds)

    def next_block(self, first_frame: int, frames: int) -> Block:
        """Send what is due, and return what the card's frames play."""
        self._sender.send_until(self._now())
        block = self._sender.next_block(first_frame, frames)
        self._figures = self._sender.figures  # the sender is the audio thread's; this, anybody may read
        return block

    def look(self) -> None:
        """Do nothing: the server's link looks after itself."""

    def state(self) -> dict[str, Json]:
        """Return who listens, and how well this room plays in step itself."""
        return {
            "role": "serves",
            "port": self._server.port,
            "players": self._server.players,
            "figures": _told(self._figures),
        }

    def heard_seconds(self, frame: float) -> float | None:
        """Return our time at which a frame is heard; on the audio thread."""
        return self._sender.heard_seconds(frame)

    def common_seconds(self) -> float:
        """Return our time: all follow it."""
        return self._now()

    @property
    def is_settled(self) -> bool:
        """Whether the card's clock is well known."""
        return self._sender.is_settled

    @property
    def hubs(self) -> tuple[str, ...]:
        """The names of the hubs that listen."""
        return self._server.hubs

    @property
    def is_sounding(self) -> bool:
        """Whether anything but a pause is being sent."""
        return self._now() - self._sounded_seconds <= _PAUSE_SECONDS

    def _send(self, at_seconds: float, sound: bytes) -> None:
        """Send sound, but no pauses: who follows may play music of its own in them."""
        if sound.strip(b"\0"):
            self._sounded_seconds = at_seconds
        if at_seconds - self._sounded_seconds <= _PAUSE_SECONDS:
            self._server.offer_from_thread(at_seconds, sound)


class Following:
    """Play what a server sends, and the room's own music while it sends nothing.

    Parameters
    ----------
    own : MusicSource
        The room's own music.
    player : Player
        Who plays that: paused when the server begins, and then left so.
    address : str
        The server's, for people.
    now : callable
        The clock of this machine, by which the card reports and exchanges are stamped.
    """

    def __init__(
        self,
        own: MusicSource,
        player: Player,
        stream: RoomPlayer,
        *,
        address: str,
        now: Callable[[], float],
    ) -> None:
        self._own = own
        self._player = player
        self._stream = stream
        self.address = address
        self._now = now

    def card_reported(self, frame: int, heard_at_seconds: float) -> None:
        """Take the sound card's word."""
        self._stream.card_reported(frame, heard_at_seconds)

    def next_block(self, first_frame: int, frames: int) -> Block:
        """Return both musics; one of them is silent but for its fade."""
        own = self._own.next_block(frames)
        return own + self._stream.next_block(first_frame, frames)

    def look(self) -> None:
        """Pause the room's own music when there is sound from the server."""
        if self._stream.buffered_seconds > 0 and self._player.state.state in ("playing", "buffering"):
            self._player.pause()

    def state(self) -> dict[str, Json]:
        """Return whom the room follows, and how well."""
        return {
            "role": "follows",
            "server": self.address,
            "figures": _told(self._stream.figures(self._now())),
        }

    def heard_seconds(self, frame: float) -> float | None:
        """Return the server's time at which a frame is heard."""
        return self._stream.heard_seconds(frame)

    def common_seconds(self) -> float | None:
        """Return the server's time."""
        return self._stream.server_seconds(self._now())

    @property
    def is_settled(self) -> bool:
        """Whether the server's clock and the card's are well known."""
        return self._stream.is_settled(self._now())

    @property
    def trim_seconds(self) -> float:
        """How much earlier this room plays than its clocks say, as an acoustic calibration found."""
        return self._stream.trim_seconds

    @trim_seconds.setter
    def trim_seconds(self, seconds: float) -> None:
        self._stream.trim_seconds = seconds


Part = Serving | Following
"""What a room does in a music that several hear."""


class Together:
    """Play a part in the mixer's music: it counts the frames, and says when the card does not report.

    Parameters
    ----------
    mixer : Mixer
        Its music becomes this.
    link : Service
        The connection to the other rooms.

    Attributes
    ----------
    part : Part
        What the room does.
    calibration : callable
        Returns what chirps have found, once something can chirp.
    services : tuple of Service
        All that is to be kept alive for it.
    """

    name = "together"
    needs: frozenset[str] = frozenset({"audio"})

    def __init__(self, part: Part, *, mixer: Mixer, link: Service, clock: Clock) -> None:
        self.part = part
        self.calibration: Callable[[], Json] = lambda: None
        self._latency_frames = mixer.latency_frames
        self._clock = clock
        self._frames = 0
        self._has_report = False
        self.services: tuple[Service, ...] = (link, self)
        mixer.music = self

    def card_reported(self, frame: int, heard_at_seconds: float) -> None:
        """Take the sound card's word that ``frame``, as the mixer counts, is heard at a time of our clock."""
        self.part.card_reported(frame, heard_at_seconds)
        self._has_report = True

    def next_block(self, frames: int) -> Block:
        """Return the next frames of music, shape ``(2, frames)``."""
        first = self._frames + self._latency_frames  # the mixer gives them out so much later
        self._frames += frames
        return self.part.next_block(first, frames)

    def state(self) -> dict[str, Json]:
        """Return the part, whom it is played with, and how well; for ``roomwise status``."""
        return {**self.part.state(), "calibration": self.calibration()}

    async def run(self, ready: Callable[[], None]) -> None:
        """Look after the part until cancelled.

        Raises
        ------
        Degraded
            The sound card does not report.
        """
        patience_seconds = self._clock.monotonic() + _REPORT_SECONDS
        while not self._has_report:
            if self._clock.monotonic() > patience_seconds:
                raise Degraded(
                    "The sound card has not told when it is heard, so nothing can play in step",
                    hint="See the state of audio; if that is ready, use another card",
                )
            await self._rest()
        ready()
        while True:
            self.part.look()
            await self._rest()

    async def _rest(self) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + _LOOK_SECONDS)


def music_together(
    config: HubConfig, *, mixer: Mixer, player: Player, hub: str, bus: Bus, clock: Clock
) -> Together | None:
    """Let the mixer's music be heard in step with other rooms, as ``playback.together`` says; None without.

    Parameters
    ----------
    player : Player
        Of the mixer's music.
    hub : str
        This hub's own name, by which a server knows it again.
    """
    settings, own, rate_hz = config.playback.together, mixer.music, config.audio.rate_hz
    if settings is None:
        return None
    assert own is not None  # the player's deck
    if settings.follow is not None:
        stream = RoomPlayer(rate_hz=rate_hz)
        host, port = followed_server(settings.follow)
        link = SnapcastPlayer(
            host=host, port=port, player_id=hub, listener=stream, outbox=bus, now=clock.monotonic
        )
        following = Following(own, player, stream, address=f"{host}:{port}", now=clock.monotonic)
        return Together(following, mixer=mixer, link=link, clock=clock)
    server = SnapcastServer(
        host=settings.host,
        port=settings.port,
        form=PcmFormat(rate_hz=rate_hz, channels=_CHANNELS),
        buffer_seconds=settings.wait_seconds,
        outbox=bus,
        now=clock.monotonic,
    )
    serving = Serving(own, server, rate_hz=rate_hz, wait_seconds=settings.wait_seconds, now=clock.monotonic)
    return Together(serving, mixer=mixer, link=server, clock=clock)


def _told(figures: StepFigures | None) -> dict[str, Json] | None:
    return None if figures is None else asdict(figures)

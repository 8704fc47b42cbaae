"""Snapcast over real sockets: our player and server together, and with Snapcast's own where they are."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sync.room_player import RoomPlayer
from hub.sync.stream_decoder import StreamDecoder
from integrations.snapcast.player import SnapcastPlayer
from integrations.snapcast.server import SnapcastServer
from integrations.snapcast.wire import (
    Kind,
    Message,
    Misunderstood,
    PcmFormat,
    PlayerSettings,
    chunk_content,
    chunk_of,
    codec_content,
    codec_of,
    json_content,
    read_message,
    settings_of,
    time_content,
    time_of,
    wave_header,
    written,
)
from routines.ports import LinkChanged, LinkEvent

HOST = "127.0.0.1"
FORM = PcmFormat(rate_hz=48_000, channels=2)
SERVER_AHEAD_SECONDS = 1234.5


@dataclass
class Kept:
    """An outbox and a listener that keep what they are given, and tell when something came."""

    events: list[LinkEvent] = field(default_factory=list)
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    codecs: list[str] = field(default_factory=list)
    settings: list[PlayerSettings] = field(default_factory=list)
    ended: int = 0
    exchange_interval_seconds: float = 0.01
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, event: LinkEvent) -> None:
        self.events.append(event)
        self.came.set()

    def stream_begins(self, codec: str, header: bytes) -> None:
        StreamDecoder(codec, header)
        self.codecs.append(codec)

    def settings_changed(self, settings: PlayerSettings) -> None:
        self.settings.append(settings)

    def chunk_came(self, at_seconds: float, sound: bytes) -> None:
        self.chunks.append((at_seconds, sound))
        self.came.set()

    def time_told(self, *, asked: float, received: float, replied: float, answered: float) -> None:
        assert asked <= answered
        self.offsets.append((received - asked + replied - answered) / 2)
        self.came.set()

    def stream_ended(self) -> None:
        self.ended += 1
        self.came.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self.came.clear()
            await self.came.wait()

    def why(self) -> str:
        return next(one.why for one in self.events if isinstance(one, LinkChanged) and not one.up)


@asynccontextmanager
async def running(run: Callable[[Callable[[], None]], Awaitable[None]]) -> AsyncIterator[None]:
    ready = asyncio.Event()
    task = asyncio.ensure_future(run(ready.set))
    try:
        await ready.wait()
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def server_clock() -> float:
    return time.monotonic() + SERVER_AHEAD_SECONDS


def a_server() -> SnapcastServer:
    return SnapcastServer(host=HOST, port=0, form=FORM, buffer_seconds=0.4, outbox=Kept(), now=server_clock)


def a_player(kept: Kept, port: int, *, listener: RoomPlayer | None = None) -> SnapcastPlayer:
    return SnapcastPlayer(
        host=HOST,
        port=port,
        player_id="test",
        listener=listener or kept,
        outbox=kept,
        now=time.monotonic,
    )


async def test_a_player_hears_what_a_server_plays_and_when_it_is_due() -> None:
    server, kept = a_server(), Kept()
    async with running(server.run), running(a_player(kept, server.port).run):
        await kept.until(lambda: bool(kept.offsets) and server.players == 1)
        server.offer(2000.25, b"\1\0\2\0" * 480)
        await kept.until(lambda: bool(kept.chunks))
    assert kept.chunks == [(2000.25, b"\1\0\2\0" * 480)]
    assert kept.codecs == ["pcm"]
    assert kept.settings[0].buffer_seconds == 0.4
    assert kept.ended == 1


async def test_a_player_learns_the_servers_clock() -> None:
    server, kept = a_server(), Kept()
    async with running(server.run), running(a_player(kept, server.port).run):
        await kept.until(lambda: len(kept.offsets) >= 20)
    # on one machine the luckiest exchange takes far less than 50 ms, even on a loaded one
    assert min(abs(offset - SERVER_AHEAD_SECONDS) for offset in kept.offsets) < 0.05


async def test_a_room_plays_what_another_hub_serves() -> None:
    server, kept, room = a_server(), Kept(), RoomPlayer(rate_hz=48_000)
    tone = (8000 * np.sin(2 * np.pi * 440 / 48_000 * np.arange(96_000))).astype("<i2")
    sound = np.repeat(tone[:, np.newaxis], 2, axis=1).tobytes()
    async with running(server.run), running(a_player(kept, server.port, listener=room).run):
        await kept.until(lambda: bool(kept.events))
        while server.players == 0 or not room.is_in_step(time.monotonic()):
            await asyncio.sleep(0.005)
        start = server_clock()
        for number in range(50):
            server.offer(start + 0.02 * number, sound[number * 3840 : (number + 1) * 3840])
        while room.buffered_seconds < 0.9:
            await asyncio.sleep(0.005)
        # from here on time is the sound card's: it would be heard 0.4 s after its stamp
        card_start = start - SERVER_AHEAD_SECONDS + 0.4
        for number in range(100):
            room.card_reported(number * 480, card_start + number * 0.01)
        blocks = [room.next_block(48_000 + number * 480, 480) for number in range(-50, 0)]
    heard = np.concatenate(blocks, axis=1)
    assert heard.shape == (2, 24_000)
    assert np.abs(heard[:, -4800:]).max() == pytest.approx(8000 / 32_768, rel=0.01)


async def test_a_missing_server_is_told_once_and_tried_again() -> None:
    server, kept = a_server(), Kept()
    async with running(server.run):
        port = server.port
    async with running(a_player(kept, port).run):
        await kept.until(lambda: bool(kept.events))
        again = SnapcastServer(
            host=HOST, port=port, form=FORM, buffer_seconds=0.4, outbox=Kept(), now=server_clock
        )
        async with running(again.run):
            await kept.until(lambda: len(kept.events) == 2)
            assert [event.up for event in kept.events if isinstance(event, LinkChanged)] == [False, True]


async def answers_once(kept: Kept, *messages: bytes) -> None:
    """Let a player meet a server that says something and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_message(reader)
        writer.write(b"".join(messages))
        with suppress(OSError):
            await writer.drain()
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        async with running(a_player(kept, port).run):
            await kept.until(lambda: any(isinstance(one, LinkChanged) and not one.up for one in kept.events))
    finally:
        listening.close()


def message(kind: Kind, content: bytes) -> bytes:
    return written(Message(kind=kind, sent_us=1, content=content))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            message(Kind.CODEC_HEADER, codec_content("opus", b"....")),
            "the stream is opus, which is not decoded",
        ),
        (message(Kind.CODEC_HEADER, codec_content("pcm", b"RIFF")), "without a format"),
        (message(Kind.SERVER_SETTINGS, json_content({"bufferMs": -1})), "bufferMs is -1"),
        (message(Kind.WIRE_CHUNK, b"\0" * 9), "ends before its content"),
        (message(Kind.ERROR, b"\1\0\0\0\2\0\0\0no"), "the server refused: no"),
        (b"GET / HTTP/1.1\r\nHost: example\r\n\r\n", "a message of"),
    ],
)
async def test_what_a_foreign_or_damaged_server_says_is_told(said: bytes, why: str) -> None:
    kept = Kept()
    await answers_once(kept, said)
    assert why in kept.why()


async def test_a_stranger_is_hung_up_on_and_others_play_on() -> None:
    server, kept = a_server(), Kept()
    async with running(server.run), running(a_player(kept, server.port).run):
        await kept.until(lambda: bool(kept.offsets))
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        so_far = len(kept.offsets)
        await kept.until(lambda: len(kept.offsets) > so_far + 2)
    assert kept.ended == 1


async def test_a_player_that_does_not_read_loses_old_sound_and_holds_up_nobody() -> None:
    server, kept = a_server(), Kept()
    async with running(server.run):
        _, lazy = await asyncio.open_connection(HOST, server.port, limit=1)
        lazy.write(message(Kind.HELLO, json_content({"ID": "lazy"})))
        async with running(a_player(kept, server.port).run):
            while server.players < 2:
                await asyncio.sleep(0.005)
            for number in range(400):
                server.offer(float(number), bytes(40_000))
                await kept.until(lambda number=number: len(kept.chunks) > number)
        lazy.close()
    assert [at for at, _ in kept.chunks] == [float(number) for number in range(400)]


@given(
    kind=st.sampled_from(Kind),
    number=st.integers(0, 65_535),
    sent_us=st.integers(-(2**31) * 1_000_000, 2**31 * 1_000_000 - 1),
    content=st.binary(max_size=300),
)
@settings(max_examples=50, deadline=None)
def test_a_message_is_read_as_it_was_written(kind: Kind, number: int, sent_us: int, content: bytes) -> None:
    said = Message(kind=kind, number=number, refers_to=7, sent_us=sent_us, content=content)

    async def read() -> Message | None:
        reader = asyncio.StreamReader()
        reader.feed_data(written(said))
        reader.feed_eof()
        return await read_message(reader)

    assert asyncio.run(read()) == said


@given(at_us=st.integers(-(10**15), 10**15), sound=st.binary(max_size=100))
def test_time_stamps_and_sound_survive_the_wire(at_us: int, sound: bytes) -> None:
    chunk = Message(kind=Kind.WIRE_CHUNK, sent_us=0, content=chunk_content(at_us, sound))
    assert chunk_of(chunk) == (at_us, sound)
    assert time_of(Message(kind=Kind.TIME, sent_us=0, content=time_content(at_us))) == at_us


@given(content=st.binary(max_size=80))
def test_no_content_whatever_is_read_as_something_else_than_it_is(content: bytes) -> None:
    for read in (settings_of, codec_of, chunk_of, time_of):
        with suppress(Misunderstood):
            read(Message(kind=Kind.CLIENT_INFO, sent_us=0, content=content))


def test_pcm_is_decoded_to_full_scale() -> None:
    decoder = StreamDecoder("pcm", wave_header(FORM))
    samples = decoder.decode(np.array([[-32_768, 16_384], [0, 1]], "<i2").tobytes())
    np.testing.assert_array_equal(samples, np.array([[-1, 0], [0.5, 1 / 32_768]], np.float32))


def test_a_chunk_that_is_not_flac_is_said() -> None:
    header = (
        b"fLaC\x80\0\0\x22" + bytes(10) + (48_000 << 44 | 1 << 41 | 15 << 36).to_bytes(8, "big") + bytes(16)
    )
    with pytest.raises(Misunderstood, match="is not FLAC"):
        StreamDecoder("flac", header).decode(b"nothing of the kind")


def snapcast(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"no {name} on the path (Debian's package {name})")
    return program


async def test_the_real_snapclient_plays_what_we_serve(tmp_path: Path) -> None:
    program, server = snapcast("snapclient"), a_server()
    played = tmp_path / "played.pcm"
    async with running(server.run):
        client = await asyncio.create_subprocess_exec(
            program,
            *("-h", HOST, "-p", str(server.port), "--player", f"file:filename={played}", "--logsink", "null"),
        )
        try:
            while server.players == 0:
                await asyncio.sleep(0.01)
            start, number = server_clock(), 0
            while not (played.exists() and played.read_bytes().count(b"\x34\x12\x34\x12") > 4800):
                server.offer(start + 0.02 * number, b"\x34\x12" * 1920)
                number += 1
                await asyncio.sleep(max(0.0, start + 0.02 * number - server_clock()))
        finally:
            client.terminate()
            await client.wait()


async def test_the_real_snapserver_is_followed_and_its_flac_decoded(tmp_path: Path) -> None:
    program, kept = snapcast("snapserver"), Kept()
    pipe, port = tmp_path / "pipe", _free_port()
    os.mkfifo(pipe)
    settings_file = tmp_path / "snapserver.conf"
    settings_file.write_text(
        f"[server]\ndatadir={tmp_path}\n[http]\nenabled=false\n[tcp]\nenabled=false\n[stream]\n"
        f"source=pipe://{pipe}?name=test&sampleformat=48000:16:2&codec=flac&mode=read\nport={port}\n"
        "[logging]\nsink=null\n",
        encoding="utf-8",
    )
    server = await asyncio.create_subprocess_exec(program, "-c", str(settings_file))
    try:
        async with running(a_player(kept, port).run):
            await kept.until(lambda: len(kept.offsets) >= 10)
            writing = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
            try:
                while not any(sound for _, sound in kept.chunks[20:]):
                    with suppress(BlockingIOError):
                        os.write(writing, b"\x34\x12" * 1920)
                    await asyncio.sleep(0.02)
            finally:
                os.close(writing)
    finally:
        server.terminate()
        await server.wait()
    assert kept.codecs == ["flac"]


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])

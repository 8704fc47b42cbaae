"""``roomwise play``: music through the configured sound device, or into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.config.hub_config import HubConfig
    from hub.music_play import MusicPlay


def play(
    source: Annotated[str, typer.Argument(help="A sound file, a folder, a playlist or an address.")],
    layout: Annotated[Path | None, typer.Option(help="The speaker layout, for spatial sound.")] = None,
    out: Annotated[Path | None, typer.Option(help="Render into this WAV file instead of playing.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    volume: Annotated[float | None, typer.Option(min=0, max=100, help="0 to 100.")] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Play in a drawn order.")] = False,
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Play files, folders, playlists and radios one behind the other; what fails is told and left out."""
    from hub.config.files import default_directory, load_config
    from hub.config.hub_config import HubConfig
    from hub.log import configure_log

    configure_log("warning", json=json)
    directory = config or default_directory()
    has_config = config is not None or out is None
    settings = load_config(directory).hub if has_config else HubConfig()
    if layout is None and settings.playback.layout is not None:
        layout = directory / settings.playback.layout
    show = print_json if json else _print_words
    music = _music(settings, layout, is_lossless=out is not None, show=show)
    loudness = 100.0 if out is not None else settings.playback.volume
    music.player.set_volume(loudness if volume is None else volume)
    music.player.set_shuffle(shuffle)
    try:
        music.start(source)
        if out is not None:
            _render(music, out, seconds)
        else:
            _sound(music, settings, seconds)
    except KeyboardInterrupt:
        pass
    finally:
        music.player.close()
    show({"event": "end", "seconds": music.seconds, "played": music.played, "failed": music.failed})
    if not music.played:
        raise BadInput(music.player.state.error or f"{source}: nothing was played")


def _music(
    settings: HubConfig, layout: Path | None, *, is_lossless: bool, show: Callable[[dict[str, Json]], None]
) -> MusicPlay:
    from hub.music_play import MusicPlay
    from hub.playback.mixer import Mixer
    from hub.spatial.filter_design import design_filters
    from hub.spatial.layout import load_layout
    from hub.spatial.renderer import SpatialRenderer
    from hub.spatial_sound import check_card

    rate_hz: int = settings.audio.rate_hz
    speakers, renderer = settings.audio.speakers, None
    if layout is not None:
        speaker = load_layout(layout)
        if is_lossless:  # a file has the rate and the channels that the layout wants
            rate_hz, speakers = speaker.sample_rate, len(speaker.positions_m)
        else:
            check_card(settings.audio, speaker, layout)
        renderer = SpatialRenderer(design_filters(speaker), rate_hz)
    mixer = Mixer(rate_hz=rate_hz, speakers=speakers, renderer=renderer)
    return MusicPlay(
        mixer, rate_hz, fade_seconds=settings.playback.fade_seconds, is_lossless=is_lossless, show=show
    )


def _render(music: MusicPlay, out: Path, seconds: float | None) -> None:
    """Write what is played, from its first frame to its last."""
    import soundfile

    try:
        with soundfile.SoundFile(out, "w", music.rate_hz, music.mixer.speakers, subtype="PCM_24") as file:
            for block in music.blocks(music.rate_hz // 10, seconds):
                file.write(block.T)
    except (OSError, soundfile.LibsndfileError) as error:
        raise BadInput(f"{out}: cannot be written ({error}); choose another --out") from error


def _sound(music: MusicPlay, settings: HubConfig, seconds: float | None) -> None:
    """Play to the speakers, as the sound card asks for it."""
    from hub.audio.configured_device import configured_device

    if settings.audio.device == "file":
        raise BadInput("hub.yaml: audio.device is file, which nobody hears; render with --out")
    stream = configured_device(settings.audio, carrier_hz=settings.ultrasound.carrier_hz).open()
    try:
        for block in music.blocks(stream.format.block_frames, seconds):
            if stream.read() is None:
                return
            stream.write(block)
    finally:
        stream.close()


def _print_words(event: dict[str, Json]) -> None:
    """Print one event for people."""
    match event:
        case {"event": "track", "number": number, "tracks": tracks, "title": title, "artist": artist}:
            by = f" by {artist}" if artist else ""
            print(f"{number}/{tracks}  {title or event['source']}{by}", flush=True)
        case {"event": "failed", "why": why}:
            print(f"left out: {why}", flush=True)
        case {"event": "end", "seconds": float(seconds), "played": played}:
            print(f"{played} played, {seconds:.1f} s")

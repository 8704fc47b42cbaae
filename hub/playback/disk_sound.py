"""Open the sounds on disk."""

from __future__ import annotations

from pathlib import Path

from hub.audio.sound_file import sound_file_info
from hub.errors import BadInput
from hub.playback import ogg_pages
from hub.playback.growing_file import GrowingFile
from hub.playback.ogg_chain import OggChain
from hub.playback.sound_decoder import DecodedSound, file_chunks
from hub.playback.sound_source import SoundSource


def open_file(path: Path) -> SoundSource:
    """Return an open file.

    Raises
    ------
    BadInput
        It is missing, empty, cut, or no sound.
    """
    try:
        sound_file_info(path)  # says more than libsndfile about what is wrong
        if path.suffix.lower() == ".mp3":
            return DecodedSound(str(path), GrowingFile(file_chunks(path), path.stat().st_size))
        if _is_ogg(path) and len(starts := ogg_pages.link_starts(file_chunks(path))) > 1:
            return OggChain(path, starts)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    return DecodedSound(str(path), str(path))


def _is_ogg(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ogg_pages.MAGIC)) == ogg_pages.MAGIC

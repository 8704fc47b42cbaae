"""Who understands speech for the house, and for Home Assistant Assist through it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

from hub.bus import Bus
from hub.config.hub_config import HubConfig, server_address
from hub.errors import BadInput
from hub.hearing import HOUSE_SENTENCES, make_recognizer, read_phrases
from hub.house_ears import HouseEars
from hub.recognizer_backend import RecognizerBackend, recognizer_backend
from hub.service import Service
from hub.wake_words import make_verifier, make_wake_word
from integrations.wyoming.hearing_server import HearingServer
from integrations.wyoming.speech_server import SpeechServer
from routines.routine import Routine
from sensing.speech.recognizer import SpeechRecognizer

_LANGUAGE = "en"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_BLOCKS_A_SECOND = 100


class Recognition:
    """Makes recognisers of what routines wait for, and keeps the servers that are asked or that ask.

    Parameters
    ----------
    directory : Path
        What the path of a model is relative to.

    Attributes
    ----------
    services : tuple of Service
        The server that is asked what was said, and the house's own for Assist, where hub.yaml wants them.
    patience_blocks : int
        Audio blocks that may pass while a server is waited for.

    Raises
    ------
    BadInput
        The hub would ask itself.
    """

    def __init__(self, config: HubConfig, routines: Sequence[Routine], *, directory: Path, bus: Bus) -> None:
        settings = config.speech.recognizer
        self._wake_phrase = config.speech.wake_word
        asked = _asked_server(config, bus)
        self.patience_blocks = 0 if asked is None else round(settings.answer_seconds * _BLOCKS_A_SECOND)
        self._make_backend = partial(recognizer_backend, settings, directory=directory, server=asked)
        self._ears = self._lent_ears(routines) if config.wyoming.enabled else None
        self.services: tuple[Service, ...] = () if asked is None else (asked,)
        if self._ears is not None:
            own = HearingServer(
                host=config.wyoming.host, port=config.wyoming.port, ears=self._ears, outbox=bus
            )
            self.services = (*self.services, own)

    @cached_property
    def _backend(self) -> RecognizerBackend:
        """Loaded once, and only where somebody hears."""
        return self._make_backend()

    def recognizer(self, routines: Sequence[Routine]) -> SpeechRecognizer:
        """Return a new recogniser of the house's sentences and the routines' phrases.

        Raises
        ------
        BadInput
            A model cannot be loaded or an extra is not installed, at the first call.
        """
        phrases = read_phrases(HOUSE_SENTENCES, routines)
        return make_recognizer(phrases, after=self._wake_phrase, backend=self._backend)

    def follow(self, routines: Sequence[Routine]) -> None:
        """Let Assist say what edited routines wait for."""
        if self._ears is not None:
            self._ears.use(self.recognizer(routines))

    def _lent_ears(self, routines: Sequence[Routine]) -> HouseEars:
        """Return ears for others, with a recogniser of their own."""
        return HouseEars(
            recognizer=self.recognizer(routines),
            wake_word=make_wake_word,
            verifier=make_verifier(),
            wake_phrases=[self._wake_phrase],
            language=_LANGUAGE,
        )


def _asked_server(config: HubConfig, bus: Bus) -> SpeechServer | None:
    """Return who is asked what was said, None where nobody is."""
    settings = config.speech.recognizer
    if settings.uri is None:
        return None
    host, port = server_address(settings.uri)
    if config.wyoming.enabled and host in _THIS_MACHINE and port == config.wyoming.port:
        raise BadInput(
            f"speech.recognizer.uri: {settings.uri} is this hub itself; name another server, "
            "or set another wyoming.port"
        )
    return SpeechServer(
        host=host, port=port, language=_LANGUAGE, outbox=bus, answer_limit_seconds=settings.answer_seconds
    )

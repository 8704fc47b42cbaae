"""Speak with Piper, in a process of its own: its licence, its crashes and its memory stay outside.

One process is kept: it gets a line of text on stdin and writes a WAV file into a folder of ours, then names
that file on stderr (piper-tts) or stdout (the older C++ program). The raw output on stdout would be quicker
to read, but has no sign where a sentence ends.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hub.errors import BadInput, Degraded
from hub.playback.decoder import load_sound
from sensing.audio_block import Block

_START_SECONDS = 60.0
"""For loading the voice; a slow machine needs ten."""
_SENTENCE_SECONDS = 15.0
_END_SECONDS = 2.0
_FIRST_WORDS = "Hello."
"""Said to nobody after the start: only a voice that has spoken is ready."""
_WAV = re.compile(r"[^/\\\s]+\.wav$")
_HINT = "Check speech.voice_model in hub.yaml; install Piper with: pip install 'roomwise[piper]'"


def piper_command() -> Sequence[str] | None:
    """Return what starts Piper: the package beside the hub, else the program on PATH; None for neither."""
    if find_spec("piper") is not None:
        return (sys.executable, "-m", "piper")
    program = shutil.which("piper")
    return None if program is None else (program,)


class PiperVoice:
    """The service that keeps Piper running; the supervisor starts it again when it ends.

    Parameters
    ----------
    command : sequence of str or None
        Starts Piper, without arguments; None if it is not installed.
    model : Path
        The voice, an ``.onnx`` file with its ``.onnx.json`` beside it.
    rate_hz : int
        Of the speech that is returned.
    sentence_seconds : float
        A sentence that takes longer has failed, and the process with it.
    """

    name = "piper"
    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        *,
        command: Sequence[str] | None,
        model: Path,
        rate_hz: int,
        sentence_seconds: float = _SENTENCE_SECONDS,
    ) -> None:
        self._command = command
        self._model = model
        self._rate_hz = rate_hz
        self._sentence_seconds = sentence_seconds
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._folder = Path()
        self._last_line = ""

    async def run(self, ready: Callable[[], None]) -> None:
        """Keep a process alive until cancelled.

        Raises
        ------
        Degraded
            Piper is missing, does not start, or has ended.
        """
        if self._command is None:
            raise Degraded("Piper is not installed", hint="Install it with: pip install 'roomwise[piper]'")
        if not self._model.is_file():
            raise Degraded(f"the voice {self._model} does not exist", hint=_HINT)
        with tempfile.TemporaryDirectory(prefix="roomwise-piper-") as folder:
            self._folder = Path(folder)
            process = await self._start(self._command)
            try:
                await asyncio.to_thread((await self._say(process, _FIRST_WORDS, _START_SECONDS)).unlink)
                self._process = process
                ready()
                status = await process.wait()
                raise Degraded(f"Piper ended with status {status}{self._last_words()}", hint=_HINT)
            finally:
                self._process = None
                await _end(process)

    async def speak(self, text: str) -> Block:
        """Return speech, shape ``(1, frames)``.

        Raises
        ------
        Degraded
            The process does not run, ended, or took too long.
        """
        line = " ".join(text.replace("\0", " ").split())
        if not any(
            sign.isalnum() for sign in line
        ):  # piper-tts ends with an error where nothing is to be said
            return np.zeros((1, 0), np.float32)
        async with self._lock:
            process = self._process
            if process is None:
                raise Degraded("Piper does not run", hint="roomwise status shows why; it is tried again")
            try:
                path = await self._say(process, line, self._sentence_seconds)
            except BaseException:
                # what it still says would be taken for the next sentence
                self._process = None
                with suppress(ProcessLookupError):
                    process.kill()
                raise
        try:
            return (await asyncio.to_thread(load_sound, path, self._rate_hz))[:1]
        except BadInput as error:
            raise Degraded(f"what Piper spoke cannot be read ({error})", hint=_HINT) from error
        finally:
            path.unlink(missing_ok=True)

    async def _start(self, command: Sequence[str]) -> Process:
        arguments = ("--model", str(self._model), "--output_dir", str(self._folder))
        try:
            return await asyncio.create_subprocess_exec(
                *command, *arguments, stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=self._folder
            )
        except OSError as error:
            raise Degraded(f"{command[0]} cannot be started ({error.strerror})", hint=_HINT) from error

    async def _say(self, process: Process, line: str, limit_seconds: float) -> Path:
        """Let the process speak a line, and return the file that it wrote."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(limit_seconds):
                process.stdin.write(f"{line}\n".encode())
                await process.stdin.drain()
                async for told in process.stdout:
                    self._last_line = told.decode(errors="replace").strip()
                    if written := _WAV.search(self._last_line):
                        return self._folder / written.group()
        except TimeoutError:
            raise Degraded(f"Piper did not speak within {limit_seconds:g} s", hint=_HINT) from None
        except (OSError, ValueError) as error:  # the pipe broke, or a line has no end
            raise Degraded(f"Piper cannot be talked to ({error})", hint=_HINT) from error
        raise Degraded(f"Piper ended{self._last_words()}", hint=_HINT)

    def _last_words(self) -> str:
        return f" ({self._last_line[:200]})" if self._last_line else ""


async def _end(process: Process) -> None:
    """End the process, at once if it does not go by itself."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

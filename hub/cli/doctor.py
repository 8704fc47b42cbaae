"""``roomwise doctor``: everything that a bug report needs, without secrets."""

from __future__ import annotations

import ctypes.util
import importlib
import platform
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from hub.cli.json_lines import print_json
from hub.errors import ConfigError

if TYPE_CHECKING:
    from hub.config.hub_config import HubConfig

_PACKAGES = ("roomwise", "numpy", "scipy", "onnxruntime", "pydantic", "paho-mqtt", "sounddevice")
_ANSWER_SECONDS = 2.0


class Finding(NamedTuple):
    """One line of the report."""

    part: str
    ok: bool
    message: str


def doctor(
    config: Annotated[Path | None, typer.Option(help="Configuration directory.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show versions, faults of the installation and of the configuration; never a secret."""
    from hub.config.files import default_directory

    for finding in _findings(config or default_directory()):
        if json:
            print_json({"event": "finding", **finding._asdict()})
        else:
            print(f"{'ok' if finding.ok else 'PROBLEM':8} {finding.part}: {finding.message}")


def _findings(directory: Path) -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} on {platform.platform()}")
    for package in _PACKAGES:
        yield _version(package)
    for name in ("hub", "sensing", "routines", "integrations"):
        yield _import_clash(name)
    yield _port_audio()
    yield from _models()
    config, findings = _configuration(directory)
    yield from findings
    if config is not None:
        yield _store(config)
        yield _broker(config)
        if config.home_assistant is not None:
            yield _home_assistant(config.home_assistant.url)


def _version(package: str) -> Finding:
    try:
        return Finding(package, True, metadata.version(package))
    except metadata.PackageNotFoundError:
        return Finding(package, False, "not installed; run script/setup")


def _import_clash(name: str) -> Finding:
    """Tell whether another project's package of this name hides ours."""
    ours = Path(__file__).resolve().parents[2] / name
    found = Path(str(importlib.import_module(name).__file__)).resolve().parent
    if found == ours:
        return Finding(f"import {name}", True, "ours")
    return Finding(f"import {name}", False, f"another project's {name} hides ours: {found}")


def _port_audio() -> Finding:
    library = ctypes.util.find_library("portaudio")
    if library is None and platform.system() == "Linux":
        return Finding("PortAudio", False, "not found; install libportaudio2 (only needed for a sound card)")
    return Finding("PortAudio", True, library or "comes with the sounddevice package")


def _models() -> Iterator[Finding]:
    from sensing.errors import ModelDamaged
    from sensing.models.catalog import model_cards, shipped_model

    for card in model_cards():
        try:
            yield Finding(f"model {card.name}", True, f"{shipped_model(card.name).name}, {card.licence}")
        except ModelDamaged as error:
            yield Finding(f"model {card.name}", False, str(error))


def _configuration(directory: Path) -> tuple[HubConfig | None, list[Finding]]:
    from hub.config.files import load_config

    try:
        loaded = load_config(directory)
    except ConfigError as error:
        return None, [Finding("config", False, str(problem)) for problem in error.problems]
    return loaded.hub, [Finding("config", True, f"{directory}, {len(loaded.routines)} routines")]


def _store(config: HubConfig) -> Finding:
    from hub.status import default_database

    path = config.store.path or default_database()
    if not path.exists():
        return Finding("store", True, f"{path} does not exist yet; the hub creates it")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (report,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        report = str(error)
    return Finding("store", report == "ok", f"{path}: {report}")


def _broker(config: HubConfig) -> Finding:
    if config.mqtt.host is None:
        return Finding("mqtt", True, "embedded broker")
    return _answers("mqtt", config.mqtt.host, config.mqtt.port)


def _home_assistant(url: str) -> Finding:
    parts = urlsplit(url)
    return _answers(
        "home_assistant", parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    )


def _answers(part: str, host: str, port: int) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS):
            return Finding(part, True, f"{host}:{port} answers")
    except OSError as error:
        return Finding(part, False, f"{host}:{port} does not answer ({error}); is it running?")

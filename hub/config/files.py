"""From a configuration directory to a configuration, or to all of its problems at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from hub.config import hub_config
from hub.config.hub_config import HubConfig
from hub.config.secret_tags import fill_secrets
from hub.errors import ConfigError
from routines.facts import Json
from routines.load import load_routine_document
from routines.positions import YamlDocument, field_names, parse_yaml, problems_from
from routines.problems import Problem
from routines.routine import Routine

HUB_FILE = "hub.yaml"
SECRETS_FILE = "secrets.yaml"

_WORDS = field_names(
    *(
        model
        for model in vars(hub_config).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """The whole configuration: the hub's settings and the routines of all files."""

    hub: HubConfig
    routines: list[Routine]


def default_directory() -> Path:
    """Return where the user's configuration lies unless ``--config`` says otherwise."""
    import platformdirs

    return Path(platformdirs.user_config_dir("roomwise"))


def load_config(directory: Path) -> LoadedConfig:
    """Load ``hub.yaml``, ``secrets.yaml`` and ``routines/*.yaml``.

    Raises
    ------
    hub.errors.ConfigError
        With every problem of every file.
    """
    hub, problems, read = check_config(directory)
    if problems or read.problems or hub is None:
        raise ConfigError([*problems, *read.problems])
    return LoadedConfig(hub=hub, routines=read.routines)


def check_config(directory: Path) -> tuple[HubConfig | None, list[Problem], ReadRoutines]:
    """Return the hub's settings, their problems, and the routines with theirs."""
    read = read_routine_files(directory / "routines")
    if not (directory / HUB_FILE).is_file():
        hint = "create it (an empty mapping, {}, is enough) or pass --config DIR"
        return None, [_problem(directory / HUB_FILE, "there is no such file", hint)], read
    secrets, problems = load_secrets(directory / SECRETS_FILE)
    hub, hub_problems = _load_hub(directory / HUB_FILE, secrets)
    return hub, [*problems, *hub_problems], read


@dataclass(frozen=True, slots=True)
class Place:
    """Where a routine stands: its file, and its number in it."""

    document: YamlDocument
    number: int

    def problem(self, path: Sequence[str | int], message: str, hint: str = "") -> Problem:
        """Return a problem at a path inside the routine."""
        return self.document.problem(["routines", self.number, *path], message, hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRoutines:
    """The routines of several files, all problems, and where each routine stands."""

    routines: list[Routine] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)


def read_routine_files(path: Path) -> ReadRoutines:
    """Return the routines of a file, or of a folder's ``*.yaml``, with their places and all problems."""
    read = ReadRoutines()
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path.exists() else []:
        text = _read(file)
        if isinstance(text, Problem):
            read.problems.append(text)
            continue
        loaded = load_routine_document(text, str(file))
        read.problems.extend(loaded.problems)
        for number, routine in enumerate(loaded.routines):
            assert loaded.document is not None  # where there are routines, there is the file they are from
            place = Place(loaded.document, number)
            first = read.places.setdefault(routine.id, place)
            if first is not place:
                there = first.problem(["id"], "")
                message = f"the routine '{routine.id}' is already at {there.file}:{there.line}"
                read.problems.append(place.problem(["id"], message, "give each its own id"))
            read.routines.append(routine)
    return read


def load_routine_files(path: Path) -> tuple[list[Routine], list[Problem]]:
    """Return the routines of a file or folder, and all problems; see `read_routine_files`."""
    read = read_routine_files(path)
    return read.routines, read.problems


def load_secrets(path: Path) -> tuple[dict[str, str], list[Problem]]:
    """Return the secrets by name; a file that others may read is a problem."""
    if not path.exists():
        return {}, []
    problems: list[Problem] = []
    if os.name == "posix" and path.stat().st_mode & 0o077:
        problems.append(_problem(path, "other users of this machine may read it", f"chmod 600 {path}"))
    document = _parse(path)
    if isinstance(document, Problem):
        return {}, [*problems, document]
    if document.data is None:
        return {}, problems
    if not isinstance(document.data, dict):
        return {}, [*problems, document.problem([], "secrets are lines like  name: value")]
    secrets: dict[str, str] = {}
    for name, value in document.data.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            secrets[name] = str(value)
        else:
            problems.append(document.problem([name], f"the secret '{name}' is not text", "put it in quotes"))
    return secrets, problems


def _load_hub(path: Path, secrets: dict[str, str]) -> tuple[HubConfig | None, list[Problem]]:
    document = _parse(path)
    if isinstance(document, Problem):
        return None, [document]
    data: Json = {} if document.data is None else document.data
    data, problems = fill_secrets(document, path.read_text(encoding="utf-8"), data, secrets)
    try:
        return HubConfig.model_validate(data), problems
    except ValidationError as error:
        return None, problems + sorted(problems_from(error, document, _WORDS))


def _parse(path: Path) -> YamlDocument | Problem:
    text = _read(path)
    return text if isinstance(text, Problem) else parse_yaml(text, str(path))


def _read(path: Path) -> str | Problem:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return _problem(path, "the file is not UTF-8 text", "save it as UTF-8")
    except OSError as error:
        return _problem(path, f"the file cannot be read ({error.strerror})", "check its permissions")


def _problem(path: Path, message: str, hint: str) -> Problem:
    return Problem(file=str(path), line=1, column=1, message=message, hint=hint)

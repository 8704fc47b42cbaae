"""The ``roomwise`` command: finds the verb, loads only that, and words errors for people."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import typer

from hub.errors import BadInput, ConfigError, Degraded
from sensing.errors import ModelDamaged

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What a wrong verb or option raises; typer has no public name for it."""


class _Verb(NamedTuple):
    """Where a verb's code is, and its line in the help."""

    target: str
    help: str
    is_group: bool = False


VERBS = {
    "demo": _Verb("hub.cli.demo:demo", "Show the whole system in a simulated room; needs no hardware."),
    "run": _Verb("hub.cli.run:run", "Run the hub until it is told to stop."),
    "check": _Verb("hub.cli.check:check", "Check configuration and routines; every problem with its place."),
    "devices": _Verb("hub.cli.devices:devices", "List sound cards and what they can do."),
    "calibrate": _Verb("hub.cli.calibrate:calibrate", "Choose the carrier and its level for this hardware."),
    "presence": _Verb(
        "hub.cli.presence:presence", "Find presence in a recording with an ultrasonic carrier."
    ),
    "listen": _Verb("hub.cli.listen:listen", "Find wake word, speech and intent in a recording."),
    "wake": _Verb("hub.cli.wake:app", "Teach the hub a wake word, and measure one.", is_group=True),
    "routine": _Verb("hub.cli.routine:app", "Check, test and simulate routines.", is_group=True),
    "spatial": _Verb("hub.cli.spatial:app", "Design and render spatial sound.", is_group=True),
    "play": _Verb("hub.cli.play:play", "Play music: files, folders, playlists and radios."),
    "simulate": _Verb(
        "hub.cli.simulate:simulate", "Render a simulated room to a recording with ground truth."
    ),
    "status": _Verb("hub.cli.status:status", "Show the health of the running hub."),
    "doctor": _Verb("hub.cli.doctor:doctor", "Show everything that a bug report needs, without secrets."),
}


def main() -> None:
    """Run the command line and end with its exit status: 0 well, 2 wrong input."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run a verb; return the exit status.

    Wrong input becomes one line a problem on stderr. Anything unexpected is a fault of ours and
    propagates with its traceback.
    """
    app = build_app(next((one for one in arguments if not one.startswith("-")), None))
    try:
        status = app(list(arguments) or ["--help"], prog_name="roomwise", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except typer.BadParameter as error:  # an argument is missing or wrong: only this names it
        _complain(f"{error.format_message()} See: roomwise --help")
        return 2
    except _UsageError as error:
        message = str(getattr(error, "message", error))
        # Help that is shown because a group was called without a verb keeps its lines.
        if message.startswith("Usage:"):
            print(message, file=sys.stderr)
        else:
            _complain(f"{message} See: roomwise --help")
        return 2
    except typer.Abort:
        return 130
    except ConfigError as error:
        for problem in error.problems:
            _complain(str(problem))
        return 2
    except (BadInput, Degraded, ModelDamaged) as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:
        # The reader, such as head, has seen enough.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - lives until exit
        return 0


def build_app(chosen: str | None) -> typer.Typer:
    """Return the command line with the code of one verb loaded, of the others only the help."""
    app = typer.Typer(
        help="A smart-home hub that senses, hears, speaks and acts, all at home.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_nothing)
    for name, verb in VERBS.items():
        if name != chosen:
            app.command(name, help=verb.help)(_nothing)
        elif verb.is_group:
            app.add_typer(_load_group(verb), name=name, help=verb.help)
        else:
            app.command(name, help=verb.help)(_load(verb))
    return app


def _nothing() -> None:
    """Stand for a verb that was not asked for; only its help is shown."""


def _load(verb: _Verb) -> Callable[..., None]:
    module, _, attribute = verb.target.partition(":")
    function: Callable[..., None] = getattr(importlib.import_module(module), attribute)
    return function


def _load_group(verb: _Verb) -> typer.Typer:
    module, _, attribute = verb.target.partition(":")
    group = getattr(importlib.import_module(module), attribute)
    if not isinstance(group, typer.Typer):
        raise TypeError(f"{verb.target} is not a group of verbs")
    return group


def _complain(message: str) -> None:
    print(" ".join(message.splitlines()), file=sys.stderr)


if __name__ == "__main__":
    main()

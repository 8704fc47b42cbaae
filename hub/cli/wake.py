"""``roomwise wake train`` and ``wake eval``: a wake word of one's own, and how often a wake word errs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.json_lines import print_json
from hub.errors import BadInput
from routines.facts import Json

if TYPE_CHECKING:
    from sensing.training.own_wake_word import Measured

app = typer.Typer(help="Teach the hub a wake word, and measure one.", no_args_is_help=True)

_LEAST_LETTERS = 4


@app.command()
def train(
    phrase: Annotated[str, typer.Argument(help="One to four words; long and unusual ones err least.")],
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of recordings that say the phrase once each.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the head instead of where the hub looks for it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Learn a phrase from its text, in minutes, and tell how often it is missed and imagined."""
    from rich.console import Console
    from rich.progress import Progress

    from hub.wake_recordings import recordings_in, sound_of
    from hub.wake_words import wake_folder, write_own_head
    from sensing.training.own_wake_word import train_own

    said = _phrase(phrase)
    sounds = [sound_of(path) for path in recordings_in(recordings)] if recordings is not None else []
    folder = out or wake_folder()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"learning {said!r}", total=1.0)
        try:
            made = train_own(said, recordings=sounds, told=lambda share: bar.update(task, completed=share))
        except RuntimeError as error:
            raise BadInput(f"{said!r}: cannot be spoken ({error}); choose another phrase") from error
    figures = _figures(made.measured)
    model = write_own_head(folder, said, made.head.export, threshold=made.threshold, figures=figures)
    end: dict[str, Json] = {"event": "end", "phrase": said, "threshold": made.threshold, "model": str(model)}
    if json:
        print_json(end | figures)
    else:
        _print_training(said, model, figures)


@app.command("eval")
def evaluate(
    phrase: Annotated[str, typer.Option(help="A phrase that has a head.")],
    recordings: Annotated[Path, typer.Option(help="Folder or CSV table of labelled recordings.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
) -> None:
    """Tell how often a phrase is missed, and how often other sound is taken for it."""
    from rich.console import Console
    from rich.progress import track

    from hub.wake_recordings import labelled
    from hub.wake_trial import WakeTrial
    from hub.wake_words import make_verifier, make_wake_word, wake_folder
    from sensing.speech.wake_heads import find_head

    said = _phrase(phrase)
    trial = WakeTrial(make_wake_word(said), find_head(said, wake_folder()).threshold, make_verifier())
    found = labelled(recordings, said)
    bar = track(found, "listening", console=Console(stderr=True), disable=not sys.stderr.isatty())
    for one in bar:
        trial.hear(one)
    for threshold in trial.thresholds:
        line: dict[str, Json] = {"event": "threshold", **trial.figures(threshold)}
        print_json(line) if json else _print_threshold(line, is_used=threshold == trial.threshold)
    end: dict[str, Json] = {"event": "end", "phrase": said, **trial.figures(trial.threshold)}
    if json:
        print_json(end)
    else:
        _print_end(end)


def _phrase(given: str) -> str:
    """Return a phrase in small letters with single spaces.

    Raises
    ------
    BadInput
        It cannot be a wake word.
    """
    words = given.lower().split()
    if not all(word.replace("'", "").isalpha() for word in words) or not 1 <= len(words) <= 4:
        raise BadInput(f"{given!r} is no wake word; write one to four words in letters alone")
    if sum(map(len, words)) < _LEAST_LETTERS:
        raise BadInput(f"{given!r} is too short; it would be heard everywhere, choose a longer phrase")
    return " ".join(words)


def _figures(measured: Measured) -> dict[str, Json]:
    """Return what was measured, with 95 % bounds."""
    from sensing.share_interval import share_interval
    from sensing.speech.wake_errors import rate_at_most

    low, high = share_interval(measured.missed, measured.said)
    figures: dict[str, Json] = {
        "said": measured.said,
        "missed": measured.missed,
        "missed_percent": 100 * measured.missed / measured.said,
        "missed_percent_at_least": 100 * low,
        "missed_percent_at_most": 100 * high,
        "recordings": measured.recordings,
        "recordings_missed": measured.recordings_missed,
        "hours": measured.hours,
        "false_accepts": measured.false_accepts,
        "false_accepts_per_hour": measured.false_accepts / measured.hours,
        "false_accepts_per_hour_at_most": rate_at_most(measured.false_accepts, measured.hours),
        "near": measured.near,
        "near_accepted": measured.near_accepted,
    }
    return figures


def _print_training(phrase: str, model: Path, figures: dict[str, Json]) -> None:
    print(f"{phrase!r}: measured on voices, rooms and readers that were not learnt")
    print(
        f"  missed          {figures['missed']} of {figures['said']} "
        f"({figures['missed_percent_at_least']:.1f} to {figures['missed_percent_at_most']:.1f} %)"
    )
    if figures["recordings"]:
        print(
            f"  your recordings {figures['recordings_missed']} of {figures['recordings']} renderings missed"
        )
    print(
        f"  false accepts   {figures['false_accepts']} in {figures['hours']:.2f} h of other speech "
        f"(under {figures['false_accepts_per_hour_at_most']:.1f} an hour)"
    )
    print(f"  similar words   {figures['near_accepted']} of {figures['near']} taken for it")
    print(f"Kept in {model}; the hub listens for it with speech.wake_word: {phrase}")


def _print_threshold(line: dict[str, Json], *, is_used: bool) -> None:
    mark = "*" if is_used else " "
    print(
        f"{mark} {line['threshold']:6.3f}  missed {line['missed_percent']:5.1f} %"
        f"  false accepts {line['false_accepts']}"
    )


def _print_end(end: dict[str, Json]) -> None:
    print(
        f"{end['phrase']!r}: {end['missed']} of {end['said']} missed "
        f"({end['missed_percent_at_least']:.1f} to {end['missed_percent_at_most']:.1f} %), "
        f"{end['false_accepts']} false accepts in {end['hours']:.2f} h"
    )
    if end["false_accepts_per_hour_at_most"] is not None:
        print(f"  that is under {end['false_accepts_per_hour_at_most']:.2f} an hour (95 %)")

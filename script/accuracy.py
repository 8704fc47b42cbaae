"""How well the house hears: wake word and commands on recordings of people who trained neither."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from hub.hearing import BUILT_IN_SENTENCES, make_recognizer, read_phrases, understand
from routines.phrases import Match, Phrasebook
from sensing.audio_block import AudioBlock
from sensing.dsp.loudness import loud_rms
from sensing.observations import WakeWordHeard
from sensing.speech.listener import Listener
from sensing.speech.recognizer import Hypothesis, SpeechRecognizer
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import RATE_HZ, Recording, Sound, spoken

DATA = Path(os.environ.get("ROOMWISE_DATA", "../shared/data"))


class NoRecognizer:
    """Understands nothing: only the wake word is measured."""

    def reset(self) -> None:
        """Nothing is kept."""

    def feed(self, samples: Sound) -> None:
        """Nothing is heard."""

    def finish(self) -> list[Hypothesis]:
        """Return nothing."""
        return []


def wakes(sound: Sound, wake: WakeWord) -> int:
    """Return how often the whole listener wakes."""
    listener = Listener(rate_hz=RATE_HZ, wake=wake, recognizer=NoRecognizer())
    block = AudioBlock(first_frame=0, rate_hz=RATE_HZ, capture=sound[None], reference=sound[None, :0])
    return sum(isinstance(one, WakeWordHeard) for one in listener.process(block) + listener.finish())


def in_noise(sound: Sound, noise: Sound, ratio_db: float, first: int) -> Sound:
    """Return speech in noise, the ratio taken over the loudest fifth of the speech."""
    piece = np.take(noise, np.arange(first, first + len(sound)), mode="wrap")
    gain = loud_rms(sound) / np.sqrt(np.square(piece).mean()) / 10 ** (ratio_db / 20)
    return np.asarray(sound + gain * piece, np.float32)


def wake_word() -> dict[str, object]:
    """Return misses of the test speakers and false accepts on the other speech of test speakers."""
    wake = WakeWord()
    heard = [one for one in spoken(DATA / "wakeword", "keyword") if one.part == "test"]
    own = [one for one in heard if one.label == "computer"]
    other = [one for one in heard if "computer" not in one.label]
    other += [one for one in spoken(DATA / "speech", "transcript") if one.part == "test"]
    kitchen = Recording(
        path=DATA / "noise/home/kitchen_s2i.opus", label="", speaker="", origin="", licence=""
    )
    noise = kitchen.read()
    quiet = [wakes(one.read(), wake) for one in own]
    noisy = [
        wakes(in_noise(one.read(), noise, 10, 7_919 * index), wake)
        for index, one in enumerate(track_all(own * 3, "wake word in noise"))
    ]
    sounds = [one.read() for one in other]
    false = sum(wakes(sound, wake) for sound in track_all(sounds, "other speech"))
    return {
        "wake_words": len(own),
        "wake_missed_percent": percent(count == 0 for count in quiet),
        "wake_missed_percent_kitchen_10_db": percent(count == 0 for count in noisy),
        "other_speech_hours": round(sum(map(len, sounds)) / RATE_HZ / 3_600, 2),
        "false_accepts": false,
    }


def commands() -> dict[str, object]:
    """Return how many coffee orders are wholly right, and what is taken for a command that is none."""
    coffee = read_phrases(DATA / "commands" / "coffee.yaml", [])
    home = read_phrases(BUILT_IN_SENTENCES, [])
    barista, butler = make_recognizer(coffee), make_recognizer(home)
    with (DATA / "commands" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    orders = [row for row in rows if row["slots_json"]]
    others = [row for row in rows if not row["slots_json"]]
    read_aloud = [one for one in spoken(DATA / "speech", "transcript") if one.part == "test"][::4]
    right = wrong = 0
    for row in track_all(orders, "coffee orders"):
        meaning = meant(sound_of(row["file"]), coffee, barista)
        is_right = meaning is not None and dict(meaning.slots) == json.loads(row["slots_json"])
        right, wrong = right + is_right, wrong + (meaning is not None and not is_right)
    strangers = [sound_of(row["file"]) for row in others] + [one.read() for one in read_aloud]
    taken = [meant(sound, coffee, barista) for sound in track_all(strangers, "no orders")]
    asked = [sound_of(row["file"]) for row in orders][::4] + [one.read() for one in read_aloud]
    taken_home = [meant(sound, home, butler) for sound in track_all(asked, "no commands of a home")]
    return {
        "coffee_orders": len(orders),
        "orders_right_percent": round(100 * right / len(orders), 1),
        "orders_wrong_percent": round(100 * wrong / len(orders), 1),
        "not_orders": len(strangers),
        "taken_for_an_order_percent": percent(one is not None for one in taken),
        "not_home_commands": len(asked),
        "taken_for_a_home_command_percent": percent(one is not None for one in taken_home),
    }


def sound_of(file: str) -> Sound:
    """Return a recording of commands; all are mono at 16 kHz."""
    return soundfile.read(DATA / "commands" / file, dtype="float32")[0]


def meant(sound: Sound, phrases: Phrasebook, recognizer: SpeechRecognizer) -> Match | None:
    """Return what the house would act on."""
    recognizer.feed(sound)
    found = recognizer.finish()
    return understand(phrases, found[0].text, found[0].confidence) if found else None


def percent(flags: Iterable[bool]) -> float:
    """Return the share of true flags."""
    return round(100 * float(np.mean(list(flags))), 1)


def track_all(items: list, what: str) -> Iterable:
    """Return the items with a progress bar on a terminal."""
    return track(items, what, console=Console(stderr=True), disable=not sys.stderr.isatty())


def main() -> None:
    """Measure everything and print it."""
    if not DATA.is_dir():
        sys.exit(f"no recordings at {DATA} (set ROOMWISE_DATA)")
    result = wake_word() | commands()
    table = Table("measured", "value")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console(stderr=True).print(table)
    print(json.dumps(result))


main()

"""Show what each threshold of a wake word costs on the validation part, to choose those in its card.

    python -m script.voice.thresholds --data ../shared/data [--hours 1] [PHRASE ...]

For each score of the head: calls that the head misses, clean and in a kitchen at 10 dB; what the verifier
may ask for if it shall confirm each of the others with a nat to spare; how often the house would then take
other speech for the phrase, that of people and that of machines that talk without end.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from hub.wake_trial import verdict
from hub.wake_words import make_verifier
from routines.facts import Json
from script.voice import false_accepts, wake
from sensing.speech.speech_stages import CHUNK_FRAMES, RATE_HZ
from sensing.speech.verification import Verifier
from sensing.speech.wake_errors import THRESHOLDS, accepts
from sensing.speech.wake_word import WakeWord
from sensing.training.recordings import Sound

MARGIN_NATS = 1.0
"""How much worse than the worst call of the validation part another call may be."""


def main() -> None:
    """Print a table of each phrase as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("phrases", nargs="*", default=wake.PHRASES, help="all that ship unless told")
    options.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    options.add_argument("--hours", type=float, default=1.0, help="of each kind of machines' talk")
    given = options.parse_args()
    verifier = make_verifier()
    for phrase in given.phrases:
        ears = WakeWord(phrase), verifier
        calls = [sound for _, sound in wake.clean(given.data, phrase, "validation")]
        loud_calls = [sound for _, sound in wake.in_kitchen(given.data, phrase, "validation")]
        print(
            json.dumps(
                {"phrase": phrase}
                | _table(
                    clean=[found(*ears, sound) for sound in calls],
                    kitchen=[found(*ears, sound) for sound in loud_calls],
                    people=Other(*ears, _people(given.data, phrase)),
                    machines=Other(*ears, _machines(given.data, given.hours)),
                ),
                indent=1,
            )
        )


Found = dict[float, list[float]]
"""For each score of the head, what the verifier says of each place that reaches it, in nats a phone."""


class Other:
    """What is found in sounds that do not say the phrase, and how long they are."""

    def __init__(self, head: WakeWord, verifier: Verifier, sounds: Iterable[Sound]) -> None:
        self.hours = 0.0
        self.found = defaultdict[float, list[float]](list)
        for sound in sounds:
            self.hours += len(sound) / RATE_HZ / 3_600
            for threshold, nats in found(head, verifier, sound).items():
                self.found[threshold] += nats

    def an_hour(self, threshold: float, least_nats: float) -> float:
        """Return how often an hour the house would wake."""
        return sum(nats >= least_nats for nats in self.found[threshold]) / self.hours


def found(head: WakeWord, verifier: Verifier, sound: Sound) -> Found:
    """Return what a head finds in a sound, and what the verifier says of it."""
    head.reset()
    whole = np.pad(sound, (0, -len(sound) % CHUNK_FRAMES))
    scores = head.scores(whole)[:, 0]
    places = {threshold: accepts(scores, threshold) for threshold in THRESHOLDS}
    distinct = {chunk for some in places.values() for chunk in some}
    nats = {chunk: verdict(verifier, whole, chunk, head.phrase).score for chunk in distinct}
    return {threshold: [nats[chunk] for chunk in some] for threshold, some in places.items()}


def _table(*, clean: list[Found], kitchen: list[Found], people: Other, machines: Other) -> dict[str, Json]:
    rows: list[Json] = []
    for threshold in THRESHOLDS:
        calls = [max(one[threshold]) for one in (*clean, *kitchen) if one[threshold]]
        least_nats = min(calls, default=0.0) - MARGIN_NATS
        rows.append(
            {
                "threshold": threshold,
                "missed_clean": sum(not one[threshold] for one in clean),
                "missed_kitchen": sum(not one[threshold] for one in kitchen),
                "least_nats": round(least_nats, 2),
                "people_an_hour": round(people.an_hour(threshold, least_nats), 2),
                "machines_an_hour": round(machines.an_hour(threshold, least_nats), 2),
                "machines_an_hour_by_head": round(machines.an_hour(threshold, -np.inf), 2),
            }
        )
    return {
        "clean": len(clean),
        "kitchen": len(kitchen),
        "people_hours": round(people.hours, 2),
        "machines_hours": round(machines.hours, 2),
        "thresholds": rows,
    }


def _people(data: Path, phrase: str) -> Iterator[Sound]:
    return (one.read() for one in wake.others(data, phrase, "validation"))


def _machines(data: Path, hours: float) -> Iterator[Sound]:
    for kind in (false_accepts.NEW_TO_HEADS, false_accepts.NEW_TO_ALL):
        if false_accepts.voices_for("validation", kind):
            for number in range(round(hours * false_accepts.SCENES_AN_HOUR)):
                yield false_accepts.scene(data, "validation", kind, number)


if __name__ == "__main__":
    main()

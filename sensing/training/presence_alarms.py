"""The false-alarm table: how often networks take an empty room for an occupied one, on the same hours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from sensing.simulation.baseband.scene import Scene
from sensing.training.job_pool import worked
from sensing.training.presence_nuisances import NUISANCES, Split
from sensing.training.presence_scenes import draw_empty_hour
from sensing.training.presence_trial import entries, frames_of
from sensing.ultrasound.doppler_features import HOP_SECONDS
from sensing.ultrasound.motion_network import MotionNetwork
from sensing.ultrasound.presence import PresenceFilter

FAMILIES = tuple(kind for kind in NUISANCES if kind not in ("quiet", "pet", "door", "vacuum"))
"""What must not be taken for somebody; pets, doors and vacuums are too much like people."""
HOLD_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfAlarms:
    """What each network made of an hour without anybody: false presences, and the highest major score."""

    kind: str
    presences: tuple[int, ...]
    tops: tuple[float, ...]


def poisson_upper(events: int, days: float) -> float:
    """Return the 95 % upper bound of a rate a day (Garwood, Biometrika 28, 1936)."""
    return float(chi2.ppf(0.95, 2 * events + 2) / 2 / days)


def judged_hour(scene: Scene, kind: str, networks: Sequence[MotionNetwork]) -> HourOfAlarms:
    """Return what networks and the presence filter make of an hour; it is rendered once for all."""
    filters = [PresenceFilter(hold_seconds=HOLD_SECONDS, hop_seconds=HOP_SECONDS) for _ in networks]
    presences, tops = [0] * len(networks), [0.0] * len(networks)
    for network in networks:
        network.reset()
    for frames in frames_of(scene):
        for index, network in enumerate(networks):
            scores = network.score(frames)
            presences[index] += entries(frames, scores, filters[index])
            tops[index] = max([tops[index], *(score.major for score in scores)])
    return HourOfAlarms(kind=kind, presences=tuple(presences), tops=tuple(tops))


def _judge_file(job: tuple[Path, tuple[Path, ...], Split, str, int]) -> None:
    path, models, split, kind, number = job
    if path.exists():
        return
    scene = draw_empty_hour(split, number, nuisance=kind)
    hour = judged_hour(scene, kind, [MotionNetwork(model) for model in models])
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps({"kind": kind, "presences": hour.presences, "tops": hour.tops}))
    draft.replace(path)


def judged_hours(
    work: Path, models: Sequence[Path], split: Split, hours: int, processes: int
) -> list[HourOfAlarms]:
    """Return ``hours`` hours of each of `FAMILIES`, rendered where that was not done for these models."""
    name = hashlib.sha256(b"".join(model.read_bytes() for model in models)).hexdigest()[:8]
    folder = work / f"alarms-{split}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (folder / f"{kind}-{number:05}.json", tuple(models), split, kind, number)
        for number in range(hours)
        for kind in FAMILIES
    ]
    for _ in worked(_judge_file, jobs, f"empty hours to {split}", processes=processes):
        pass
    found = [json.loads(path.read_text()) for path, *_ in jobs]
    return [
        HourOfAlarms(kind=one["kind"], presences=tuple(one["presences"]), tops=tuple(one["tops"]))
        for one in found
    ]


def alarm_table(hours: Sequence[HourOfAlarms], names: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return false presences of each family by network, with the bound of the rate a day."""
    table: dict[str, dict[str, object]] = {}
    for kind in FAMILIES:
        here = [hour for hour in hours if hour.kind == kind]
        days = len(here) / 24
        table[kind] = {"hours": len(here)}
        for index, name in enumerate(names):
            events = sum(hour.presences[index] for hour in here)
            table[kind][name] = {
                "false_presences": events,
                "a_day_at_most": round(poisson_upper(events, days), 2),
                "highest_major": round(float(np.max([hour.tops[index] for hour in here])), 3),
                "hours_with_major_above_half": sum(hour.tops[index] > 0.5 for hour in here),
            }
    return table

"""How long the tone sounds on a typical day, and what resting costs: duty, late entries, lost people.

    script/bench emission [--days 5]

One person, eight hours at home a day in stretches; somebody who sits moves each 25 s on average, and 0.6 of
that is seen, walking always. A hop counts once the tone has rung for ramp, room, filter and window. An entry
takes nine such hops; presence ends after 180 s of heard stillness.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from sensing.ultrasound.emission_plan import EmissionPlan, Power
from sensing.ultrasound.emission_watch import SETTLE_SECONDS
from sensing.ultrasound.emitter import RAMP_SECONDS

HOP_SECONDS = 0.05
HOPS_A_DAY = round(86_400 / HOP_SECONDS)
AT_HOME_HOURS = ((6.5, 8.0), (12.5, 13.25), (17.0, 19.5), (20.0, 23.25))
FIRST_HOP_HOPS = round((RAMP_SECONDS + SETTLE_SECONDS + 0.025 + 0.128) / HOP_SECONDS)
ENTRY_HOPS = 9
HOLD_HOPS = round(180 / HOP_SECONDS)
WALK_HOPS = round(4 / HOP_SECONDS)
GESTURE_HOPS = round(0.5 / HOP_SECONDS)
STIRS_A_SECOND, SEEN_SHARE = 1 / 25, 0.6


@dataclass(kw_only=True)
class Room:
    """What the hub believes of one room, and what came of it."""

    plan: EmissionPlan
    is_present: bool = False
    is_stirring: bool = False
    motion: int | None = None
    rung_hops: int = 0
    moving_hops: int = 0
    quiet_hops: int = 0
    on_hops: int = 0
    came: list[int] = field(default_factory=list)
    went: list[int] = field(default_factory=list)

    def hear(self, now: int, is_moving: bool) -> None:
        """Live through one hop."""
        step = self.plan.step(
            now, is_present=self.is_present, motion_frame=self.motion, is_stirring=self.is_stirring
        )
        self.on_hops += step.is_on
        self.rung_hops = self.rung_hops + 1 if step.is_on else 0
        is_heard = self.rung_hops > FIRST_HOP_HOPS
        self.is_stirring = is_heard and is_moving
        if not is_heard:
            return
        self.moving_hops = self.moving_hops + 1 if is_moving else 0
        self.quiet_hops = 0 if is_moving else self.quiet_hops + 1
        self.motion = now if is_moving else self.motion
        if not self.is_present and self.moving_hops >= ENTRY_HOPS:
            self.is_present = True
            self.came.append(now)
        elif self.is_present and self.quiet_hops >= HOLD_HOPS:
            self.is_present = False
            self.went.append(now)


def stays(days: int, chance: np.random.Generator) -> list[tuple[int, int]]:
    """Return first and last hop of each stay, some minutes early or late each day."""
    hours = [(24 * day + start, 24 * day + end) for day in range(days) for start, end in AT_HOME_HOURS]
    return [
        (round((start + chance.uniform(-0.1, 0.1)) * 3_600 / HOP_SECONDS), round(end * 3_600 / HOP_SECONDS))
        for start, end in hours
    ]


def live(power: Power, days: int) -> dict[str, float]:
    """Return how the plan fares with one person over some days."""
    chance = np.random.default_rng(1)
    at_home = stays(days, chance)
    moves = np.zeros(days * HOPS_A_DAY, bool)
    for first, last in at_home:
        # a gesture lasts half a second
        stirs = np.flatnonzero(chance.random(last - first) < STIRS_A_SECOND * SEEN_SHARE * HOP_SECONDS)
        for stir in first + stirs:
            moves[stir : min(stir + GESTURE_HOPS, last)] = True
        moves[first : first + WALK_HOPS] = moves[last - WALK_HOPS : last] = True
    room = Room(plan=EmissionPlan(rate_hz=round(1 / HOP_SECONDS), power=power, is_allowed=True))
    for now, is_moving in enumerate(moves.tolist()):
        room.hear(now, is_moving)
    came, went = np.array(room.came), np.array(room.went)
    entries = [float(came[(came >= a) & (came < b)].min(initial=b) - a) * HOP_SECONDS for a, b in at_home]
    ends = [went[went >= b] for _, b in at_home]
    delays = [float(end[0] - b) * HOP_SECONDS for end, (_, b) in zip(ends, at_home, strict=True) if len(end)]
    lost = sum(int(((went >= a) & (went < b)).sum()) for a, b in at_home)
    return {
        "duty": room.on_hops / len(moves),
        "entry_p50_seconds": float(np.median(entries)),
        "entry_worst_seconds": max(entries),
        "vacancy_p50_seconds": float(np.median(delays)),
        "vacancy_worst_seconds": max(delays),
        "lost_a_day": lost / days,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=5)
    days = parser.parse_args().days
    powers: tuple[Power, ...] = ("full", "balanced", "low")
    result = {power: live(power, days) for power in powers}
    table = Table("power", *(name.replace("_", " ") for name in result["full"]))
    for power, figures in result.items():
        table.add_row(power, *(f"{value:.2f}" for value in figures.values()))
    Console(stderr=True).print(table)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

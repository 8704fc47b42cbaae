"""Say in sentences why something happened, or why it did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from routines.outputs import RunEnded, Step, Verdict, VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The last time that a routine acted on an entity."""

    at: datetime
    routine: str
    alias: str | None
    action: str
    reason: str


_DID: dict[VerdictKind, str] = {
    "fired": "ran",
    "caught_up": "ran late",
    "suppressed": "did not run: it had just run and is suppressed for a while",
    "condition_false": "did not run: a condition did not hold",
    "mode_dropped": "did not run: its mode does not allow another run now",
    "unavailable_ignored": "did not run: the change came from or went to a state that says nothing",
    "outside_active": "did not run: it is outside its active window",
    "held_not_long_enough": "did not run: what it waits for did not last long enough",
    "disabled": "did not run: it is disabled",
    "cannot_decide": "did not run: something that it needs to know is not known",
    "skipped_late": "did not run: the hub was down when it fell due, and it was too late to catch up",
    "unsure": "did not run: it was not heard surely enough",
    "declined": "did not run: somebody said no when the hub asked back",
}
_VERBS = {
    "turn_on": "turned on",
    "turn_off": "turned off",
    "toggle": "switched over",
    "open_cover": "opened",
    "close_cover": "closed",
    "lock": "locked",
    "unlock": "unlocked",
    "set_temperature": "set",
    "media_play": "started",
    "media_pause": "paused",
    "media_stop": "stopped",
}


def explain_touch(name: str, touch: Touch, timezone: ZoneInfo) -> str:
    """Return why an entity is as it is: "The lamp was turned off at 21:10 by …, because …"."""
    verb = _VERBS.get(touch.action.partition(".")[2], f"changed ({touch.action})")
    who = touch.alias or touch.routine
    at = touch.at.astimezone(timezone)
    return f"The {name} was {verb} at {at:%H:%M} by {who}, because {touch.reason}"


def explain_verdict(verdict: Verdict, timezone: ZoneInfo) -> str:
    """Return a verdict as a sentence."""
    at = verdict.at.astimezone(timezone)
    did = _DID[verdict.verdict]
    return f"{at:%Y-%m-%d %H:%M:%S}  {verdict.routine} {did} ({verdict.trigger}: {verdict.reason})"


def explain_run(run: RunEnded, timezone: ZoneInfo) -> Sequence[str]:
    """Return a run as sentences: why it started, what it did, how it ended."""
    started = run.started_at.astimezone(timezone)
    lines = [f"{started:%Y-%m-%d %H:%M:%S}  {run.routine} ran because {run.reason}"]
    lines += [f"    {line}" for line in _steps(run.trace, timezone)]
    why = f": {run.why}" if run.why else ""
    lines.append(f"    it {_ENDS[run.result]} at {run.at.astimezone(timezone):%H:%M:%S}{why}")
    return lines


_ENDS = {"finished": "finished", "failed": "failed", "stopped": "was stopped"}


def _steps(trace: Iterable[Step], timezone: ZoneInfo) -> Iterable[str]:
    for step in trace:
        result = "" if step.result == "ok" else f" - {step.result}"
        yield f"{step.at.astimezone(timezone):%H:%M:%S}  {step.what}{result}"

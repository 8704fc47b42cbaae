"""A run: the actions of a routine as a generator of effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from routines.decide import CannotDecide, all_hold
from routines.effects import CallService, Effect, Outcome, Play, Publish, Say, WaitUntil
from routines.home import Home
from routines.outputs import RunResult, Step
from routines.vocabulary.actions import (
    Action,
    CallAction,
    ChooseAction,
    DelayAction,
    PlayAction,
    PublishAction,
    SayAction,
)

Steps = Generator[Effect, Outcome, None]


class ActionFailed(Exception):
    """An action failed and does not say ``continue_on_error``."""


@dataclass(kw_only=True)
class RunContext:
    """What a run may look at, and the trace it leaves."""

    home: Home
    timezone: ZoneInfo
    now: Callable[[], datetime]
    trace: list[Step] = field(default_factory=list)

    def note(self, what: str, result: str) -> None:
        """Add a line to the trace."""
        self.trace.append(Step(at=self.now(), what=what, result=result))


def run(actions: Sequence[Action], context: RunContext) -> Generator[Effect, Outcome, RunResult]:
    """Yield the effects of a routine one after the other, and be sent how each went."""
    try:
        yield from _sequence(actions, context, "actions")
    except ActionFailed:
        return "failed"
    return "finished"


def _sequence(actions: Sequence[Action], context: RunContext, path: str) -> Steps:
    for index, action in enumerate(actions):
        where = f"{path}[{index}]"
        if not action.enabled:
            context.note(where, "skipped: not enabled")
        elif isinstance(action, ChooseAction):
            yield from _choose(action, context, where)
        else:
            effect = _effect(action, context.now())
            outcome = yield effect
            context.note(f"{where} {_summary(effect)}", "ok" if outcome.ok else f"failed: {outcome.error}")
            if not outcome.ok and not action.continue_on_error:
                raise ActionFailed(where)


def _choose(action: ChooseAction, context: RunContext, where: str) -> Steps:
    for index, choice in enumerate(action.choose):
        path = f"{where}.choose[{index}]"
        try:
            holds = all_hold(
                choice.conditions,
                f"{path}.conditions",
                home=context.home,
                now=context.now(),
                timezone=context.timezone,
            )
        except CannotDecide as error:
            context.note(path, f"cannot decide: {error}")
            if not action.continue_on_error:
                raise ActionFailed(path) from error
            continue
        if holds:
            context.note(path, "taken")
            yield from _sequence(choice.sequence, context, f"{path}.sequence")
            return
    yield from _sequence(action.default, context, f"{where}.default")


def _effect(
    action: CallAction | PublishAction | SayAction | PlayAction | DelayAction, now: datetime
) -> Effect:
    match action:
        case CallAction(action=name, target=target, data=data):
            return CallService(action=name, target=target, data=data)
        case PublishAction(publish=message):
            return Publish(
                topic=message.topic, payload=message.payload, retain=message.retain, qos=message.qos
            )
        case SayAction(say=text, room=room):
            return Say(text=text, room=room)
        case PlayAction(play=source, room=room, volume=volume):
            return Play(source=source, room=room, volume=volume)
        case DelayAction(delay=delay):
            return WaitUntil(until=now + delay)
        case _:
            assert_never(action)


def _summary(effect: Effect) -> str:
    match effect:
        case CallService(action=action, target=target):
            return f"{action} {json.dumps(target)}"
        case Publish(topic=topic):
            return f"publish {topic}"
        case Say(text=text):
            return f"say {text!r}"
        case Play(source=source):
            return f"play {source}"
        case WaitUntil(until=until):
            return f"wait until {until.isoformat()}"
        case _:
            assert_never(effect)

"""The steps of a run as generators, which begin where their frame says that they left off."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from routines.building import build_effect, summary
from routines.decide import CannotDecide, all_hold, first_false
from routines.effects import Command, Effect, Outcome, effect_from_json, effect_to_json, is_repeatable
from routines.facts import Json
from routines.rounds import items_of, loop_variable, number
from routines.run_context import (
    ActionFailed,
    AuthoringFault,
    AwaitConditions,
    AwaitTrigger,
    Fork,
    Frame,
    Request,
    RunStops,
    Sleep,
    Steps,
    Strand,
    inner,
)
from routines.undo import putting_back
from routines.vocabulary.actions import (
    Action,
    CallAction,
    ChooseAction,
    ConditionAction,
    DelayAction,
    FireEventAction,
    IfAction,
    NotifyAction,
    ParallelAction,
    PerformedAction,
    PlayAction,
    PublishAction,
    RepeatAction,
    Restore,
    RestoreAction,
    RoutineAction,
    SayAction,
    SequenceAction,
    StopAction,
    VariablesAction,
    WaitForAction,
    WaitForTriggerAction,
)
from routines.vocabulary.conditions import Condition
from routines.vocabulary.triggers import Trigger
from routines.waiting import rendered_triggers


def sequence(actions: Sequence[Action], strand: Strand, frame: Frame, path: str) -> Steps:
    """Do actions one after the other, from where the frame says.

    Raises
    ------
    ActionFailed, AuthoringFault, RunStops
        The rest is not done.
    """
    index = frame.get("i", 0)
    index = index if isinstance(index, int) else 0
    while index < len(actions):
        yield from _one(actions[index], strand, inner(frame), f"{path}[{index}]")
        index += 1
        frame["i"], frame["in"] = index, {}


def _one(action: Action, strand: Strand, frame: Frame, where: str) -> Steps:
    strand.run.count_step()
    if not action.enabled:
        strand.run.note(where, "skipped: not enabled")
        return
    try:
        yield from _step(action, strand, frame, where)
    except CannotDecide as error:
        strand.run.note(where, f"cannot decide: {error}")
        if not action.continue_on_error:
            raise ActionFailed(f"cannot decide {error}") from error
    except ActionFailed as error:
        if not action.continue_on_error:
            raise
        strand.run.note(where, f"goes on after: {error}")


def _step(action: Action, strand: Strand, frame: Frame, where: str) -> Steps:
    match action:
        case CallAction() | PublishAction() | SayAction() | PlayAction() | NotifyAction() | FireEventAction():
            yield from _perform(action, strand, frame, where)
        case DelayAction(delay=delay):
            yield from _sleep(strand, frame, delay, where)
        case WaitForTriggerAction() | WaitForAction():
            yield from _wait(action, strand, frame, where)
        case ChooseAction() | IfAction():
            yield from _choose(action, strand, frame, where)
        case RepeatAction():
            yield from _repeat(action, strand, frame, where)
        case ParallelAction():
            yield from _parallel(action, strand, frame, where)
        case SequenceAction(sequence=actions):
            yield from sequence(actions, strand, frame, f"{where}.sequence")
        case ConditionAction(condition=conditions):
            _go_on_if(conditions, strand, where)
        case VariablesAction(variables=variables):
            for name, value in variables.items():
                strand.variables[name] = strand.rendered(value, where)
        case RestoreAction(restore=restore):
            yield from put_back(restore, strand, frame, where)
        case RoutineAction(do=do, routine=routine):
            yield from _effect(Command(do=do, routine=routine), strand, frame, where)
        case StopAction():
            _stop(action, strand, where)
        case _:
            assert_never(action)


def _perform(action: PerformedAction, strand: Strand, frame: Frame, where: str) -> Steps:
    """Perform an action, again after a failure as often as ``retry`` says."""
    while True:
        if "again_at" not in frame:
            effect = _in_hand(frame) or build_effect(action, strand, where)
            outcome = yield from _sent(effect, strand, frame, where)
            if outcome.ok:
                if isinstance(action, CallAction) and action.response_variable is not None:
                    strand.variables[action.response_variable] = outcome.response
                return
            tries = number(frame, "tries") + 1
            frame["tries"] = tries
            if action.retry is None or tries > action.retry.times:
                raise ActionFailed(f"{where} {summary(effect)}: {outcome.error}")
            frame["again_at"] = True
        assert action.retry is not None  # only it makes a frame wait to try again
        yield from _sleep(strand, inner(frame), action.retry.delay, where, quietly=True)
        del frame["again_at"]
        frame["in"] = {}


def _effect(effect: Effect, strand: Strand, frame: Frame, where: str) -> Steps:
    outcome = yield from _sent(_in_hand(frame) or effect, strand, frame, where)
    if not outcome.ok:
        raise ActionFailed(f"{where} {summary(effect)}: {outcome.error}")


def _in_hand(frame: Frame) -> Effect | None:
    """Return the effect that was being performed when the hub went down."""
    sent = frame.get("sent")
    try:
        return effect_from_json(sent) if isinstance(sent, dict) else None
    except ValueError:
        return None


def _sent(effect: Effect, strand: Strand, frame: Frame, where: str) -> Generator[Request, Outcome, Outcome]:
    """Yield an effect and note how it went.

    The frame says that it is in hand before it is performed, so that a crash leaves no doubt unseen: what may
    be repeated is done again, what may not is not.
    """
    if "sent" in frame and not is_repeatable(effect):
        del frame["sent"]
        strand.run.note(f"{where} {summary(effect)}", "the hub went down meanwhile; it is not done twice")
        return Outcome()
    frame["sent"] = effect_to_json(effect)
    strand.run.touch(effect)
    outcome = yield effect
    del frame["sent"]
    strand.run.note(
        f"{where} {summary(effect)}", "ok" if outcome.ok else f"failed: {outcome.error or 'no reason given'}"
    )
    return outcome


def _sleep(strand: Strand, frame: Frame, delay: float | str, where: str, *, quietly: bool = False) -> Steps:
    until = _instant(frame, "until")
    if until is None:
        until = strand.situation().now + strand.span(delay, where)
        frame["until"] = until.isoformat()
    yield Sleep(until=until)
    if not quietly:
        local = until.astimezone(strand.situation().timezone)
        strand.run.note(f"{where} wait until {local.isoformat(timespec='seconds')}", "ok")


def _wait(action: WaitForTriggerAction | WaitForAction, strand: Strand, frame: Frame, where: str) -> Steps:
    if "waiting" not in frame:
        frame["waiting"] = True
        if action.timeout is not None:
            frame["until"] = (strand.situation().now + strand.span(action.timeout, where)).isoformat()
    until = _instant(frame, "until")
    if isinstance(action, WaitForTriggerAction):
        triggers: Sequence[Trigger] = rendered_triggers(action.wait_for_trigger, strand, where)
        outcome = yield AwaitTrigger(triggers=triggers, until=until, variables=strand.variables)
    else:
        path = f"{where}.wait_for"
        outcome = yield AwaitConditions(
            conditions=action.wait_for, path=path, until=until, variables=strand.variables
        )
    until = _instant(frame, "until")  # the clock may have been set meanwhile
    remaining = None
    if until is not None:
        remaining = max(0.0, (until - strand.situation().now).total_seconds())
    strand.variables["wait"] = {
        "completed": outcome.ok,
        "trigger": outcome.response,
        "remaining": remaining,
    }
    strand.run.note(f"{where} wait", "came true" if outcome.ok else "timed out")
    if not outcome.ok and not action.continue_on_timeout:
        raise RunStops("stopped", f"{where} timed out")


def _choose(action: ChooseAction | IfAction, strand: Strand, frame: Frame, where: str) -> Steps:
    ways = _ways(action, where)
    if "way" not in frame:
        frame["way"] = _way(ways, strand)
    way = frame["way"]
    if not isinstance(way, int):
        return  # which way is right cannot be decided, so none is taken
    otherwise = action.default if isinstance(action, ChooseAction) else action.else_
    if way < 0:
        name = "default" if isinstance(action, ChooseAction) else "else"
        yield from sequence(otherwise, strand, inner(frame), f"{where}.{name}")
    else:
        _, path, actions = ways[way]
        yield from sequence(actions, strand, inner(frame), path)


Way = tuple[tuple[Sequence[Condition], str], str, Sequence[Action]]


def _ways(action: ChooseAction | IfAction, where: str) -> list[Way]:
    if isinstance(action, IfAction):
        return [((action.if_, f"{where}.if"), f"{where}.then", action.then)]
    return [
        ((one.conditions, f"{where}.choose[{n}].conditions"), f"{where}.choose[{n}].sequence", one.sequence)
        for n, one in enumerate(action.choose)
    ]


def _way(ways: Sequence[Way], strand: Strand) -> int | None:
    """Return the first way whose conditions hold, -1 for the last resort, None where that is not known."""
    for index, ((conditions, path), to, _) in enumerate(ways):
        try:
            false = first_false(conditions, path, strand.situation())
        except CannotDecide as error:
            strand.run.note(path, f"cannot decide, so no way is taken: {error}")
            return None
        if false is None:
            strand.run.note(to, "taken")
            return index
        strand.run.note(false, "false")
    return -1


def _repeat(action: RepeatAction, strand: Strand, frame: Frame, where: str) -> Steps:
    if "n" not in frame:
        items = items_of(action, strand, where)
        frame["n"], frame["outer"] = 0, strand.variables.get("repeat")
        if items is not None:
            frame["items"] = items
    try:
        yield from _rounds(action, strand, frame, where)
    finally:
        strand.variables["repeat"] = frame["outer"]  # the loop around this one counts its own rounds


def _rounds(action: RepeatAction, strand: Strand, frame: Frame, where: str) -> Steps:
    loop = action.repeat
    while True:
        if "inside" not in frame:
            if not _goes_round(action, strand, frame, where):
                return
            if number(frame, "n") >= loop.max_iterations:
                raise AuthoringFault(f"{where} went round {loop.max_iterations} times; see max_iterations")
            frame["n"], frame["inside"], frame["in"] = number(frame, "n") + 1, True, {}
        strand.run.count_step()
        strand.variables["repeat"] = loop_variable(frame)
        yield from sequence(loop.sequence, strand, inner(frame), f"{where}.repeat.sequence")
        del frame["inside"]
        until = loop.until
        if until is not None and _holds_surely(until, f"{where}.repeat.until", strand, otherwise=True):
            return


def _goes_round(action: RepeatAction, strand: Strand, frame: Frame, where: str) -> bool:
    items = frame.get("items")
    if isinstance(items, list):
        return number(frame, "n") < len(items)
    condition = action.repeat.while_
    return condition is None or _holds_surely(condition, f"{where}.repeat.while", strand, otherwise=False)


def _holds_surely(conditions: Sequence[Condition], path: str, strand: Strand, *, otherwise: bool) -> bool:
    """Return whether conditions hold; where that is not known, what ends the loop."""
    try:
        return all_hold(conditions, path, strand.situation())
    except CannotDecide as error:
        strand.run.note(path, f"cannot decide, so the loop ends: {error}")
        return otherwise


def _parallel(action: ParallelAction, strand: Strand, frame: Frame, where: str) -> Steps:
    """Go on with each branch that is not done; when all have ended, the first that failed fails the whole."""
    frames = [inner(frame, str(number)) for number in range(len(action.parallel))]
    yield Fork(
        branches={
            number: _branch(one.sequence, strand, own, f"{where}.parallel[{number}]")
            for number, (one, own) in enumerate(zip(action.parallel, frames, strict=True))
            if "done" not in own
        }
    )
    for own in frames:
        if isinstance(ending := own["done"], dict):
            raise _ENDINGS[str(ending["kind"])](str(ending["why"]))


def _branch(actions: Sequence[Action], strand: Strand, frame: Frame, path: str) -> Steps:
    """Do one branch; what it sets, only it sees, and how it ended stands in its frame."""
    own = Strand(strand.run, ChainMap(inner(frame, "variables"), strand.variables))
    try:
        yield from sequence(actions, own, inner(frame), path)
        frame["done"] = True
    except ActionFailed as error:
        frame["done"] = {"kind": "action_failed", "why": str(error)}
    except AuthoringFault as error:
        frame["done"] = {"kind": "authoring_fault", "why": str(error)}
    except RunStops as error:
        frame["done"] = {"kind": error.result, "why": str(error)}


_ENDINGS: Mapping[str, Callable[[str], Exception]] = {
    "action_failed": ActionFailed,
    "authoring_fault": AuthoringFault,
    "finished": lambda why: RunStops("finished", why),
    "failed": lambda why: RunStops("failed", why),
    "stopped": lambda why: RunStops("stopped", why),
}


def _go_on_if(conditions: Sequence[Condition], strand: Strand, where: str) -> None:
    false = first_false(conditions, f"{where}.condition", strand.situation())
    if false is not None:
        strand.run.note(false, "false: the run ends here")
        raise RunStops("finished", f"{false} is false")


def _stop(action: StopAction, strand: Strand, where: str) -> None:
    why = strand.rendered_text(action.stop, where)
    strand.run.note(f"{where} stop", why)
    raise RunStops("failed" if action.error else "finished", why)


def put_back(restore: Restore, strand: Strand, frame: Frame, where: str) -> Steps:
    """Put back what the run has changed, last touched first."""
    if "calls" not in frame:
        targets = strand.rendered(restore.targets, where) if restore.targets is not None else None
        calls = putting_back(strand.run.journal, _wanted(targets, strand))
        frame["calls"] = [effect_to_json(call) for call in calls]
    listed = frame["calls"]
    for index in range(number(frame, "i"), len(listed) if isinstance(listed, list) else 0):
        assert isinstance(listed, list)
        content = listed[index]
        own = inner(frame)
        if isinstance(content, dict):
            yield from _sent(effect_from_json(content), strand, own, f"{where} restore")
        frame["i"], frame["in"] = index + 1, {}


def _wanted(targets: Json, strand: Strand) -> Sequence[str] | None:
    return strand.run.entities(targets) if isinstance(targets, dict) else None


def _instant(frame: Frame, name: str) -> datetime | None:
    value = frame.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) else None

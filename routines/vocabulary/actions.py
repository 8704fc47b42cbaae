"""What a routine does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from routines.vocabulary.conditions import Conditions, Tests
from routines.vocabulary.short_forms import as_written_out
from routines.vocabulary.triggers import Trigger
from routines.vocabulary.words import Payload, Span, TemplateText, Word, as_tuple

RoutineId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
"""Name of a variable."""
Speaker = str | dict[str, str] | tuple[str, ...]
"""``origin``, ``same_room``, ``nearest``, ``follow``, a device, ``{area_id: …}`` or a list of devices."""


class Retry(Word):
    """How often a failed action is tried again, and how long is waited in between."""

    times: Annotated[int, Field(ge=1, le=20)] = 1
    delay: Span = 0.0


class _Action(Word):
    alias: str | None = None
    enabled: bool = True
    continue_on_error: bool = False


class _Performed(_Action):
    retry: Retry | None = None


class CallAction(_Performed):
    """Call an action of a device, e.g. ``light.turn_on``."""

    action: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
    target: dict[str, Payload] = Field(default_factory=dict)
    data: dict[str, Payload] = Field(default_factory=dict)
    response_variable: Name | None = None


class Message(Word):
    """An MQTT message; a payload that is no text is sent as JSON."""

    topic: TemplateText
    payload: Payload = ""
    retain: bool = False
    qos: Annotated[int, Field(ge=0, le=2)] = 1


class PublishAction(_Performed):
    """Publish an MQTT message."""

    publish: Message


class Speech(Word):
    """A text to speak; ``volume`` is 0 to 100, ``spatial.from`` degrees to the listener's right."""

    text: TemplateText
    speaker: Speaker = "origin"
    room: TemplateText | None = None
    volume: Annotated[float, Field(ge=0, le=100)] | TemplateText | None = None
    spatial: dict[str, Payload] | None = None


class SayAction(_Performed):
    """Speak a text."""

    say: Speech


class Sound(Word):
    """A sound file to play; ``volume`` is 0 to 1."""

    source: TemplateText
    speaker: Speaker = "origin"
    room: TemplateText | None = None
    volume: Annotated[float, Field(ge=0, le=1)] | TemplateText = 1.0


class PlayAction(_Performed):
    """Play a sound file."""

    play: Sound


class Notice(Word):
    """A notification; ``target`` is a phone or person, everybody when left out."""

    message: TemplateText
    title: TemplateText | None = None
    target: str | None = None
    data: dict[str, Payload] = Field(default_factory=dict)


class NotifyAction(_Performed):
    """Notify people on their phones."""

    notify: Notice


class FireEventAction(_Performed):
    """Fire an event in Home Assistant."""

    event: str
    event_data: dict[str, Payload] = Field(default_factory=dict)


class DelayAction(_Action):
    """Wait."""

    delay: Span


class WaitForTriggerAction(_Action):
    """Wait until one of the triggers fires; ``wait.trigger`` and ``wait.completed`` tell."""

    wait_for_trigger: Annotated[
        tuple[Trigger, ...],
        BeforeValidator(as_tuple, json_schema_input_type=Trigger | tuple[Trigger, ...]),
        Field(min_length=1),
    ]
    timeout: Span | None = None
    continue_on_timeout: bool = True


class WaitForAction(_Action):
    """Wait until conditions hold; ``wait.completed`` tells."""

    wait_for: Tests
    timeout: Span | None = None
    continue_on_timeout: bool = True


class Choice(Word):
    """One way: taken when its conditions hold."""

    alias: str | None = None
    conditions: Conditions
    sequence: Actions


class ChooseAction(_Action):
    """Take the first way whose conditions hold, else ``default``."""

    choose: tuple[Choice, ...]
    default: Actions = ()


class IfAction(_Action):
    """Do ``then`` if the conditions hold, else ``else``."""

    if_: Annotated[Tests, Field(alias="if")]
    then: Actions
    else_: Annotated[Actions, Field(alias="else")] = ()


class Loop(Word):
    """How often: a count, for each item, or while or until conditions hold."""

    count: Annotated[int, Field(ge=0, le=10_000)] | TemplateText | None = None
    for_each: Payload = None
    while_: Annotated[Tests | None, Field(alias="while")] = None
    until: Tests | None = None
    max_iterations: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    sequence: Actions

    @model_validator(mode="after")
    def _has_one_end(self) -> Loop:
        ends = [self.count, self.for_each, self.while_, self.until]
        if sum(end is not None for end in ends) != 1:
            raise ValueError("repeat needs exactly one of count, for_each, while and until")
        return self


class RepeatAction(_Action):
    """Do a sequence several times; ``repeat.index``, ``first``, ``last`` and ``item`` tell which."""

    repeat: Loop


def as_branch(value: object) -> object:
    """Return one action beside others as a branch of one."""
    if isinstance(value, list | tuple):
        return {"sequence": value}
    return value if isinstance(value, dict) and "sequence" in value else {"sequence": (value,)}


class Branch(Word):
    """One of several sequences that go on side by side."""

    alias: str | None = None
    sequence: Actions


class ParallelAction(_Action):
    """Do several things side by side; the next action begins when all have ended."""

    parallel: tuple[Annotated[Branch, BeforeValidator(as_branch)], ...]


class SequenceAction(_Action):
    """Do several things one after the other, as one."""

    sequence: Actions


class ConditionAction(_Action):
    """Go on only if the conditions hold; else the run ends here."""

    condition: Conditions


class VariablesAction(_Action):
    """Set variables for what follows."""

    variables: dict[Name, Payload]


class Restore(Word):
    """What is put back as it was before the run: ``targets``, or all that the run has touched."""

    targets: dict[str, Payload] | None = None
    when: Literal["now", "run_end"] = "now"


class RestoreAction(_Action):
    """Put back what the run has changed so far."""

    restore: Restore


class RoutineAction(_Action):
    """Enable, disable or run another routine."""

    do: Literal["enable_routine", "disable_routine", "run_routine"]
    routine: RoutineId


class StopAction(_Action):
    """End the run, well or with ``error``."""

    stop: TemplateText
    error: bool = False
    response_variable: Name | None = None


_KINDS: Mapping[str, str] = {
    "action": "action",
    "publish": "publish",
    "say": "say",
    "play": "play",
    "notify": "notify",
    "event": "event",
    "delay": "delay",
    "wait_for_trigger": "wait_for_trigger",
    "wait_for": "wait_for",
    "choose": "choose",
    "if": "if",
    "if_": "if",
    "repeat": "repeat",
    "parallel": "parallel",
    "condition": "condition",
    "restore": "restore",
    "routine": "routine",
    "stop": "stop",
    "sequence": "sequence",
    "variables": "variables",
}


def _kind(value: object) -> str | None:
    """Return which action it is: the one key that names it."""
    if isinstance(value, dict):
        return next((kind for key, kind in _KINDS.items() if key in value), None)
    return next((kind for key, kind in _KINDS.items() if hasattr(value, key)), None)


Action = Annotated[
    Annotated[
        Annotated[CallAction, Tag("action")]
        | Annotated[PublishAction, Tag("publish")]
        | Annotated[SayAction, Tag("say")]
        | Annotated[PlayAction, Tag("play")]
        | Annotated[NotifyAction, Tag("notify")]
        | Annotated[FireEventAction, Tag("event")]
        | Annotated[DelayAction, Tag("delay")]
        | Annotated[WaitForTriggerAction, Tag("wait_for_trigger")]
        | Annotated[WaitForAction, Tag("wait_for")]
        | Annotated[ChooseAction, Tag("choose")]
        | Annotated[IfAction, Tag("if")]
        | Annotated[RepeatAction, Tag("repeat")]
        | Annotated[ParallelAction, Tag("parallel")]
        | Annotated[SequenceAction, Tag("sequence")]
        | Annotated[ConditionAction, Tag("condition")]
        | Annotated[VariablesAction, Tag("variables")]
        | Annotated[RestoreAction, Tag("restore")]
        | Annotated[RoutineAction, Tag("routine")]
        | Annotated[StopAction, Tag("stop")],
        Discriminator(
            _kind,
            custom_error_type="unknown_action",
            custom_error_message="this is no action; it needs a key such as action, say, delay or choose",
        ),
    ],
    BeforeValidator(as_written_out),
]


def _as_actions(value: object) -> object:
    return (value,) if isinstance(value, dict) else value


Actions = Annotated[tuple[Action, ...], BeforeValidator(_as_actions)]
PerformedAction = CallAction | PublishAction | SayAction | PlayAction | NotifyAction | FireEventAction

for _model in (Choice, ChooseAction, IfAction, Loop, RepeatAction, Branch, ParallelAction, SequenceAction):
    _model.model_rebuild()

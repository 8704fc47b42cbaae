"""What a routine does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Field, JsonValue, Tag

from routines.quantities import Duration
from routines.vocabulary.conditions import Condition
from routines.vocabulary.words import Word


class _Action(Word):
    alias: str | None = None
    enabled: bool = True
    continue_on_error: bool = False


class CallAction(_Action):
    """Call an action of a device, e.g. ``light.turn_on``."""

    action: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
    target: dict[str, JsonValue] = Field(default_factory=dict)
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Message(Word):
    """An MQTT message."""

    topic: str
    payload: str = ""
    retain: bool = False
    qos: Annotated[int, Field(ge=0, le=2)] = 1


class PublishAction(_Action):
    """Publish an MQTT message."""

    publish: Message


class SayAction(_Action):
    """Speak a text."""

    say: str
    room: str | None = None


class PlayAction(_Action):
    """Play a sound file."""

    play: str
    room: str | None = None
    volume: Annotated[float, Field(ge=0, le=1)] = 1.0


class DelayAction(_Action):
    """Wait."""

    delay: Duration


class Choice(Word):
    """One way: taken when its conditions hold."""

    conditions: tuple[Condition, ...]
    sequence: tuple[Action, ...]


class ChooseAction(_Action):
    """Take the first way whose conditions hold, else ``default``."""

    choose: tuple[Choice, ...]
    default: tuple[Action, ...] = ()


_KINDS = ("action", "publish", "say", "play", "delay", "choose")


def _kind(value: object) -> str:
    """Return which action it is: the one key that names it."""
    if isinstance(value, dict):
        return next((kind for kind in _KINDS if kind in value), "action")
    return next((kind for kind in _KINDS if hasattr(value, kind)), "action")


Action = Annotated[
    Annotated[CallAction, Tag("action")]
    | Annotated[PublishAction, Tag("publish")]
    | Annotated[SayAction, Tag("say")]
    | Annotated[PlayAction, Tag("play")]
    | Annotated[DelayAction, Tag("delay")]
    | Annotated[ChooseAction, Tag("choose")],
    Discriminator(_kind),
]

for _model in (Choice, ChooseAction):
    _model.model_rebuild()

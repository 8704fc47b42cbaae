"""What a run wants done: it yields effects and is sent outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from routines.facts import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CallService:
    """Call an action of a device, e.g. ``light.turn_on``; it may be asked for a response."""

    action: str
    target: Mapping[str, Json] = field(default_factory=dict)
    data: Mapping[str, Json] = field(default_factory=dict)
    wants_response: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Publish an MQTT message."""

    topic: str
    payload: str
    retain: bool = False
    qos: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak a text where ``speaker`` says, which may be a device or a room.

    ``volume`` is 0 to 100, None for as it is; ``follow`` moves the speech with the people.
    """

    text: str
    speaker: Json = None
    room: str | None = None
    volume: float | None = None
    spatial: Mapping[str, Json] | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play a sound file; ``volume`` is 0 to 1."""

    source: str
    speaker: Json = None
    room: str | None = None
    volume: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Notify somebody, or everybody."""

    message: str
    title: str | None = None
    target: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FireEvent:
    """Fire an event in Home Assistant."""

    event_type: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Enable, disable or run another routine; the engine itself does it."""

    do: str
    routine: str


Effect = CallService | Publish | Say | Play | Notify | FireEvent | Command

_KINDS: Mapping[str, type[Effect]] = {
    "call": CallService,
    "publish": Publish,
    "say": Say,
    "play": Play,
    "notify": Notify,
    "event": FireEvent,
    "routine": Command,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

_CHANGES_EACH_TIME = (
    "toggle",
    "press",
    "trigger",
    "_up",
    "_down",
    "increment",
    "decrement",
    "next",
    "previous",
)
_SETS_A_STATE = ("turn_", "set_", "open", "close", "lock", "unlock", "select_option", "stop", "volume_set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an effect went; ``error`` says what failed and what to do."""

    ok: bool = True
    error: str | None = None
    response: Json = None


def effect_kind(effect: Effect) -> str:
    """Return the word for an effect: call, publish, say, play, notify, event, routine."""
    return _NAMES[type(effect)]


def effect_to_json(effect: Effect) -> dict[str, Json]:
    """Return an effect as JSON, with its ``kind``."""
    content: dict[str, Json] = asdict(effect)
    return {"kind": effect_kind(effect), **content}


def effect_from_json(content: Mapping[str, Json]) -> Effect:
    """Return the effect that `effect_to_json` wrote.

    Raises
    ------
    ValueError
        It was written by another version.
    """
    fields = {key: value for key, value in content.items() if key != "kind"}
    try:
        return _KINDS[str(content["kind"])](**fields)  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{content} is not an effect ({error})") from error


def is_repeatable(effect: Effect) -> bool:
    """Return whether an effect may be done twice without anybody noticing.

    After a crash it is not known whether the effect in hand was done. Setting a state again changes nothing,
    so it is done (at least once); a second announcement or button press does, so it is not (at most once).
    """
    match effect:
        case CallService(action=action, data=data):
            domain, _, verb = action.partition(".")
            is_relative = verb.endswith(_CHANGES_EACH_TIME) or any("step" in key for key in data)
            return verb.startswith(_SETS_A_STATE) and not is_relative and domain != "script"
        case Publish(retain=retain):
            return retain
        case Command(do=do):
            return do != "run_routine"
        case _:
            return False

"""Wishes about what is playing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from routines.effects import CallService
from routines.facts import Json
from routines.intents.acting import whole
from routines.intents.directory import Entity
from routines.intents.planned import Asked, NotPossible, Plan
from routines.intents.targets import described, find, known_state, place, target, the

_PLAYERS = ("media_player",)
_PLAYING = ("playing", "buffering")
_PAUSED = ("paused", "idle")
_ACTIVE = ("playing", "buffering", "paused", "on", "idle")


def pause(asked: Asked) -> Plan:
    """Plan to pause what plays."""
    return _call(asked, "media_pause", _PLAYING, "Paused")


def unpause(asked: Asked) -> Plan:
    """Plan to let it play on."""
    return _call(asked, "media_play", _PAUSED, "Resumed")


def next_track(asked: Asked) -> Plan:
    """Plan to skip."""
    return _call(asked, "media_next_track", _PLAYING, "Skipped on")


def previous_track(asked: Asked) -> Plan:
    """Plan to go back."""
    return _call(asked, "media_previous_track", _PLAYING, "Went back on")


def mute(asked: Asked) -> Plan:
    """Plan to make it silent."""
    return _call(asked, "volume_mute", _PLAYING, "Muted", {"is_volume_muted": True})


def unmute(asked: Asked) -> Plan:
    """Plan to let it be heard again."""
    return _call(asked, "volume_mute", _PLAYING, "Unmuted", {"is_volume_muted": False})


def set_volume(asked: Asked) -> Plan:
    """Plan to play so loud; a sentence counts in percent, Home Assistant from 0 to 1."""
    level = asked.number("volume_level")
    if level is None:
        raise NotPossible("I did not hear how loud")
    entities = _players(asked, _ACTIVE)
    data: dict[str, Json] = {"volume_level": level / 100}
    reply = f"Set the volume of {described(entities, asked)} to {whole(level)} percent"
    return Plan(calls=(_volume(entities, "volume_set", data),), reply=reply)


def change_volume(asked: Asked) -> Plan:
    """Plan to play louder or softer, by a step of the player or by so many percent.

    Raises
    ------
    NotPossible
        By how many percent was said, but nobody knows how loud it is now.
    """
    entities = _players(asked, _ACTIVE)
    step = asked.intent.slots.get("volume_step")
    if step in ("up", "down"):
        return Plan(
            calls=(_volume(entities, f"volume_{step}"),), reply=f"Turned {described(entities, asked)} {step}"
        )
    percent = asked.number("volume_step")
    if percent is None:
        raise NotPossible("I did not hear how much")
    calls = []
    for entity in entities:
        state = known_state(asked, entity)
        level = None if state is None else state.attributes.get("volume_level")
        if not isinstance(level, int | float):
            raise NotPossible(f"I do not know how loud {the(entity)} is now; say how loud it should be")
        louder = round(min(1.0, max(0.0, level + percent / 100)), 2)
        calls.append(_volume([entity], "volume_set", {"volume_level": louder}))
    way = "up" if percent >= 0 else "down"
    return Plan(calls=tuple(calls), reply=f"Turned {described(entities, asked)} {way}")


def search_and_play(asked: Asked) -> Plan:
    """Plan to play what was asked for by name; the player has to find it."""
    wanted = asked.text("search_query")
    if wanted is None:
        raise NotPossible("I did not hear what to play")
    # One player, not all of a room: a loudspeaker rather than the television.
    entities = sorted(_players(asked, ()), key=lambda entity: entity.device_class != "speaker")[:1]
    kind = asked.text("media_class") or "music"
    data: dict[str, Json] = {"media_content_id": wanted, "media_content_type": kind}
    return Plan(calls=(_volume(entities, "play_media", data),), reply=f"Playing {wanted}")


def _call(
    asked: Asked, service: str, states: Sequence[str], done: str, data: Mapping[str, Json] | None = None
) -> Plan:
    entities = _players(asked, states)
    return Plan(calls=(_volume(entities, service, data),), reply=f"{done} {described(entities, asked)}")


def _volume(entities: Sequence[Entity], service: str, data: Mapping[str, Json] | None = None) -> CallService:
    return CallService(action=f"media_player.{service}", target=target(entities), data=data or {})


def _players(asked: Asked, states: Sequence[str]) -> tuple[Entity, ...]:
    """Return the players that are meant: of several in a place, those in the first state that any is in.

    Where no player stands in the room that heard it, the one that plays elsewhere is meant.
    """
    slots = asked.intent.slots
    if asked.intent.is_area_implied and "name" not in slots:
        here = asked.directory.select(domains=_PLAYERS, area=asked.text("area"))
        if not here:
            return _elsewhere(asked, states)
    found = find(asked, _PLAYERS)
    return next((group for state in states if (group := _in_state(asked, found, state))), found)


def _elsewhere(asked: Asked, states: Sequence[str]) -> tuple[Entity, ...]:
    players = asked.directory.select(domains=_PLAYERS)
    wanted = next((group for state in states if (group := _in_state(asked, players, state))), ())
    if len(wanted) == 1:
        return wanted
    raise NotPossible(f"I know no media player{place(asked)}; say which one you mean")


def _in_state(asked: Asked, players: Sequence[Entity], state: str) -> tuple[Entity, ...]:
    known = [(player, known_state(asked, player)) for player in players]
    return tuple(player for player, now in known if now is not None and now.state == state)

"""From what a sentence means to what is to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routines.home import Home
from routines.intents import acting, answers, media
from routines.intents.directory import Directory
from routines.intents.intent import Intent
from routines.intents.planned import Asked, NotPossible, Plan
from routines.intents.requests import (
    CancelRequest,
    Chosen,
    ExtendRequest,
    PauseRequest,
    ResumeRequest,
    StatusRequest,
    TimerRequest,
)

__all__ = ["Plan", "plan"]


def plan(
    intent: Intent,
    directory: Directory,
    home: Home,
    *,
    area: str | None,
    now: datetime,
    timezone: ZoneInfo,
) -> Plan:
    """Return what is to be done about a wish.

    Parameters
    ----------
    intent : Intent
        The wish.
    directory : Directory
        What the home calls its things.
    home : Home
        What it has told of itself; what it has not told is never guessed.
    area : str or None
        Where the wish was heard.
    now : datetime
        Time-zone aware.
    timezone : ZoneInfo
        Of the house.

    Returns
    -------
    Plan
        A wish that cannot be met gives a plan without calls and with a ``refusal``.
    """
    known = None if area is None else directory.area_named(area)
    asked = Asked(
        intent=intent,
        directory=directory,
        home=home,
        area=area if known is None else known.area_id,
        now=now,
        timezone=timezone,
    )
    planner = _PLANNERS.get(intent.name)
    try:
        if planner is None:
            raise NotPossible("I have not learned how to do that")
        return planner(asked)
    except NotPossible as error:
        return Plan(refusal=str(error))


def _start_timer(asked: Asked) -> Plan:
    duration = _duration(asked, "")
    command = asked.text("conversation_command")
    return Plan(request=TimerRequest(duration=duration, name=asked.text("name"), command=command))


def _change_timer(asked: Asked, sign: int) -> Plan:
    return Plan(request=ExtendRequest(which=_chosen(asked), by=sign * _duration(asked, "")))


def _cancel_all(asked: Asked) -> Plan:
    room = None if asked.intent.is_area_implied else asked.text("area")
    return Plan(request=CancelRequest(which=Chosen(kind="timer", room=room, is_every=True)))


def _chosen(asked: Asked) -> Chosen:
    try:
        started_for = _duration(asked, "start_")
    except NotPossible:
        started_for = None
    return Chosen(kind="timer", name=asked.text("name"), started_for=started_for, room=asked.text("area"))


def _duration(asked: Asked, prefix: str) -> timedelta:
    parts = {unit: asked.number(f"{prefix}{unit}") or 0 for unit in ("hours", "minutes", "seconds")}
    duration = timedelta(**parts)
    if not duration:
        raise NotPossible("I did not hear for how long")
    return duration


def _broadcast(asked: Asked) -> Plan:
    message = asked.text("message")
    if message is None:
        raise NotPossible("I did not hear what to say")
    return Plan(broadcast=message)


_PLANNERS: Mapping[str, Callable[[Asked], Plan]] = {
    "HassBroadcast": _broadcast,
    "HassCancelAllTimers": _cancel_all,
    "HassCancelTimer": lambda asked: Plan(request=CancelRequest(which=_chosen(asked))),
    "HassClimateGetTemperature": answers.get_temperature,
    "HassClimateSetTemperature": acting.set_temperature,
    "HassDecreaseTimer": lambda asked: _change_timer(asked, -1),
    "HassFanSetSpeed": acting.set_fan_speed,
    "HassGetCurrentDate": answers.get_date,
    "HassGetCurrentTime": answers.get_time,
    "HassGetState": answers.get_state,
    "HassGetWeather": answers.get_weather,
    "HassIncreaseTimer": lambda asked: _change_timer(asked, 1),
    "HassLawnMowerDock": acting.dock_mower,
    "HassLawnMowerStartMowing": acting.start_mowing,
    "HassLightSet": acting.set_light,
    "HassListAddItem": acting.add_to_list,
    "HassListCompleteItem": acting.complete_on_list,
    "HassMediaNext": media.next_track,
    "HassMediaPause": media.pause,
    "HassMediaPlayerMute": media.mute,
    "HassMediaPlayerUnmute": media.unmute,
    "HassMediaPrevious": media.previous_track,
    "HassMediaSearchAndPlay": media.search_and_play,
    "HassMediaUnpause": media.unpause,
    "HassNevermind": lambda _: Plan(),
    "HassPauseTimer": lambda asked: Plan(request=PauseRequest(which=_chosen(asked))),
    "HassRespond": answers.respond,
    "HassSetPosition": acting.set_position,
    "HassSetVolume": media.set_volume,
    "HassSetVolumeRelative": media.change_volume,
    "HassShoppingListAddItem": acting.add_to_shopping_list,
    "HassShoppingListCompleteItem": acting.complete_on_shopping_list,
    "HassStartTimer": _start_timer,
    "HassTimerStatus": lambda asked: Plan(request=StatusRequest(which=_chosen(asked))),
    "HassTurnOff": acting.turn_off,
    "HassTurnOn": acting.turn_on,
    "HassUnpauseTimer": lambda asked: Plan(request=ResumeRequest(which=_chosen(asked))),
    "HassVacuumReturnToBase": acting.return_vacuum,
    "HassVacuumStart": acting.start_vacuum,
}

"""Which state an action brings about in which entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routines.facts import Json
from routines.intents.directory import Directory
from routines.templates.template import is_template
from routines.vocabulary.actions import CallAction

Subject = tuple[str, str]
"""Kind and id: ``("entity", "light.hall")``; ``("area light", "hall")`` where the home is not known."""
_ON_OFF = frozenset(
    {
        "automation",
        "climate",
        "fan",
        "group",
        "humidifier",
        "input_boolean",
        "light",
        "media_player",
        "remote",
        "siren",
        "switch",
        "water_heater",
    }
)
_STATES: Mapping[str, tuple[str, ...]] = {
    "alarm_control_panel.alarm_arm_away": ("arming", "armed_away"),
    "alarm_control_panel.alarm_arm_custom_bypass": ("arming", "armed_custom_bypass"),
    "alarm_control_panel.alarm_arm_home": ("arming", "armed_home"),
    "alarm_control_panel.alarm_arm_night": ("arming", "armed_night"),
    "alarm_control_panel.alarm_arm_vacation": ("arming", "armed_vacation"),
    "alarm_control_panel.alarm_disarm": ("disarmed",),
    "alarm_control_panel.alarm_trigger": ("triggered",),
    "cover.close_cover": ("closing", "closed"),
    "cover.open_cover": ("opening", "open"),
    "lawn_mower.dock": ("returning", "docked"),
    "lawn_mower.pause": ("paused",),
    "lawn_mower.start_mowing": ("mowing",),
    "lock.lock": ("locking", "locked"),
    "lock.open": ("opening", "open"),
    "lock.unlock": ("unlocking", "unlocked"),
    "media_player.media_pause": ("paused",),
    "media_player.media_play": ("playing",),
    "media_player.media_stop": ("idle",),
    "media_player.play_media": ("playing",),
    "timer.cancel": ("idle",),
    "timer.finish": ("idle",),
    "timer.pause": ("paused",),
    "timer.start": ("active",),
    "vacuum.pause": ("paused",),
    "vacuum.return_to_base": ("returning", "docked"),
    "vacuum.start": ("cleaning",),
    "vacuum.stop": ("idle",),
    "valve.close_valve": ("closing", "closed"),
    "valve.open_valve": ("opening", "open"),
}
"""The states that are passed through, the last one stays."""
_CHOSEN: Mapping[str, str] = {
    "climate.set_hvac_mode": "hvac_mode",
    "input_select.select_option": "option",
    "input_text.set_value": "value",
    "select.select_option": "option",
    "text.set_value": "value",
}
"""Actions that are told the state."""
_FLIPS = frozenset(
    {
        "button.press",
        "counter.decrement",
        "counter.increment",
        "input_button.press",
        "input_number.decrement",
        "input_number.increment",
        "input_select.select_next",
        "input_select.select_previous",
        "media_player.media_play_pause",
        "select.select_next",
        "select.select_previous",
    }
)
"""Actions after which the state is never what it was."""
_UNSAID = frozenset({"input_datetime.set_datetime", "input_number.set_value", "number.set_value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A state that an action brings about.

    Attributes
    ----------
    states : tuple of str
        Those it passes through, the last one stays; empty when it cannot be told.
    is_flip : bool
        It is never the same as before: ``toggle``.
    sets_more : bool
        The action was given more than the state, a brightness for example.
    """

    subject: Subject
    states: tuple[str, ...] = ()
    is_flip: bool = False
    sets_more: bool = False

    @property
    def state(self) -> str | None:
        """The state that stays, None when it cannot be told."""
        return self.states[-1] if self.states else None


def outcomes_of(call: CallAction, directory: Directory | None) -> list[Outcome]:
    """Return what a call brings about, one by one for what it names and, in a known home, its areas hold."""
    states, is_flip = _states(call)
    if not states and not is_flip and call.action not in _UNSAID:
        return []
    return [
        Outcome(subject=subject, states=states, is_flip=is_flip, sets_more=bool(call.data))
        for subject in dict.fromkeys(_subjects(call, directory))
    ]


def _states(call: CallAction) -> tuple[tuple[str, ...], bool]:
    domain, _, verb = call.action.partition(".")
    known = _STATES.get(call.action)
    if known is not None:
        return known, False
    if call.action in _FLIPS or verb == "toggle":
        return (), True
    if call.action in _CHOSEN:
        chosen = call.data.get(_CHOSEN[call.action])
        return ((chosen,), False) if isinstance(chosen, str) and not is_template(chosen) else ((), False)
    if domain in _ON_OFF or domain == "homeassistant":
        return _on_or_off(domain, verb, call.data), False
    if verb in ("set_cover_position", "set_valve_position"):
        position = call.data.get("position")
        return (("closed" if position == 0 else "open",) if isinstance(position, int) else ()), False
    return (), False


def _on_or_off(domain: str, verb: str, data: Mapping[str, Json]) -> tuple[str, ...]:
    if verb == "turn_off":
        return ("off",)
    if verb != "turn_on":
        return ()
    if domain == "light" and 0 in (data.get("brightness"), data.get("brightness_pct")):
        return ("off",)
    return () if domain in ("climate", "water_heater") else ("on",)


def _subjects(call: CallAction, directory: Directory | None) -> Iterator[Subject]:
    domain = call.action.partition(".")[0]
    for entity_id in (*_ids(call.target.get("entity_id")), *_ids(call.data.get("entity_id"))):
        kind = entity_id.partition(".")[0]
        if "." in entity_id and (domain in (kind, "homeassistant") or kind == "group"):
            yield "entity", entity_id
    for area in _ids(call.target.get("area_id")):
        if directory is None or directory.area(area) is None:
            yield f"area {domain}", area
            continue
        domains = _ON_OFF if domain == "homeassistant" else {domain}
        yield from (("entity", one.entity_id) for one in directory.select(domains=domains, area=area))


def _ids(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    texts = [one for one in values if isinstance(one, str) and not is_template(one)]
    return [part.strip() for text in texts for part in text.split(",")]

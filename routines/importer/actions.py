"""Home Assistant's actions as ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from routines.facts import Json
from routines.importer.conditions import Conditions
from routines.importer.expressions import Expressions
from routines.importer.triggers import carry_trigger
from routines.importer.words import (
    NotCarried,
    Words,
    duration,
    entity_list,
    flag,
    listed,
    mapping,
    only,
)
from routines.templates.template import is_template
from routines.vocabulary.actions import Action

_READ: TypeAdapter[object] = TypeAdapter(Action)
_BASE = ("alias", "enabled", "continue_on_error")
_COMMANDS = {"turn_on": "enable_routine", "turn_off": "disable_routine", "trigger": "run_routine"}
_DEVICE_TYPES = frozenset({"turn_on", "turn_off", "toggle", "open", "close", "lock", "unlock"})
NEVER = "{{ false }}"


@dataclass(slots=True)
class Carrier:
    """Carry the actions of one automation over, and note what could not be.

    An action without a like becomes a ``stop`` with an error that says so, and a condition one that never
    holds: what follows was written for a world in which they had been done, and had held.

    Attributes
    ----------
    routines : mapping
        Entities of automations and scripts that come over too, and the routines that they become.
    problems : list
        Places and messages, of what was not carried.
    remarks : list
        The same, of what is not quite as it was.
    """

    expressions: Expressions
    conditions: Conditions
    routines: Mapping[str, str]
    problems: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)

    def sequence(self, value: Json, place: str) -> list[Json]:
        """Return a list of actions."""
        return [self.action(one, f"{place}[{number}]") for number, one in enumerate(listed(value))]

    def action(self, value: Json, place: str) -> Json:
        """Return an action; a ``stop`` if there is none like it."""
        try:
            carried = self._action(value, place)
            _READ.validate_python(carried)
        except NotCarried as reason:
            return self._instead(str(reason), place)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            return self._instead(f"an action: {message}", place)
        return carried

    def tests(self, value: Json, place: str) -> list[Json]:
        """Return a list of conditions; what has no like becomes one that never holds."""
        found: list[Json] = []
        for number, one in enumerate(listed(value)):
            try:
                found.append(self.conditions.carry(one))
            except NotCarried as reason:
                self.problems.append((f"{place}[{number}]", str(reason)))
                alias = f"Not carried over: {reason}"
                found.append({"condition": "template", "alias": alias, "value_template": NEVER})
        return found

    def _instead(self, reason: str, place: str) -> Json:
        self.problems.append((place, reason))
        words = reason.replace("{{", "{ {").replace("{%", "{ %")
        return {"stop": f"Not carried over: {words}", "error": True}

    def _action(self, value: Json, place: str) -> Json:
        if isinstance(value, str):
            return {"condition": self.tests(value, place)}
        words = mapping(value, "an action")
        kinds: Mapping[str, Callable[[Words, str], Json]] = {
            "choose": self._choose,
            "if": self._if,
            "repeat": self._repeat,
            "parallel": self._parallel,
            "sequence": lambda w, p: {"sequence": self.sequence(w["sequence"], f"{p}.sequence")},
            "delay": lambda w, _: {"delay": self.expressions.value(duration(w["delay"]))},
            "wait_for_trigger": self._wait_for_trigger,
            "wait_template": self._wait_template,
            "variables": lambda w, _: {"variables": self.expressions.value(w["variables"])},
            "stop": self._stop,
            "event": self._event,
            "scene": lambda w, _: {"scene": entity_list(w["scene"])[0]},
            "set_conversation_response": self._answer,
            "action": self._call,
            "service": self._call,
            "device_id": self._device,
            "condition": self._condition,
            "and": self._condition,
            "or": self._condition,
            "not": self._condition,
        }
        kind = next((kind for kind in kinds if kind in words), None)
        if kind is None:
            raise NotCarried(f"an action with the keys {', '.join(words)}")
        carried = mapping(kinds[kind](words, place), "an action")
        return {**_base(words, carried), **carried}

    def _condition(self, words: Words, place: str) -> Json:
        rest = {key: item for key, item in words.items() if key not in ("enabled", "continue_on_error")}
        return {"condition": self.tests([rest], place)}

    def _choose(self, words: Words, place: str) -> Json:
        only(words, {*_BASE, "choose", "default"}, "a choose")
        ways: list[Json] = []
        for number, one in enumerate(listed(words["choose"])):
            way, here = mapping(one, "a way of choose"), f"{place}.choose[{number}]"
            alias: Words = {"alias": str(way["alias"])} if way.get("alias") is not None else {}
            conditions = self.tests(way.get("conditions"), f"{here}.conditions")
            sequence = self.sequence(way.get("sequence"), f"{here}.sequence")
            ways.append({**alias, "conditions": conditions, "sequence": sequence})
        default = self.sequence(words.get("default"), f"{place}.default")
        return {"choose": ways, **({"default": default} if default else {})}

    def _if(self, words: Words, place: str) -> Json:
        only(words, {*_BASE, "if", "then", "else"}, "an if")
        otherwise = self.sequence(words.get("else"), f"{place}.else")
        return {
            "if": self.tests(words["if"], f"{place}.if"),
            "then": self.sequence(words.get("then"), f"{place}.then"),
            **({"else": otherwise} if otherwise else {}),
        }

    def _repeat(self, words: Words, place: str) -> Json:
        loop = mapping(words["repeat"], "a repeat")
        only(loop, {"count", "for_each", "while", "until", "sequence"}, "a repeat")
        found: Words = {}
        for key in ("while", "until"):
            if loop.get(key) is not None:
                found[key] = [self.conditions.carry(one) for one in listed(loop[key])]
        if loop.get("count") is not None:
            count = loop["count"]
            is_digits = isinstance(count, str) and count.isdigit()
            found["count"] = int(str(count)) if is_digits else self.expressions.value(count)
        if loop.get("for_each") is not None:
            found["for_each"] = self.expressions.value(loop["for_each"])
        return {
            "repeat": {**found, "sequence": self.sequence(loop.get("sequence"), f"{place}.repeat.sequence")}
        }

    def _parallel(self, words: Words, place: str) -> Json:
        branches: list[Json] = []
        for number, one in enumerate(listed(words["parallel"])):
            here = f"{place}.parallel[{number}]"
            if isinstance(one, list):
                branches.append({"sequence": self.sequence(one, here)})
            elif isinstance(one, dict) and one.keys() <= {"sequence", "alias"} and "sequence" in one:
                alias: Words = {"alias": str(one["alias"])} if one.get("alias") is not None else {}
                branches.append({**alias, "sequence": self.sequence(one["sequence"], f"{here}.sequence")})
            else:
                branches.append(self.action(one, here))
        return {"parallel": branches}

    def _wait_for_trigger(self, words: Words, _: str) -> Json:
        only(words, {*_BASE, "wait_for_trigger", "timeout", "continue_on_timeout"}, "a wait")
        triggers: list[Json] = [carry_trigger(t, self.expressions) for t in listed(words["wait_for_trigger"])]
        return {"wait_for_trigger": triggers, **self._timeout(words)}

    def _wait_template(self, words: Words, _: str) -> Json:
        only(words, {*_BASE, "wait_template", "timeout", "continue_on_timeout"}, "a wait")
        template = self.expressions.condition(str(words["wait_template"]))
        return {"wait_template": template, **self._timeout(words)}

    def _timeout(self, words: Words) -> Words:
        found: Words = {}
        if words.get("timeout") is not None:
            found["timeout"] = self.expressions.value(duration(words["timeout"]))
        if "continue_on_timeout" in words:
            found["continue_on_timeout"] = flag(words["continue_on_timeout"], "continue_on_timeout")
        return found

    def _stop(self, words: Words, _: str) -> Json:
        only(words, {*_BASE, "stop", "error", "response_variable"}, "a stop")
        found: Words = {"stop": self.expressions.text(str(words["stop"] or "Stopped"))}
        if "error" in words:
            found["error"] = flag(words["error"], "error")
        if words.get("response_variable") is not None:
            found["response_variable"] = words["response_variable"]
        return found

    def _event(self, words: Words, _: str) -> Json:
        only(words, {*_BASE, "event", "event_data", "event_data_template"}, "an event")
        data: Words = {}
        for key in ("event_data", "event_data_template"):
            data |= mapping(self.expressions.value(words.get(key) or {}), "the data of an event")
        return {"event": words["event"], **({"event_data": data} if data else {})}

    def _answer(self, words: Words, _: str) -> Json:
        answer = words["set_conversation_response"]
        if not isinstance(answer, str) or not answer:
            raise NotCarried("an empty answer; say what is to be said")
        return {"say": self.expressions.text(answer)}

    def _call(self, words: Words, place: str) -> Json:
        known = {*_BASE, "action", "service", "data", "data_template", "target", "entity_id", "metadata"}
        only(words, known | {"response_variable"}, "a call")
        name = words.get("action", words.get("service"))
        if not isinstance(name, str) or is_template(name):
            raise NotCarried("a call whose action is computed; use choose")
        data: Words = {}
        for key in ("data", "data_template"):
            data |= mapping(self.expressions.value(words.get(key) or {}), "the data of a call")
        target = words.get("target") or {}
        if "entity_id" in words:
            target = {**mapping(target, "a target"), "entity_id": words["entity_id"]}
        target = mapping(self.expressions.value(target), "a target")
        ours = self._own_command(name, target, data)
        if ours is not None:
            if name in self.routines:
                self.remarks.append(
                    (place, f"{name} is started; the actions after it do not wait for its end")
                )
            return ours
        if name == "scene.create":
            raise NotCarried("scene.create; use restore: {when: run_end} to put things back as they were")
        found: Words = {"action": name}
        if target:
            found["target"] = _entities_apart(target)
        if data:
            found["data"] = data
        if words.get("response_variable") is not None:
            found["response_variable"] = words["response_variable"]
        return found

    def _own_command(self, name: str, target: Words, data: Words) -> Json:
        """Return how a routine runs or enables another, None when this is no such call."""
        domain, _, verb = name.partition(".")
        if name in self.routines:
            entities, do, more = [name], "run_routine", data
        elif domain in ("automation", "script", "homeassistant") and "entity_id" in (target | data):
            said = listed(target.get("entity_id", data.get("entity_id")))
            entities = [part.strip() for one in said for part in str(one).split(",")]
            if not any(entity in self.routines for entity in entities):
                return None
            do = "run_routine" if domain == "script" and verb == "turn_on" else _COMMANDS.get(verb, "")
            more = {key: item for key, item in data.items() if key not in ("entity_id", "stop_actions")}
        else:
            return None
        strange = [entity for entity in entities if entity not in self.routines]
        if strange or not do or (domain != "automation" and do != "run_routine"):
            raise NotCarried(
                f"{name} of {', '.join(entities)}; use run_routine, enable_routine or disable_routine"
            )
        if more.get("skip_condition") is False or set(more) - {"skip_condition"}:
            raise NotCarried(f"{name} with {', '.join(sorted(more))}; a routine is run without variables")
        commands: list[Json] = [{do: self.routines[entity]} for entity in entities]
        return commands[0] if len(commands) == 1 else {"sequence": commands}

    def _device(self, words: Words, _: str) -> Json:
        kind, entity_id, domain = words.get("type"), words.get("entity_id"), words.get("domain")
        if kind not in _DEVICE_TYPES or not isinstance(entity_id, str) or "." not in entity_id:
            raise NotCarried("an action of a device; use an action of its entity")
        only(words, {*_BASE, "type", "entity_id", "device_id", "domain"}, "an action of a device")
        verb = f"{kind}_cover" if domain == "cover" and kind in ("open", "close") else str(kind)
        return {"action": f"{domain}.{verb}", "target": {"entity_id": entity_list(entity_id)[0]}}


def _base(words: Words, carried: Words) -> Words:
    base: Words = {}
    if words.get("alias") is not None:
        base["alias"] = str(words["alias"])
    for key in ("enabled", "continue_on_error"):
        if key in words:
            base[key] = flag(words[key], key)
    return {key: item for key, item in base.items() if key not in carried}


def _entities_apart(target: Words) -> Words:
    """Return a target in which entities that were separated by commas stand in a list."""
    entity = target.get("entity_id")
    if isinstance(entity, str) and "," in entity and not is_template(entity):
        return {**target, "entity_id": [part.strip() for part in entity.split(",") if part.strip()]}
    return target

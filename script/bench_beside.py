"""The same automations and changes through Roomwise's engine, or through Home Assistant's.

Run it with either's Python; it prints CPU seconds as JSON. Nothing is called for real in either.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time

COUNT, CHANGES = 1_000, 5_000


def automations() -> list[dict[str, object]]:
    """Return automations that both understand: state, numeric_state, conditions, templates, choose."""
    return [_automation(number) for number in range(COUNT)]


def _automation(number: int) -> dict[str, object]:
    entity, lamp = f"sensor.s{number % 200}", {"entity_id": f"light.l{number}"}
    if number % 3:
        trigger = {"trigger": "state", "entity_id": entity, "to": str(number % 20)}
    else:
        trigger = {"trigger": "numeric_state", "entity_id": entity, "above": 10}
    way = {
        "conditions": [
            {"condition": "template", "value_template": f"{{{{ states('{entity}') | float(0) > 5 }}}}"}
        ],
        "sequence": [{"action": "test.turn_on", "target": lamp, "data": {"level": "{{ 20 + 1 }}"}}],
    }
    return {
        "id": f"a{number}",
        "alias": f"a{number}",
        "mode": "restart",
        "triggers": [trigger],
        "conditions": [{"condition": "state", "entity_id": "sensor.mode", "state": "home"}],
        "actions": [{"choose": [way], "default": [{"action": "test.turn_off", "target": lamp}]}],
    }


def changes() -> list[tuple[str, str]]:
    """Return the changes of states: entity and state."""
    chance = random.Random(1)
    return [(f"sensor.s{chance.randrange(200)}", str(chance.randrange(20))) for _ in range(CHANGES)]


def roomwise() -> dict[str, float]:
    """Measure this engine."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from routines.facts import StateFact
    from routines.load import load_routines
    from routines.simulator import Performed, Simulator

    started = time.process_time()
    routines = []
    for first in range(0, COUNT, 50):
        written = [
            {k: v for k, v in one.items() if k != "alias"} for one in automations()[first : first + 50]
        ]
        found, problems = load_routines(json.dumps({"version": 1, "routines": written}), "beside.yaml")
        assert problems == [], problems[0]
        routines += found
    simulator = Simulator(routines, start=datetime(2026, 1, 1, tzinfo=UTC), timezone=ZoneInfo("UTC"))
    simulator.begin([StateFact(entity_id="sensor.mode", state="home")])
    for number in range(200):
        simulator.tell(StateFact(entity_id=f"sensor.s{number}", state="0"))
    loading = time.process_time() - started
    calls = 0
    started = time.process_time()
    for entity_id, state in changes():
        happened = simulator.tell(StateFact(entity_id=entity_id, state=state))
        calls += sum(isinstance(one, Performed) for one in happened)
    spent = time.process_time() - started
    return {
        "roomwise_load_s": loading,
        "roomwise_change_ms": 1_000 * spent / CHANGES,
        "roomwise_calls": calls,
    }


async def home_assistant() -> dict[str, float]:
    """Measure Home Assistant's."""
    from homeassistant import config_entries, loader
    from homeassistant.const import __version__
    from homeassistant.core import HomeAssistant, ServiceCall
    from homeassistant.helpers import entity_registry
    from homeassistant.setup import async_setup_component

    calls = 0

    async def count(_call: ServiceCall) -> None:
        nonlocal calls
        calls += 1

    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        loader.async_setup(hass)
        hass.config_entries = config_entries.ConfigEntries(hass, {})
        from homeassistant.helpers import (
            area_registry,
            category_registry,
            device_registry,
            floor_registry,
            issue_registry,
            label_registry,
            template,
        )

        for registry in (
            area_registry,
            category_registry,
            device_registry,
            entity_registry,
            floor_registry,
            issue_registry,
            label_registry,
        ):
            loading_registry = registry.async_load(hass)
            if asyncio.iscoroutine(loading_registry):
                await loading_registry
        template.async_setup(hass)
        for service in ("turn_on", "turn_off"):
            hass.services.async_register("test", service, count)
        hass.states.async_set("sensor.mode", "home")
        for number in range(200):
            hass.states.async_set(f"sensor.s{number}", "0")
        await hass.async_start()
        started = time.process_time()
        assert await async_setup_component(hass, "automation", {"automation": automations()})
        await hass.async_block_till_done()
        loading = time.process_time() - started
        started = time.process_time()
        for entity_id, state in changes():
            hass.states.async_set(entity_id, state)
            await hass.async_block_till_done()
        spent = time.process_time() - started
        await hass.async_stop(force=True)
    return {
        f"home_assistant_{__version__}_load_s": loading,
        f"home_assistant_{__version__}_change_ms": 1_000 * spent / CHANGES,
        f"home_assistant_{__version__}_calls": calls,
    }


def main() -> None:
    """Measure whichever is installed."""
    try:
        import homeassistant  # noqa: F401
    except ImportError:
        print(json.dumps(roomwise()))
    else:
        print(json.dumps(asyncio.run(home_assistant())))


if __name__ == "__main__":
    main()

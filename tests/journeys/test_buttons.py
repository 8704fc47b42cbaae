"""A button in Home Assistant: described by discovery, pressed over a real broker, and the routine runs."""

from __future__ import annotations

import json
from pathlib import Path

from hub.bus import Overflow
from hub.events import RoutineOutput
from routines.outputs import RunEnded
from tests.journeys.house_on_broker import Inbox, house_and_other

ROUTINES = """
version: 1
routines:
  - id: tea
    alias: Tea
    actions: [{publish: {topic: kettle/set, payload: "ON"}}]
"""


async def test_a_button_that_discovery_describes_runs_its_routine_when_it_is_pressed(tmp_path: Path) -> None:
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "tea.yaml").write_text(ROUTINES, encoding="utf-8")
    (tmp_path / "hub.yaml").write_text("version: 1\n", encoding="utf-8")
    home_assistant = Inbox()
    topics = ("homeassistant/#", "kettle/set")
    async with house_and_other(tmp_path, topics, home_assistant) as (house, link):
        ends = house.bus.subscribe(RoutineOutput, room=100, overflow=Overflow.DROP_OLDEST, name="test")
        contents = [json.loads((await home_assistant.next(20)).payload) for _ in range(2)]
        [described] = [content for content in contents if "components" in content]
        button = described["components"]["run_tea"]
        assert (button["platform"], button["name"]) == ("button", "Tea")
        assert described["components"]["presence"]["device_class"] == "occupancy"
        assert (await link.publish(button["command_topic"], "PRESS")).ok
        assert (await home_assistant.next(20)).topic == "kettle/set"
        async for event in ends:
            if isinstance(event.output, RunEnded):
                assert event.output.result == "finished"
                break

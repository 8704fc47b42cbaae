"""Lights that listen to MQTT: calls on them become messages."""

from __future__ import annotations

import json
from collections.abc import Mapping

from routines.effects import CallService, Outcome
from routines.facts import Json
from routines.ports import MessageLink

_STATES = {"light.turn_on": "ON", "light.turn_off": "OFF"}


class MqttLights:
    """Translate ``light.turn_on`` and ``light.turn_off`` into Home Assistant's JSON for MQTT lights.

    Parameters
    ----------
    command_topics : mapping
        Command topic of each light by entity id.
    """

    def __init__(self, command_topics: Mapping[str, str], messages: MessageLink) -> None:
        self._topics = command_topics
        self._messages = messages

    def owns(self, call: CallService) -> bool:
        """Return whether every target of the call is one of these lights."""
        targets = _entities(call)
        return bool(targets) and all(target in self._topics for target in targets)

    async def call(self, call: CallService) -> Outcome:
        """Publish the command to each light; the first failure is the outcome."""
        if call.action not in _STATES:
            return Outcome(ok=False, error=f"{call.action}: MQTT lights know {' and '.join(_STATES)} only")
        payload = json.dumps({"state": _STATES[call.action], **call.data})
        for target in _entities(call):
            outcome = await self._messages.publish(self._topics[target], payload)
            if not outcome.ok:
                return outcome
        return Outcome()


def _entities(call: CallService) -> list[str]:
    wanted: Json = call.target.get("entity_id")
    return [str(one) for one in wanted] if isinstance(wanted, list) else [str(wanted)] if wanted else []

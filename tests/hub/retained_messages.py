"""A broker that remembers what it was told last."""

from __future__ import annotations

from routines.effects import Outcome


class Broker:
    """Keep each topic's last payload."""

    def __init__(self) -> None:
        self.retained: dict[str, str] = {}

    async def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> Outcome:
        self.retained[topic] = payload
        return Outcome()

"""The links to the outside that hub.yaml asks for: the broker, Home Assistant, and the other hubs."""

from __future__ import annotations

from collections.abc import Sequence

from hub.bus import Bus
from hub.clock import Clock
from hub.config.hub_config import HubConfig
from hub.settlement import Settlement
from integrations.home_assistant.client import HomeAssistantLink
from integrations.mqtt.client import MqttLink
from integrations.mqtt.topics import (
    AVAILABILITY,
    BASE,
    HUB_AVAILABILITY_TOPICS,
    WAKE_TOPICS,
    hub_availability_topic,
)
from routines.hearing import Hearing
from routines.ports import Outbox
from routines.routine import Routine, awaited_triggers
from routines.templates.template import is_template
from routines.vocabulary.triggers import EventTrigger, MqttTrigger


class Links:
    """The links to the broker and to Home Assistant.

    Parameters
    ----------
    port : int
        Of the configured or the embedded broker.
    hub : str
        This hub's own name at the broker: two clients of one name push each other out.

    Attributes
    ----------
    hub : str
        This hub's own name.
    mqtt : MqttLink
        Subscribed to requests and to what routines wait for.
    home_assistant : HomeAssistantLink or None
        None where hub.yaml names none.
    """

    def __init__(
        self, config: HubConfig, port: int, routines: Sequence[Routine], *, bus: Bus, hub: str
    ) -> None:
        self._config, self._port, self._bus, self.hub = config, port, bus, hub
        self.mqtt = _broker_link(config, port, bus, _topics(routines), client_id=f"roomwise-{hub}")
        self.home_assistant = _home_assistant(config, routines, bus)

    @property
    def services(self) -> tuple[MqttLink | HomeAssistantLink, ...]:
        """Those that there are."""
        return (self.mqtt,) if self.home_assistant is None else (self.mqtt, self.home_assistant)

    def listen_to(self, routines: Sequence[Routine]) -> None:
        """Wait for what edited routines wait for."""
        self.mqtt.listen_to(_topics(routines))
        if self.home_assistant is not None:
            self.home_assistant.listen_to(_event_types(routines))

    def settlement(self, hearing: Hearing, clock: Clock) -> Settlement | None:
        """Return the settlement with other hubs, on a connection of its own.

        None where nobody listens, or with the embedded broker: that is on loopback, so no other hub is at it.
        """
        if self._config.mqtt.host is None or not self._config.speech.enabled:
            return None
        return Settlement(
            hub=self.hub,
            connect=self._hearing_link,
            publish_change=self._bus.publish,
            is_asking=lambda: hearing.is_asking(clock.now()),
            clock=clock,
        )

    def _hearing_link(self, outbox: Outbox) -> MqttLink:
        return _broker_link(
            self._config,
            self._port,
            outbox,
            (HUB_AVAILABILITY_TOPICS, WAKE_TOPICS),
            client_id=f"roomwise-hearing-{self.hub}",
            availability_topic=hub_availability_topic(self.hub),
        )


def _home_assistant(config: HubConfig, routines: Sequence[Routine], bus: Bus) -> HomeAssistantLink | None:
    settings = config.home_assistant
    if settings is None:
        return None
    return HomeAssistantLink(
        url=settings.url,
        token=settings.token.get_secret_value(),
        outbox=bus,
        event_types=_event_types(routines),
    )


def _topics(routines: Sequence[Routine]) -> Sequence[str]:
    """Return the topics of requests, and those that routines wait for, in waits inside their actions too."""
    awaited = {one.topic for one in awaited_triggers(routines, MqttTrigger) if not is_template(one.topic)}
    return (f"{BASE}/set/#", *sorted(awaited))


def _event_types(routines: Sequence[Routine]) -> Sequence[str]:
    """Return the types of Home Assistant's events that routines wait for."""
    awaited = awaited_triggers(routines, EventTrigger)
    return sorted({event_type for one in awaited for event_type in one.event_type})


def _broker_link(
    config: HubConfig,
    port: int,
    outbox: Outbox,
    topics: Sequence[str],
    *,
    client_id: str,
    availability_topic: str = AVAILABILITY,
) -> MqttLink:
    password = config.mqtt.password
    return MqttLink(
        host=config.mqtt.host or "127.0.0.1",
        port=port,
        username=config.mqtt.username,
        password=None if password is None else password.get_secret_value(),
        protocol=config.mqtt.protocol,
        topics=topics,
        outbox=outbox,
        client_id=client_id,
        availability_topic=availability_topic,
    )

"""A broker for those who have none: iotcore as a child process on loopback."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from iotcore import Broker

_LISTENER = """
[{kind}.1]
name = "{kind}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{kind}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 65536
max_inflight_count = 100
dynamic_filters = true
"""
_ROUTER = """id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPorts:
    """Where the broker listens on loopback: one port for each version of MQTT."""

    mqtt_5: int
    mqtt_3: int


class EmbeddedBroker:
    """A broker that lives as long as this object's process; it has no access control, hence loopback only."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="roomwise-broker-")
        self._broker: Broker | None = None

    def start(self) -> BrokerPorts:
        """Start the broker and return its ports once it accepts connections.

        Raises
        ------
        RuntimeError
            The child process did not come up.
        """
        ports = BrokerPorts(mqtt_5=_free_port(), mqtt_3=_free_port())
        path = Path(self._folder.name) / "broker.toml"
        listeners = [
            _LISTENER.format(kind="v4", port=ports.mqtt_3),
            _LISTENER.format(kind="v5", port=ports.mqtt_5),
        ]
        path.write_text(_ROUTER + "".join(listeners), encoding="utf-8")
        self._broker = Broker(config_path=str(path))
        self._broker.start()
        return ports

    def stop(self) -> None:
        """End the broker; calling it twice does no harm."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

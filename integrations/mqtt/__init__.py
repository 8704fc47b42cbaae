"""MQTT: the client, the embedded broker, topics and discovery."""

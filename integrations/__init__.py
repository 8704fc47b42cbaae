"""Adapters to the outside: MQTT and Home Assistant."""

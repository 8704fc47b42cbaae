"""The words of routine YAML as frozen models."""

"""The Wyoming protocol of Home Assistant's voice pipeline, as client and as server."""

"""Home Assistant through its websocket API."""

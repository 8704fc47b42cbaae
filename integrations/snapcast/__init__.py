"""Snapcast's protocol: music that several players hear in step, as player and as server."""

"""Read what Home Assistant's users have, and write it as routines."""

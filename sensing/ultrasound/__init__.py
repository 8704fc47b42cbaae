"""Presence from the Doppler shift of an inaudible tone."""

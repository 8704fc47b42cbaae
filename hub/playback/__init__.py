"""What plays now: sounds, speech, ducking and the mix with the carrier."""

"""What spatial playback is measured on: measured heads, and the rivals beside."""

"""Numbers that the parts of the package must agree on."""

LARGEST_DRIFT = 2e-4
"""Two crystals at the ends of their tolerance, each 100 ppm off."""
LARGEST_CORRECTION = 5e-4
"""How far playback may be faster or slower: 500 ppm, 0.9 cents of a semitone's hundred."""
LARGEST_SLEW_PER_SECOND = 2e-4
"""How fast that may change."""

"""Numbers that the parts of the package must agree on."""

LARGEST_DRIFT = 2e-4
"""Two crystals at the ends of their tolerance, each 100 ppm off."""
LARGEST_CORRECTION = 5e-4
"""How far playback may be faster or slower: 500 ppm, 0.9 cents of a semitone's hundred."""
LARGEST_SLEW_PER_SECOND = 2e-4
"""How fast that may change."""
SETTLED_READINGS = 200
"""So many reports of a card, each wrong by 200 us, make its clock known to 30; some give few a second."""
SETTLED_SIGMA_SECONDS = 1e-4
"""What chirps find of a server's clock that is known worse would not be true for long."""

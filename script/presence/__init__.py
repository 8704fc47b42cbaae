"""The parts of the presence bench."""

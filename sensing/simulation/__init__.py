"""A simulated room that renders what the microphones would hear."""

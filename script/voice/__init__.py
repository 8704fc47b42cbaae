"""The parts of the voice benches."""

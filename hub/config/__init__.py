"""Read hub.yaml, routines and secrets, and report every problem at once."""

"""Voice activity, wake word and speech recognition."""

"""SQLite memory of runs and states."""

"""What can go wrong in sensing besides wrong arguments."""

from __future__ import annotations


class ModelDamaged(Exception):
    """A model's file is missing or is not the file that was shipped; the message says what to do."""


class CannotCalibrate(Exception):
    """What was measured is not enough to choose a carrier; the message says what to do."""


class ModelUnusable(Exception):
    """A user's own model cannot be loaded, or what runs it is not installed; the message says what to do."""

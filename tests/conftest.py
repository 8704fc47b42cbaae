"""Shared fixtures: where the recordings and rigs lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def recordings_folder(name: str) -> Path:
    """Return a folder of recordings, or skip the test with the reason."""
    base = Path(os.environ.get("ROOMWISE_DATA", SHARED / "data"))
    folder = base / name
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder} (set ROOMWISE_DATA)")
    return folder


def rig_folder(name: str) -> Path:
    """Return the folder of a test rig, or skip the test with the reason."""
    folder = Path(os.environ.get("ROOMWISE_RIGS", SHARED / "rigs")) / name
    if not folder.is_dir():
        pytest.skip(f"no rig at {folder} (set ROOMWISE_RIGS)")
    return folder

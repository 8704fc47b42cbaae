"""Shared fixtures: where the recordings and rigs lie, and a log for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Let no test log to where a command of another one has sent the log."""
    yield
    structlog.reset_defaults()


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

"""Logs on stderr: a console for people, JSON for machines, secrets and speech left out."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogLevel = Literal["debug", "info", "warning", "error"]

_PRIVATE = frozenset({"token", "password", "secret", "text", "transcript", "audio"})
"""Keys whose values never reach a log: credentials, and what people said at home."""

_HIDDEN = "[hidden]"


def hide_private(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace the values of private keys, at any depth of mappings."""
    del logger, method
    _hide(event)
    return event


def _hide(mapping: MutableMapping[str, object]) -> None:
    for key, value in list(mapping.items()):
        if isinstance(key, str) and any(part in _PRIVATE for part in key.lower().split("_")):
            mapping[key] = _HIDDEN
        elif isinstance(value, dict):
            copy = dict(value)  # the caller's own dictionary must stay as it is
            _hide(copy)
            mapping[key] = copy


def configure_log(level: LogLevel, *, json: bool) -> None:
    """Send logs of a level and above to stderr.

    Parameters
    ----------
    json : bool
        One JSON object a line (for a service) instead of coloured text (for a terminal).
    """
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        hide_private,
    ]
    if json:
        processors += [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

"""One JSON line per batch of work and per change of state, on standard error or in a file."""

import sys
from typing import TextIO

import structlog


def set_up(*, pretty: bool = False, file: TextIO = sys.stderr) -> None:
    """Call once at the start of a process. Keys: `at`, `level`, `service`, `event` and what the line is about."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )


def logger(service: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines carry `service=`."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(service=service)
    return log

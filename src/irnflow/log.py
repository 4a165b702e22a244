"""One JSON line per batch of work and per change of state, on standard error or in a file."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, TextIO, TypeAlias

import structlog

Became: TypeAlias = tuple[str, object, str, str]  # what, account id, batch number (unique in its account), transaction
Named: TypeAlias = dict[str, dict[str, list[str]]]

_BATCH_SHOWN: Final = 100  # characters; more are a stranger's


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


def transactions(became: Iterable[Became]) -> Named:
    """Transactions as a line names them: {what became of them: {account/batch: [ids]}}.

    What became of one is the state that it came to, in capitals, or else a word in small letters.
    """
    ids: defaultdict[tuple[str, object, str], list[str]] = defaultdict(list)
    for what, account_id, batch_no, transaction_id in became:
        ids[what, account_id, batch_no].append(transaction_id)
    named: Named = {}
    for (what, account_id, batch_no), of_batch in ids.items():
        batch = f"{account_id}/{batch_no}"[:_BATCH_SHOWN]
        named.setdefault(what, {}).setdefault(batch, []).extend(of_batch)
    return named

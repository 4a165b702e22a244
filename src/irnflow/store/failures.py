"""Failures: the worklist that people mend from, and the dead letters that name no transaction of ours."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from irnflow.gst.faults import Fault
from irnflow.messages import State
from irnflow.store.database import Database, Row, queries

SQL: Final = queries("failures")


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that a person has to look at, and why."""

    batch_id: int
    transaction_id: str
    account_id: int
    stage: str  # the service whose work failed
    cause: str
    says: str
    fix: str
    faults: tuple[Fault, ...]
    attempts: int
    message: bytes  # what failed, as it stood in the queue
    at: datetime
    failing: State  # the state that it puts the transaction in


class Buried(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter that can't be put down to a transaction."""

    message_id: str
    queue: str
    reason: str
    headers: Mapping[str, str | int]
    body: bytes


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which open failures: those that meet all that is said."""

    stage: str | None = None
    cause: str | None = None
    batch_no: str | None = None
    transaction_ids: list[str] | None = None


async def record(database: Database, failures: Sequence[Failure]) -> None:
    """Keep them, each once. Raises DataError when one names a transaction that isn't its account's."""
    await database.fetch(
        SQL["record"],
        [failure.batch_id for failure in failures],
        [failure.transaction_id for failure in failures],
        [failure.account_id for failure in failures],
        [failure.stage for failure in failures],
        [failure.cause for failure in failures],
        [_storable(failure.says) for failure in failures],
        [_storable(failure.fix) for failure in failures],
        [_json(failure.faults) for failure in failures],
        [failure.attempts for failure in failures],
        [failure.message.decode() if _is_storable(failure.message) else None for failure in failures],
        [None if _is_storable(failure.message) else failure.message for failure in failures],
        [failure.at for failure in failures],
        [failure.failing for failure in failures],
    )


async def known(database: Database, failures: Sequence[Failure]) -> set[tuple[int, str]]:
    """The transactions of those failures that are there, by batch id and transaction id."""
    rows = await database.fetch(
        SQL["known"],
        [failure.batch_id for failure in failures],
        [_storable(failure.transaction_id) for failure in failures],
        [failure.account_id for failure in failures],
    )
    return {(row["batch_id"], row["transaction_id"]) for row in rows}


async def bury(database: Database, letters: Sequence[Buried], *, at: datetime) -> None:
    """Keep them as they came, each once."""
    await database.fetch(
        SQL["keep_dead_letters"],
        [_storable(letter.message_id) or hashlib.sha256(letter.body).hexdigest() for letter in letters],
        [_storable(letter.queue) for letter in letters],
        [_storable(letter.reason) for letter in letters],
        [_json(letter.headers) for letter in letters],
        [letter.body for letter in letters],
        at,
    )


async def open_by_cause(
    database: Database, account_id: int, *, batch_id: int | None, after: tuple[str, str], most: int
) -> Sequence[Row]:
    """Open failures in groups by stage and cause, in that order, after the group `after`."""
    return await database.fetch(SQL["open_by_cause"], account_id, batch_id, *after, most)


async def retry(
    database: Database, account_id: int, choice: Choice, *, most: int, idempotency_key: str | None, at: datetime
) -> Row:
    """Send open failures again as a new batch: outcome, batch_id, batch_no, retry_of, transaction_ids."""
    rows = await database.fetch(
        SQL["retry"],
        account_id,
        choice.stage,
        choice.cause,
        choice.batch_no,
        choice.transaction_ids,
        most,
        idempotency_key,
        at,
    )
    return rows[0]


def _storable(text: str) -> str:
    """PostgreSQL keeps every character but NUL."""
    return text.replace("\0", "\ufffd")


def _is_storable(body: bytes) -> bool:
    """Whether jsonb takes it: JSON, and no NUL in any of its texts."""
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return b"\\u0000" not in body


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode().replace("\\u0000", "\\ufffd")

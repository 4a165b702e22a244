"""Batches: taken in once, shown page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from irnflow.store.database import Database, Row, queries

SQL: Final = queries("batches")
NEWEST: Final = 2**63 - 1  # above every batch id


async def intake(
    database: Database,
    account_id: int,
    voucher_ids: Sequence[str],
    *,
    batch_no: str | None,
    books: str | None,
    idempotency_key: str | None,
    at: datetime,
) -> Row:
    """Make a batch of vouchers: outcome (see 0002_intake.sql), batch_id, batch_no. Committed when it returns."""
    rows = await database.fetch(SQL["intake"], account_id, batch_no, books, voucher_ids, idempotency_key, at)
    return rows[0]


async def newest(database: Database, account_id: int, *, below: int, most: int) -> Sequence[Row]:
    """Batches of an account, newest first, of ids below `below`."""
    return await database.fetch(SQL["newest"], account_id, below, most)


async def one(database: Database, account_id: int, batch_no: str) -> Row | None:
    """A batch of an account by its number."""
    rows = await database.fetch(SQL["one"], account_id, batch_no)
    return rows[0] if rows else None


async def transactions(database: Database, batch_id: int, *, after: int, state: str | None, most: int) -> Sequence[Row]:
    """Transactions of a batch in the order of the request, of ordinals above `after`, of one state or all."""
    return await database.fetch(SQL["transactions"], batch_id, after, state, most)


async def history(database: Database, batch_id: int, transaction_id: str) -> Sequence[Row]:
    """A row for each event of a transaction, or one without; none when the batch doesn't have it."""
    return await database.fetch(SQL["history"], batch_id, transaction_id)

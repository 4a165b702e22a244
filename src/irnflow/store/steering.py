"""Steering: pauses that people make and end, and batches that they take back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from irnflow.store.database import Database, Row, queries

SQL: Final = queries("steering")


async def withdraw(database: Database, account_id: int, batch_no: str, *, at: datetime) -> int | None:
    """How many vouchers of a batch are certainly taken back; None when the account has no such batch."""
    taken_back: int | None = (await database.fetch(SQL["withdraw"], account_id, batch_no, at))[0]["taken_back"]
    return taken_back


async def pause_batch(
    database: Database, account_id: int, batch_no: str, *, reason: str, by: str, at: datetime
) -> bool:
    """Whether the account has it; from now on nothing of it is released or sent."""
    return bool(await database.fetch(SQL["pause_batch"], account_id, batch_no, reason, by, at))


async def resume_batch(database: Database, account_id: int, batch_no: str) -> bool:
    """Whether the account has it."""
    return bool(await database.fetch(SQL["resume_batch"], account_id, batch_no))


async def pause_gstin(database: Database, account_id: int, gstin: str, *, reason: str, by: str, at: datetime) -> bool:
    """Whether the account has it; from now on nothing of it is sent."""
    return bool(await database.fetch(SQL["pause_gstin"], account_id, gstin, reason, by, at))


async def resume_gstin(database: Database, account_id: int, gstin: str, *, family: str | None = None) -> bool:
    """Whether the account has it; it goes on, whoever stopped it, and so do its logins, or only that to a family."""
    return bool(await database.fetch(SQL["resume_gstin"], account_id, gstin, family))


async def pause_portal(database: Database, portal: str, *, reason: str, by: str, at: datetime) -> None:
    """From now on nobody calls it; new documents go to another, if there is one."""
    await database.fetch(SQL["pause_portal"], portal, reason, by, at)


async def resume_portal(database: Database, portal: str) -> bool:
    """Whether it was paused."""
    return bool(await database.fetch(SQL["resume_portal"], portal))


async def stands(database: Database, account_id: int, what: str, key: str) -> bool:
    """Whether this batch, GSTIN or portal stands still, for whatever reason."""
    return any((row["what"], row["key"]) == (what, key) for row in await standing(database, account_id))


async def standing(database: Database, account_id: int) -> Sequence[Row]:
    """What stands still of an account, and which portals: what, key, reason, by, at (None: it stopped by itself)."""
    return await database.fetch(SQL["standing"], account_id)

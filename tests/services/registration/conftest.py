"""Registration's rules on a real PostgreSQL: requests arrive, calls are settled, by hand."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from irnflow.store import database
from irnflow.store.database import Postgres, Row, queries

SQL = queries("registration")
NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
GSTIN = "29AAFCC9980M1ZR"


def irn_of(number: str) -> str:
    return hashlib.sha256(f"{GSTIN}2026-27INV{number}".encode()).hexdigest()


class Desk:
    """What tests do to the store, in the words of the rules."""

    def __init__(self, store: Postgres) -> None:
        self.store = store
        self.at = NOON

    async def arrive(self, batch: int, voucher: str, number: str, payload: bytes = b"{}") -> Row:
        columns = [
            [batch],
            [voucher],
            [f"B{batch}"],
            [1],
            ["main"],
            ["r"],
            [irn_of(number)],
            [GSTIN],
            ["INV"],
            [number],
        ]
        rest = [["22/11/2026"], [hashlib.sha256(payload).digest()], [payload]]
        return (await self.store.fetch(SQL["arrive"], *columns, *rest, "NIC1", self.at))[0]

    async def lease(self, most: int = 10) -> Sequence[Row]:
        return await self.store.fetch(SQL["lease"], self.at, self.at + timedelta(seconds=90), most)

    async def settle(self, leased: Row, outcome: str, **said: Any) -> Sequence[Row]:
        result: dict[str, Any] = {
            "irn": leased["irn"], "attempt": leased["attempt"], "send": leased["send"], "what": "send",
            "outcome": outcome, "answer": outcome, "codes": "", "says": "", "verdict": None, "ack_no": None,
            "ack_dt": None, "signed_invoice": None, "signed_qr": None, "verified": None, "not_there": 0,
            "next_at": self.at,
        } | said  # fmt: skip
        return await self.store.fetch(SQL["settle"], *([value] for value in result.values()), self.at, self.at)

    async def accept(self, leased: Row) -> Sequence[Row]:
        return await self.settle(leased, "ACCEPTED", ack_no="1", ack_dt="2026-11-22 12:00:00", verified=True)

    async def refuse(self, leased: Row) -> Sequence[Row]:
        return await self.settle(leased, "REJECTED", verdict='{"cause": "portal.2176", "faults": [{"code": "x"}]}')

    async def untold(self) -> Sequence[Row]:
        return await self.store.fetch(SQL["untold"], self.at, self.at + timedelta(seconds=30), 100)

    async def expire(self) -> int:
        return int((await self.store.fetch(SQL["expire"], self.at, self.at))[0]["n"])

    async def due(self) -> Sequence[Row]:
        return await self.store.fetch(SQL["due"], self.at, self.at + timedelta(minutes=5), 100)

    async def state(self, number: str) -> str:
        rows = await self.store.fetch(
            "select state::text from irnflow.registration where irn = $1::text", irn_of(number)
        )
        return str(rows[0]["state"])

    async def ledger(self, number: str) -> list[str]:
        sql = "select outcome from irnflow.attempt where irn = $1::text order by at, send, outcome = 'INTENT' desc"
        return [row["outcome"] for row in await self.store.fetch(sql, irn_of(number))]

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with database.connect(database_url) as store:
        await store.fetch("insert into irnflow.account (name, created_at) values ('us', $1::timestamptz)", NOON)
        await store.fetch(
            "insert into irnflow.gstin (gstin, account_id, portal, username, client_id, sealed_secret, sealed_password)"
            " values ($1::text, 1, 'NIC1', 'u', 'c', '', '')",
            GSTIN,
        )
        yield Desk(store)

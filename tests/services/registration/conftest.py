"""Registration's rules on a real PostgreSQL, by hand; and registration with a sandbox portal, a step at a time."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow import log
from irnflow.bus import memory
from irnflow.messages import Validated
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.client import Lost, Portal, Reply, Request
from irnflow.portal.several import Line, Portals
from irnflow.portal.signing_keys import read_keys
from irnflow.sandbox.identity import Identity, open_identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Failure, Order
from irnflow.sandbox.taxpayers import read_taxpayers
from irnflow.services import registration
from irnflow.services.registration.lifecycle.acting import carry_out, lease
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.resolver import look_up
from irnflow.services.registration.sender import generate, leased_of, settle
from irnflow.services.registration.sessions import Sessions
from irnflow.services.registration.teller import tell
from irnflow.store import accounts, database, lifecycle
from irnflow.store.database import Postgres, Row, queries
from irnflow.store.secrets import KeyRing

SQL = queries("registration")
NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
GSTIN = "29AAFCC9980M1ZR"
KEY = KeyRing([bytes(32)])
Ways = tuple[list[str], list[str], list[float | None]]  # portals, their families, their limits in calls a second
WAYS: Ways = (["NIC1"], ["NIC"], [None])


def irn_of(number: str) -> str:
    return hashlib.sha256(f"{GSTIN}2026-27INV{number}".encode()).hexdigest()


class Desk:
    """What tests do to the store, in the words of the rules."""

    def __init__(self, store: Postgres) -> None:
        self.store = store
        self.at = NOON

    async def arrive(self, batch: int, voucher: str, number: str, payload: bytes = b"{}", *, gstin: str = GSTIN) -> Row:
        columns = [
            [batch],
            [voucher],
            [f"B{batch}"],
            [1],
            ["main"],
            ["r"],
            [irn_of(number)],
            [gstin],
            ["INV"],
            [number],
        ]
        rest = [["22/11/2026"], [hashlib.sha256(payload).digest()], [payload], [date(2026, 11, 22)]]
        return (await self.store.fetch(SQL["arrive"], *columns, *rest, "NIC1", self.at))[0]

    async def lease(self, most: int = 10, *, ways: Ways = WAYS, busy: Mapping[str, int] = {}) -> Sequence[Row]:
        until = self.at + timedelta(seconds=90)
        return await self.store.fetch(SQL["lease"], self.at, until, most, *ways, list(busy), list(busy.values()), 1_000)

    async def settle(self, leased: Row, outcome: str, **said: Any) -> Sequence[Row]:
        result: dict[str, Any] = {
            "irn": leased["irn"], "attempt": leased["attempt"], "send": leased["send"], "what": "send",
            "outcome": outcome, "answer": outcome, "codes": "", "says": "", "verdict": None, "ack_no": None,
            "ack_dt": None, "signed_invoice": None, "signed_qr": None, "verified": None, "not_there": 0,
            "next_at": self.at, "portal": None,
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

    async def due(self, *, ways: Ways = WAYS) -> Sequence[Row]:
        until = self.at + timedelta(minutes=5)
        return await self.store.fetch(SQL["due"], self.at, until, 100, ways[0], ways[2])

    async def state(self, number: str) -> str:
        rows = await self.store.fetch(
            "select state::text from irnflow.registration where irn = $1::text", irn_of(number)
        )
        return str(rows[0]["state"])

    async def ledger(self, number: str) -> list[str]:
        sql = "select outcome from irnflow.attempt where irn = $1::text order by at, send, outcome = 'INTENT' desc"
        return [row["outcome"] for row in await self.store.fetch(sql, irn_of(number))]

    async def stopped(self) -> str | None:
        """Why nothing of the GSTIN is sent."""
        sql = "select irnflow.why_stopped($1::text) as stopped"
        stopped: str | None = (await self.store.fetch(sql, GSTIN))[0]["stopped"]
        return stopped

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with database.connect(database_url) as store:
        await store.fetch("insert into irnflow.account (name, created_at) values ('us', $1::timestamptz)", NOON)
        await store.fetch(
            "with g as (insert into irnflow.gstin (gstin, account_id) values ($1::text, 1))"
            " insert into irnflow.credentials values ($1::text, 'NIC', 'u', 'c', '', '')",
            GSTIN,
        )
        yield Desk(store)


def invoice(number: str = "A/1", **changes: Any) -> bytes:
    party = {"LglNm": "Asha Traders", "Addr1": "1 MG Road", "Loc": "Bengaluru", "Pin": 560001, "Stcd": "29"}
    item = {
        "SlNo": "1", "PrdDesc": "Rice", "IsServc": "N", "HsnCd": "10063020", "Qty": 1, "Unit": "KGS", "UnitPrice": 100,
        "TotAmt": 100, "AssAmt": 100, "GstRt": 5, "CgstAmt": 2.5, "SgstAmt": 2.5, "TotItemVal": 105,
    } | changes  # fmt: skip
    return json.dumps({
        "Version": "1.1",
        "TranDtls": {"TaxSch": "GST", "SupTyp": "B2B"},
        "DocDtls": {"Typ": "INV", "No": number, "Dt": "22/11/2026"},
        "SellerDtls": party | {"Gstin": GSTIN},
        "BuyerDtls": party | {"Gstin": "29AWGPV7107B1Z1", "LglNm": "Ravi Stores", "Pos": "29"},
        "ItemList": [item],
        "ValDtls": {"AssVal": 100, "CgstVal": 2.5, "SgstVal": 2.5, "TotInvVal": 105},
    }).encode()  # fmt: skip


class Room:
    """Registration with its parts, driven a step at a time."""

    def __init__(self, desk: Desk, broker: memory.Broker, sandbox: Sandbox, parts: Parts) -> None:
        self.desk = desk
        self.broker = broker
        self.sandbox = sandbox
        self.parts = parts

    async def arrive(self, number: str = "A/1", payload: bytes | None = None, batch: int = 1) -> None:
        payload = payload or invoice(number)
        await registration.handle([validated(number, payload, batch)], parts=self.parts)

    async def send(self) -> None:
        """Lease, call and settle once."""
        for row in await self.desk.lease():
            await settle(self.parts, [await generate(self.parts, leased_of(row))])

    async def resolve(self) -> None:
        for row in await self.desk.due():
            await settle(self.parts, [await look_up(self.parts, leased_of(row))])
        await tell(self.parts, await self.desk.untold())

    def said(self, queue: str) -> list[dict[str, Any]]:
        return [json.loads(delivery.body) for delivery in self.broker.ready(queue)]

    def statuses(self) -> list[str]:
        return [delivery.routing_key for delivery in self.broker.ready("status_queue")]

    @property
    def generates(self) -> int:
        return self.sandbox.calls["generate"]


async def act(parts: Parts) -> int:
    """Lease actions, carry them out and settle them, once; gives how many."""
    leased = await lease(parts)
    await asyncio.gather(*(carry_out(parts, each) for each in leased))
    return len(leased)


async def untold(room: Room) -> Sequence[Row]:
    """The actions to tell, for the first time or after ten minutes again."""
    at = room.desk.at
    return await room.desk.store.fetch(
        lifecycle.SQL["untold"], at, at + timedelta(seconds=30), timedelta(minutes=10), 100
    )


def validated(number: str, payload: bytes, batch: int = 1) -> Validated:
    return Validated(
        batch_id=batch, batch_no=f"B{batch}", transaction_id=number, account_id=1, books="main", read_digest="r",
        gstin=GSTIN, doc_typ="INV", doc_no=number, doc_dt="22/11/2026", irn=irn_of(number), rule_pack="test",
        validated_at=NOON, payload=msgspec.Raw(payload),
    )  # fmt: skip


async def set_credentials(desk: Desk, identity: Identity, family: str = "NIC", **changes: str) -> None:
    """A person sets what the GSTIN logs in with."""
    known = identity.credentials
    credentials = accounts.Credentials(
        family=family, username=known.username, client_id=known.client_id, client_secret=known.client_secret,
        password=known.password,
    )  # fmt: skip
    await accounts.add_gstin(
        desk.store, KEY, GSTIN, account_id=1, credentials=msgspec.structs.replace(credentials, **changes)
    )


def next_fails(room: Room, n: int = 1, **how: Any) -> None:
    room.sandbox.obey(Order(fail_next=Failure(n=n, **how)))


@pytest.fixture(scope="session")
def portal_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
def identity(portal_folder: Path) -> Identity:
    return open_identity(portal_folder, now=NOON, random_bytes=os.urandom)


@pytest.fixture
async def room(desk: Desk, portal_folder: Path, identity: Identity) -> AsyncIterator[Room]:
    sandbox = Sandbox(
        identity=identity,
        register=Register(),
        taxpayers=read_taxpayers(portal_folder / "none.json", any_check_digit=True),
        random_bytes=os.urandom,
    )

    async def send(request: Request) -> Reply:
        answer = sandbox.call(request.method, request.path, request.headers, request.body, now=desk.at)
        if answer.lost:
            raise Lost("the connection broke")
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    await set_credentials(desk, identity)
    portal = Portal(send, read_auth_key(portal_folder / "auth_public.pem"))
    line = Line(name="NIC1", family="NIC", portal=portal, keys=read_keys(portal_folder / "signing_keys"))
    broker = memory.Broker()
    async with broker.connect("registration") as bus:
        parts = Parts(
            bus=bus, database=desk.store, portals=Portals([line]),
            sessions={
                "NIC": Sessions(
                    portal, desk.store, name="NIC", key=KEY, now=lambda: desk.at, random_bytes=os.urandom
                )
            },
            now=lambda: desk.at, log=log.logger("registration"), concurrency=8,
            deadline=timedelta(seconds=30), settle=timedelta(seconds=60), gap=timedelta(seconds=60),
        )  # fmt: skip
        yield Room(desk, broker, sandbox, parts)
    sandbox.register.close()

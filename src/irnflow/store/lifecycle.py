"""What is asked of an IRN after its registration, by the API and the command: put on record here, done by registration.

The rules are in migrations/0006_lifecycle.sql, where they are enforced.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from irnflow.settings import Settings
from irnflow.store.database import Database, Row, queries

SQL: Final = queries("lifecycle")
BILL_REMARK_MOST: Final = 50  # characters; unverified: the e-way bill system's own rule
NEWEST: Final = 2**62

# What a refusal says, by its outcome; {fact} is what the store knows of it.
REFUSALS: Final[Mapping[str, str]] = {
    "UNKNOWN_IRN": "The account has no such IRN.",
    "NOT_REGISTERED": "The portal has not registered it (yet): the document is {fact}. There is nothing to do there.",
    "CANCELLED": "The IRN is cancelled already.",
    "OTHER_REQUEST": "Something else was asked for it before, action {fact}, which is done or under way.",
    "TOO_LATE": "The portal took it until {fact} (IST), and refuses it from then on. "
                "An invoice is undone by a credit note.",
    "BILL_ACTIVE": "E-way bill {fact} is active: the portal cancels no IRN while goods may travel with it, "
                   "and makes no second bill. Cancel the bill first, or both in one request.",
    "BILL_UNDER_WAY": "Its e-way bill is being made: wait for what comes of that.",
    "NO_BILL": "It has no active e-way bill here. If one was made elsewhere, fetch it first.",
    "NO_GOODS": "E-way bills are for invoices with goods: not for credit notes, debit notes, or services alone.",
}  # fmt: skip


class ActionKind(StrEnum):
    """What is asked of the portal."""

    CANCEL = "CANCEL"  # the IRN
    EWAY_BILL = "EWAY_BILL"  # made for the IRN
    EWAY_BILL_CANCEL = "EWAY_BILL_CANCEL"
    EWAY_BILL_FETCH = "EWAY_BILL_FETCH"  # which one the portal has


class ActionState(StrEnum):
    """How an action stands (migrations/0006_lifecycle.sql)."""

    WAITING = "WAITING"
    READY = "READY"
    INTENT = "INTENT"
    UNKNOWN = "UNKNOWN"
    DONE = "DONE"
    FAILED = "FAILED"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request: the action, or the refusal's words."""

    irn: str
    outcome: str  # ACCEPTED, REPEATED, or a key of REFUSALS
    action_id: int | None
    says: str = ""

    @property
    def refused(self) -> bool:
        return self.outcome in REFUSALS


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """For how long what is registered may be cancelled; the defaults are those of the settings."""

    cancel: timedelta = timedelta(hours=24)  # an IRN, since its acknowledgement: 2270
    eway_bill_cancel: timedelta = timedelta(hours=24)  # an e-way bill, since it was made; unverified


def windows_of(settings: Settings) -> Windows:
    """As the settings say: for whoever asks, and for registration, which looks again before it calls."""
    return Windows(
        cancel=timedelta(seconds=settings.cancel_window_s),
        eway_bill_cancel=timedelta(seconds=settings.eway_bill_cancel_window_s),
    )


# Why an IRN or an e-way bill may be cancelled, by the portal's number.
REASONS: Final[Mapping[int, str]] = {1: "duplicate", 2: "data entry mistake", 3: "order cancelled", 4: "others"}


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is cancelled."""

    reason: int  # one of REASONS
    remark: str


async def cancel(
    database: Database,
    account_id: int,
    irns: Sequence[str],
    why: Cancellation,
    *,
    eway_bill: bool,  # cancel its e-way bill first, where it has one
    windows: Windows,
    by: str,
    at: datetime,
) -> list[Asked]:
    """Ask for IRNs to be cancelled; one answer each, in their order. The same again is the same action."""
    bill = msgspec.structs.replace(why, remark=why.remark[:BILL_REMARK_MOST]) if eway_bill else None
    rows = await database.fetch(
        SQL["cancel"], account_id, sorted(irns), _json(why), _json(bill) if bill else None, by, at, windows.cancel,
        windows.eway_bill_cancel,
    )  # fmt: skip
    asked = {row["irn"]: _asked(row["irn"], row) for row in rows}
    return [asked[irn] for irn in irns]


async def eway_bill(
    database: Database, account_id: int, irn: str, request: Mapping[str, Any], *, by: str, at: datetime
) -> Asked:
    """Ask for the e-way bill of an IRN."""
    rows = await database.fetch(SQL["eway_bill"], account_id, irn, _json(request), by, at)
    return _asked(irn, rows[0])


async def cancel_eway_bill(
    database: Database, account_id: int, irn: str, why: Cancellation, *, windows: Windows, by: str, at: datetime
) -> Asked:
    """Ask for the e-way bill of an IRN to be cancelled."""
    rows = await database.fetch(SQL["eway_bill_cancel"], account_id, irn, _json(why), by, at, windows.eway_bill_cancel)
    return _asked(irn, rows[0])


async def fetch_eway_bill(database: Database, account_id: int, irn: str, *, by: str, at: datetime) -> Asked:
    """Ask the portal which e-way bill an IRN has."""
    return _asked(irn, (await database.fetch(SQL["eway_bill_fetch"], account_id, irn, by, at))[0])


async def irn(database: Database, account_id: int, irn: str) -> Row | None:
    """A document at the portal."""
    rows = await database.fetch(SQL["irn"], account_id, irn)
    return rows[0] if rows else None


async def payload(database: Database, account_id: int, irn: str) -> bytes | None:
    """The INV-01 that was sent of a document."""
    rows = await database.fetch(SQL["payload"], account_id, irn)
    return rows[0]["payload"].encode() if rows else None


async def bills(database: Database, irn: str) -> Sequence[Row]:
    """The e-way bills of an IRN, the active one first."""
    return await database.fetch(SQL["bills"], irn)


async def actions(
    database: Database,
    account_id: int,
    *,
    below: int = NEWEST,
    irn: str | None = None,
    kind: str | None = None,
    state: str | None = None,
    ids: Sequence[int] | None = None,
    most: int,
) -> Sequence[Row]:
    """Actions of an account, newest first."""
    return await database.fetch(SQL["actions"], account_id, below, irn, kind, state, ids, most)


async def want_gstin(
    database: Database, account_id: int, gstin: str, *, sync: bool, max_age: timedelta, at: datetime
) -> Row:
    """What is known of a GSTIN; registration asks the portal when that is older than `max_age`, or `sync` says so."""
    return (await database.fetch(SQL["gstin_want"], gstin, account_id, sync, max_age, at))[0]


async def gstin(database: Database, gstin: str) -> Row:
    """What is known of a GSTIN that was wanted."""
    return (await database.fetch(SQL["gstin"], gstin))[0]


def _asked(irn: str, row: Row) -> Asked:
    words = REFUSALS.get(row["outcome"], "")
    return Asked(irn=irn, outcome=row["outcome"], action_id=row["action_id"], says=words.format(fact=row["fact"]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

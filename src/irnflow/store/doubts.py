"""Documents and actions in doubt, and what people decide of them (migrations/0007_doubt.sql)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.settings import Settings
from irnflow.store.database import Database, Row, queries

SQL: Final = queries("doubts")


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When what may be done about a doubt; the defaults are those of the settings."""

    settle: timedelta = timedelta(seconds=150)  # after the send: a late call can no longer arrive
    gap: timedelta = timedelta(seconds=60)  # between two look-ups that must both say "not there"
    window: timedelta = timedelta(hours=40)  # after the send: then a person decides
    alarm: timedelta = timedelta(hours=1)
    page: timedelta = timedelta(hours=12)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants done about one document, or one action of its life, for the record."""

    account_id: int
    irn: str = ""
    action_id: int = 0
    by: str
    reason: str
    at: datetime


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The portal's signed document, verified."""

    ack_no: str
    ack_dt: str
    signed_invoice: str
    signed_qr: str | None


def times_of(settings: Settings) -> Times:
    """A call begins within the slack after its lease, ends by its deadline, and has then time to settle."""
    waits_s = settings.portal_slack_s + settings.portal_deadline_s + settings.lookup_settle_s
    return Times(
        settle=timedelta(seconds=waits_s),
        gap=timedelta(seconds=settings.lookup_gap_s),
        window=timedelta(seconds=settings.lookup_window_s),
        alarm=timedelta(seconds=settings.doubt_alarm_s),
        page=timedelta(seconds=settings.doubt_page_s),
    )


async def still_open(
    database: Database, account_id: int, *, after: tuple[datetime, str], most: int
) -> Sequence[Row]:  # fmt: skip
    """An account's documents in doubt behind a position (sent_at, irn), the oldest first."""
    return await database.fetch(SQL["open"], account_id, *after, most)


async def sent(database: Database, account_id: int, irn: str) -> Row | None:
    """What was sent of a document, and what has become of it; None when the account has no such document."""
    rows = await database.fetch(SQL["sent"], account_id, irn)
    return rows[0] if rows else None


async def look(database: Database, wanted: Decision, times: Times) -> Row:
    """Have the portal asked as soon as that tells anything. `outcome`: DONE, NO_SUCH, or a state that is no doubt."""
    about = wanted.account_id, wanted.irn
    rows = await database.fetch(SQL["look"], *about, times.settle, times.gap, wanted.by, wanted.reason, wanted.at)
    return rows[0]


async def send_again(database: Database, wanted: Decision, times: Times) -> Row:
    """Let the identical payload go once more to the same portal. `outcome`: as of `look`, or TOO_EARLY."""
    about = wanted.account_id, wanted.irn
    rows = await database.fetch(SQL["send_again"], *about, times.window, wanted.by, wanted.reason, wanted.at)
    return rows[0]


async def bring_document(database: Database, wanted: Decision, times: Times, signed: Signed, *, attempt: int) -> Row:
    """Accept by its signed document what was sent as this attempt. `outcome`: as of `send_again`."""
    rows = await database.fetch(
        SQL["document"], wanted.account_id, wanted.irn, attempt, times.window, signed.ack_no, signed.ack_dt,
        signed.signed_invoice, signed.signed_qr, wanted.by, wanted.reason, wanted.at,
    )  # fmt: skip
    return rows[0]


async def actions(database: Database, account_id: int, *, most: int) -> Sequence[Row]:
    """An account's actions in doubt, the oldest first."""
    return await database.fetch(SQL["actions"], account_id, most)


async def look_at_action(database: Database, wanted: Decision, times: Times) -> Row:
    """As `look`, how an action stands."""
    about = wanted.account_id, wanted.action_id
    return (await database.fetch(
        SQL["look_action"], *about, times.settle, times.gap, wanted.by, wanted.reason, wanted.at))[0]  # fmt: skip


async def decide_action(database: Database, wanted: Decision, times: Times, *, done: bool, ewb_no: str | None) -> Row:
    """An action ended so. `outcome`: as of `send_again`; BILL_NUMBER: only of a bill that was made it is said."""
    about = wanted.account_id, wanted.action_id
    return (await database.fetch(
        SQL["decide_action"], *about, done, ewb_no, times.window, wanted.by, wanted.reason, wanted.at))[0]  # fmt: skip

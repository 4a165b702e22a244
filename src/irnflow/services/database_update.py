"""Database update: write the IRN of each registered voucher into the books it came from, and that it was cancelled.

consumes   register_success_queue  Registered, also of what has been cancelled since
publishes  handle.update_error     UpdateFailed: no such voucher, or another IRN there; or written, but it had changed
           status.db_updated | status.db_update_failed; of a cancellation status.cancelled, either way
keeps      nothing of ours; in the books: status, IRN, AckNo, AckDt and signed QR, and no other column
repeated   the books have this IRN by then: the same is told again, and nothing is written

What the books say is read in the transaction that writes. An IRN that is there is never overwritten, so neither is a
cancellation: it writes all that the registration would have, so that a late success finds it. Books that don't answer,
or refuse the statement itself, are held.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Final, NamedTuple

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow.api.server import probes, serving
from irnflow.books import catalogue, shelf
from irnflow.books.rows import Voucher
from irnflow.books.shelf import Shelf, UnknownBooks
from irnflow.books.sql import CANCELLED, Mark, RefusedRow, SqlBooks
from irnflow.bus import rabbit
from irnflow.bus.batch import Answer, Consumer, Now, consume, reading
from irnflow.bus.port import Bus
from irnflow.log import logger
from irnflow.messages import Detail, Message, Registered, State, StatusChanged, UpdateFailed
from irnflow.settings import Settings

NAME = "database_update"


class Found(Enum):
    """What the books turned out to have, and so what was done."""

    AS_FETCHED = "the voucher as fetched: it has the IRN now"
    CHANGED = "the voucher, changed since the fetch: it has the IRN now"
    CANCELLED = "this IRN, cancelled: left alone"
    NOTHING = "no such voucher"
    OTHER_IRN = "another IRN, or one cancelled and cleared: left alone"
    UNTOUCHED = "a row that the statement did not reach"
    TO_CANCEL = "this IRN, not cancelled: it is now"
    TO_CANCEL_WHOLE = "no IRN yet: it has this one now, cancelled"
    REPLACED = "another IRN, or none and cancelled: left alone, for the cancelled one is gone from the books"


class Failure(NamedTuple):
    """What a person is told."""

    cause: str
    says: str
    fix: str


# One row a finding that a person must hear of; all others are success.
FAILURES: Final[Mapping[Found, Failure]] = {
    Found.CHANGED: Failure(
        "books.changed_since_fetch",
        "Its IRN is in the books, but the voucher was changed after it was read for registration.",
        "Compare it with the registered invoice. If it differs, undo the change, or cancel the IRN in time.",
    ),
    Found.NOTHING: Failure(
        "books.not_found_on_update",
        "It is registered, but there is no such voucher in the books any more.",
        "Restore the voucher and send it again, or cancel the IRN in time.",
    ),
    Found.OTHER_IRN: Failure(
        "books.other_irn",
        "It is registered, but the books have another IRN for it or call it cancelled; they were left as they are.",
        "Find out which is right. Clear IRN and status in the books and send the voucher again, or cancel the new IRN.",
    ),
    Found.UNTOUCHED: Failure(
        "books.not_written",
        "It is registered, but the update statement of these books reached no row of the voucher.",
        "Mend `registered` in the books file (docs/books.md), or the row that it doesn't take, and send it again.",
    ),
}
# Cause and fix where the books did not take it at all.
REFUSALS: Final[Mapping[type[Exception], tuple[str, str]]] = {
    UnknownBooks: ("books.unknown_books", "Name these books in the books file (docs/books.md) and send it again."),
    RefusedRow: ("books.refused_update", "Make room for the value in the books and send the voucher again."),
}
GAVE_UP: Final = ("books.gave_up", "See the log of database_update and send it again.")
# The same of a cancellation. To send it again is to cancel the IRN again: the portal isn't asked, the books are told.
CANCELLED_FAILURES: Final[Mapping[Found, Failure]] = {
    Found.NOTHING: Failure(
        "books.not_found_on_cancel",
        "Its IRN is cancelled, but there is no such voucher in the books any more.",
        "Nothing, if it was meant to go. Else restore the voucher and cancel the IRN again: the books are told anew.",
    ),
    Found.UNTOUCHED: Failure(
        "books.cancellation_not_written",
        "Its IRN is cancelled, but the statement of these books that says so reached no row of the voucher.",
        "Mend `cancelled` in the books file (docs/books.md), then cancel the IRN again: the books are told anew.",
    ),
}
AGAIN: Final = "Mend the books, then cancel the IRN again: the books are told anew."


async def handle(told: Sequence[Registered], *, books: Shelf, now: Now) -> list[Answer]:
    """Write all into their books at once; those of books that are down wait, the others don't."""
    found = await books.each(told, write)
    at = now()
    return [each if isinstance(each, Exception) else say(one, each, at) for one, each in zip(told, found, strict=True)]


def write(books: SqlBooks, told: Sequence[Registered]) -> list[Found]:
    """Read back, and write where no IRN stands, in one transaction; blocking."""
    found: list[Found] = []
    marks: list[Mark] = []
    cancelled: list[Mark] = []
    with books.writing() as open_books:
        there = open_books.read([each.transaction_id for each in told])
        for each in told:
            voucher = there.get(each.transaction_id)
            found.append(judge(each, voucher))
            if voucher and voucher.irn is None and found[-1] in _WRITES_IRN:
                marks.append(mark(each))
                # A second message of the same voucher finds it written.
                voucher = there[each.transaction_id] = msgspec.structs.replace(voucher, irn=each.irn)
            if voucher and found[-1] in _WRITES_CANCELLATION:
                cancelled.append(mark(each))
                there[each.transaction_id] = msgspec.structs.replace(voucher, einvoice_status=CANCELLED)
        untouched = open_books.registered(marks) | open_books.cancelled(cancelled)
    return [Found.UNTOUCHED if a.transaction_id in untouched else b for a, b in zip(told, found, strict=True)]


_WRITES_IRN: Final = (Found.AS_FETCHED, Found.CHANGED, Found.TO_CANCEL_WHOLE)
_WRITES_CANCELLATION: Final = (Found.TO_CANCEL, Found.TO_CANCEL_WHOLE)


def judge(told: Registered, voucher: Voucher | None) -> Found:
    """What the books have for it."""
    if voucher is None:
        return Found.NOTHING
    cancelled = voucher.einvoice_status == CANCELLED
    if told.cancelled:
        return _judge_cancelled(told, voucher, cancelled)
    if voucher.irn == told.irn and cancelled:
        return Found.CANCELLED
    if voucher.irn not in (None, told.irn) or cancelled:
        return Found.OTHER_IRN
    return Found.AS_FETCHED if voucher.digest == told.read_digest else Found.CHANGED


def _judge_cancelled(told: Registered, voucher: Voucher, cancelled: bool) -> Found:
    if voucher.irn == told.irn:
        return Found.CANCELLED if cancelled else Found.TO_CANCEL
    return Found.TO_CANCEL_WHOLE if voucher.irn is None and not cancelled else Found.REPLACED


def mark(told: Registered) -> Mark:
    return Mark(
        voucher_id=told.transaction_id, irn=told.irn, ack_no=told.ack_no, ack_dt=told.ack_dt, signed_qr=told.signed_qr
    )


def say(told: Registered, found: Found, at: datetime) -> list[Message]:
    """Success, failure, or success with a word to a person."""
    if told.cancelled:
        return _say_cancelled(told, CANCELLED_FAILURES.get(found), 1, at)
    failure = FAILURES.get(found)
    if failure is None:
        return [_registered(told, at)]
    if found is Found.CHANGED:
        return [_failed(told, failure, 1, at), _registered(told, at, says=failure.says)]
    return [_failed(told, failure, 1, at), _update_failed(told, failure, at)]


def failed(told: Registered, error: Exception, attempts: int, *, at: datetime) -> list[Message]:
    """What to tell of a voucher whose books did not take it."""
    cause, fix = REFUSALS.get(type(error), GAVE_UP)
    if told.cancelled:
        return _say_cancelled(told, Failure(cause, f"Its IRN is cancelled, but {error}.", AGAIN), attempts, at)
    failure = Failure(cause, f"It is registered, but {error}.", fix)
    return [_failed(told, failure, attempts, at), _update_failed(told, failure, at)]


def _say_cancelled(told: Registered, failure: Failure | None, attempts: int, at: datetime) -> list[Message]:
    """It is cancelled, whatever the books make of it; a person hears when they don't say so."""
    says, fix = (failure.says, failure.fix) if failure else ("The books say so too.", "")
    status = StatusChanged(
        **told.about, status=State.CANCELLED, at=at, n=told.telling, detail=_detail(told, says, fix)
    )  # fmt: skip
    return [_failed(told, failure, attempts, at), status] if failure else [status]


def _failed(told: Registered, failure: Failure, attempts: int, at: datetime) -> Message:
    return UpdateFailed(**told.about, at=at, attempts=attempts, irn=told.irn, **failure._asdict())


def _registered(told: Registered, at: datetime, *, says: str = "") -> Message:
    return StatusChanged(**told.about, status=State.REGISTERED, at=at, detail=_detail(told, says))


def _update_failed(told: Registered, failure: Failure, at: datetime) -> Message:
    return StatusChanged(**told.about, status=State.BOOKS_FAILED, at=at,
                         detail=_detail(told, failure.says, failure.fix))  # fmt: skip


def _detail(told: Registered, says: str, fix: str = "") -> Detail:
    return Detail(says=says, fix=fix, irn=told.irn, ack_no=told.ack_no, ack_dt=told.ack_dt)


async def run(*, bus: Bus, books: Shelf, now: Now, log: FilteringBoundLogger) -> None:
    """Serve for ever."""
    consumer = Consumer(
        service=NAME,
        queue="register_success_queue",
        decode=reading(Registered),
        handle=partial(handle, books=books, now=now),
        failed=lambda told, error, attempts: failed(told, error, attempts, at=now()),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(books.watch())
        tasks.create_task(consume(bus, consumer, now=now, log=log))


async def main(settings: Settings) -> None:
    """Open the books and the bus, and serve."""
    log = logger(NAME)
    async with (
        shelf.opened(catalogue.read(settings.books), log=log) as books,
        rabbit.connect(settings.amqp_url, NAME) as bus,
        serving(
            probes(NAME, lambda: books.troubles | ({} if bus.connected else {"rabbitmq": "not connected"})),
            host=settings.host,
            port=settings.port_of(NAME),
        ),
    ):
        await run(bus=bus, books=books, now=lambda: datetime.now(UTC), log=log)

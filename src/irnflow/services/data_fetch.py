"""Data fetch: read each voucher from the books of its account.

consumes   fetch_data_queue          FetchData
publishes  process.data              DataFetched, the voucher as the books have it
           handle.fetch_error        FetchFailed: no such voucher or books, a row that can't be read, another's GSTIN
           status.data_fetched | status.data_fetch_failed
keeps      nothing: the books are the company's; an account's GSTINs, and what the portal said of others, the store's
repeated   the voucher is read again and told as it stands by then

Books that don't answer, or refuse their own query, are held: no voucher fails for it, and /readyz says which.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow.api.server import probes, serving
from irnflow.books import catalogue, shelf
from irnflow.books.rows import Voucher
from irnflow.books.shelf import Shelf, UnknownBooks
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.bus import rabbit
from irnflow.bus.batch import Answer, Consumer, Now, consume, reading
from irnflow.bus.port import Bus
from irnflow.gst.facts import LINES_MAX, Registration, Status
from irnflow.log import logger
from irnflow.messages import DataFetched, Detail, FetchData, FetchFailed, Message, State, StatusChanged
from irnflow.settings import Settings
from irnflow.store import database
from irnflow.store.database import Database

NAME = "data_fetch"

Owned = Mapping[str, "Terms"]  # an account's GSTINs
Registrations = Mapping[str, Registration]  # by GSTIN, of those that the portal was asked for

TROUBLES_SHOWN: Final = 10
STANDS_FOR: Final = timedelta(days=1)  # after which a GSTIN may stand otherwise than the portal said
_QUERIES: Final = database.queries("books")
# What to do about each cause; the words are those of the case.
FIX: Final[Mapping[str, str]] = {
    "books.not_found": "Check the voucher id, and which books it was sent for.",
    "books.unknown_books": "Name these books in the books file of data_fetch (docs/books.md), or send to others.",
    "books.unreadable_row": "Correct the value in the books and send the voucher again.",
    "books.foreign_gstin": "Send it with the account that has this GSTIN, or add the GSTIN to this account.",
    "books.gave_up": "See the log of data_fetch and send the voucher again.",
}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the account has said of one of its GSTINs."""

    turnover_crore: Decimal | None = None
    lines_max: int = LINES_MAX


async def handle(asked: Sequence[FetchData], *, books: Shelf, store: Database, now: Now) -> list[Answer]:
    """Read all from their books at once; those of books that are down wait, the others don't."""
    owned = await gstins(store, {each.account_id for each in asked})
    read = await books.each(asked, vouchers)
    at = now()
    known = await registrations(store, {gstin for found in read for gstin in parties(found)}, at)
    return [answer(each, found, owned[each.account_id], known, at) for each, found in zip(asked, read, strict=True)]


async def gstins(store: Database, accounts: Collection[int]) -> Mapping[int, Owned]:
    """The GSTINs of each account."""
    owned: dict[int, dict[str, Terms]] = {account: {} for account in accounts}
    for row in await store.fetch(_QUERIES["gstins_of"], list(accounts)):
        terms = Terms(turnover_crore=row["turnover_crore"], lines_max=row["lines_max"] or LINES_MAX)
        owned[row["account_id"]][row["gstin"]] = terms
    return owned


def parties(found: Voucher | Exception | None) -> list[str]:
    """The GSTINs of who sells, who buys and to whom the goods go, as the law writes them."""
    if not isinstance(found, Voucher) or found.invoice is None:
        return []
    named = found.invoice.seller_dtls, found.invoice.buyer_dtls, found.invoice.ship_dtls
    return [party.gstin.strip().upper() for party in named if party and party.gstin]


async def registrations(store: Database, gstins: Collection[str], at: datetime) -> Registrations:
    """What the portal has said of those of them that somebody asked it for."""
    rows = await store.fetch(_QUERIES["registrations"], list(gstins), at - STANDS_FOR) if gstins else ()
    return {
        row["gstin"]: Registration(
            kind=row["kind"],
            status=Status(row["status"]) if row["status"] in {*Status} else None,
            since=_day(row["since"]),
            until=_day(row["until"]),
        )
        for row in rows
    }


def _day(written: str | None) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(written) if written else None
    return None


def vouchers(books: SqlBooks, asked: Sequence[FetchData]) -> list[Voucher | None]:
    """What these books have for each message; blocking."""
    with books.reading() as open_books:
        found = open_books.read([each.transaction_id for each in asked])
    return [found.get(each.transaction_id) for each in asked]


def answer(asked: FetchData, found: Voucher | Exception | None, owned: Owned, known: Registrations,
           at: datetime) -> Answer:  # fmt: skip
    """What to say of one voucher."""
    if isinstance(found, Exception):
        return found
    if found is None:
        return _failure(asked, "books.not_found", f"There is no voucher {asked.transaction_id} in {asked.books}.", at)
    if found.invoice is None:
        return _failure(asked, "books.unreadable_row", f"It can't be read: {_first(found.unreadable)}.", at)
    seller = found.invoice.seller_dtls
    gstin = seller.gstin if seller else None
    # A voucher without a seller's GSTIN is nobody's: validation names that beside all else that it lacks.
    if gstin is not None and gstin.upper() not in owned:
        return _failure(asked, "books.foreign_gstin", f"The seller's GSTIN {gstin[:20]} isn't one of this account.", at)
    terms = owned[gstin.upper()] if gstin else Terms()
    fetched = DataFetched(
        **asked.about, fetched_at=at, digest=found.digest, invoice=found.invoice,
        turnover_crore=terms.turnover_crore, lines_max=terms.lines_max,
        registrations={party: known[party] for party in parties(found) if party in known},
    )  # fmt: skip
    return [fetched, StatusChanged(**asked.about, status=State.DATA_FETCHED, at=at)]


def _first(troubles: Sequence[str]) -> str:
    """So many of them that a person can read it."""
    rest = len(troubles) - TROUBLES_SHOWN
    return "; ".join(troubles[:TROUBLES_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def failed(asked: FetchData, error: Exception, attempts: int, *, at: datetime) -> list[Message]:
    """What to tell of a voucher whose reading failed for good."""
    match error:
        case UnknownBooks():
            cause = "books.unknown_books"
        case RefusedRow():
            cause = "books.unreadable_row"
        case _:
            cause = "books.gave_up"
    return _failure(asked, cause, f"It can't be read: {error}.", at, attempts=attempts)


def _failure(asked: FetchData, cause: str, says: str, at: datetime, *, attempts: int = 1) -> list[Message]:
    fix = FIX[cause]
    return [
        FetchFailed(**asked.about, at=at, cause=cause, says=says, fix=fix, attempts=attempts),
        StatusChanged(**asked.about, status=State.DATA_FETCH_FAILED, at=at, detail=Detail(says=says, fix=fix)),
    ]


async def run(*, bus: Bus, books: Shelf, store: Database, now: Now, log: FilteringBoundLogger) -> None:
    """Serve for ever."""
    consumer = Consumer(
        service=NAME,
        queue="fetch_data_queue",
        decode=reading(FetchData),
        handle=partial(handle, books=books, store=store, now=now),
        failed=lambda asked, error, attempts: failed(asked, error, attempts, at=now()),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(books.watch())
        tasks.create_task(consume(bus, consumer, now=now, log=log))


async def main(settings: Settings) -> None:
    """Open the books, the store and the bus, and serve."""
    log = logger(NAME)
    async with (
        shelf.opened(catalogue.read(settings.books), log=log) as books,
        database.connect(settings.database_url, connections=2) as store,
        database.heeding(store),
        rabbit.connect(settings.amqp_url, NAME) as bus,
        serving(
            probes(
                NAME,
                lambda: books.troubles | store.missing | ({} if bus.connected else {"rabbitmq": "not connected"}),
            ),
            host=settings.host,
            port=settings.port_of(NAME),
        ),
    ):
        await run(bus=bus, books=books, store=store, now=lambda: datetime.now(UTC), log=log)

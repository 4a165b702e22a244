"""IRNs written into the sample books, as registration tells of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from irnflow.books import sample
from irnflow.books.shelf import Shelf
from irnflow.books.sql import SqlBooks
from irnflow.bus import memory
from irnflow.errors import Unavailable
from irnflow.messages import Message, Registered, State, StatusChanged, UpdateFailed, decode, publication
from irnflow.services import database_update
from tests.books.examples import IRN, OTHER_IRN, TODAY, run, source
from tests.services.conftest import Open

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOG = structlog.get_logger()
WRITTEN = ("einvoice_status", "irn", "ack_no", "ack_dt", "signed_qr")


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)
    return url


@pytest.fixture
def books(url: str, shelf: Open) -> Shelf:
    return shelf(source(url))


@pytest.fixture
def digests(url: str) -> dict[str, str]:
    """What data_fetch read of each voucher."""
    books = SqlBooks(source(url))
    with books.reading() as open_books:
        found = open_books.read(sample.IDS)
    books.close()
    return {voucher_id: voucher.digest for voucher_id, voucher in found.items()}


def registered(
    voucher_id: str, digests: dict[str, str], *, irn: str = IRN, books: str = "main", ack_no: str = "112610000012345",
    cancelled: bool = False, telling: int = 0,
) -> Registered:  # fmt: skip
    return Registered(
        batch_id=1, batch_no="B1", transaction_id=voucher_id, account_id=1, books=books,
        read_digest=digests.get(voucher_id, ""), irn=irn, ack_no=ack_no, ack_dt="2026-11-22 11:45:10",
        signed_qr="h.p.s", cancelled=cancelled, telling=telling,
    )  # fmt: skip


async def handled(told: list[Registered], books: Shelf) -> list[list[Message]]:
    answers = await database_update.handle(told, books=books, now=lambda: NOON)
    return [[] if isinstance(answer, Exception) else list(answer) for answer in answers]


async def failure(told: Registered, books: Shelf) -> UpdateFailed:
    """What a person is told of a failed update, having checked the status beside it."""
    ((failed, status),) = await handled([told], books)
    assert isinstance(failed, UpdateFailed)
    assert isinstance(status, StatusChanged)
    assert (failed.irn, status.status, status.detail.says) == (told.irn, State.BOOKS_FAILED, failed.says)
    assert status.detail.irn == told.irn
    return failed


def row(url: str, voucher_id: str) -> dict[str, Any]:
    (found,) = run(url, "select * from voucher where voucher_id = :id", id=voucher_id)
    return found


def irns(url: str) -> dict[str, str]:
    found = run(url, "select voucher_id, irn from voucher where irn is not null order by voucher_id")
    return {each["voucher_id"]: each["irn"] for each in found}


@asynccontextmanager
async def serving(bus: memory.Connection, books: Shelf) -> AsyncIterator[None]:
    task = asyncio.create_task(database_update.run(bus=bus, books=books, now=lambda: NOON, log=LOG))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (the broker in memory tells nobody)
            await asyncio.sleep(0.001)


async def test_a_registered_voucher_is_marked_and_no_other_column_touched(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    before = row(url, "SAL/1001")

    ((status,),) = await handled([registered("SAL/1001", digests)], books)

    after = row(url, "SAL/1001")
    assert isinstance(status, StatusChanged)
    assert (status.status, status.at, status.detail.irn) == (State.REGISTERED, NOON, IRN)
    assert (status.detail.ack_no, status.detail.ack_dt) == ("112610000012345", "2026-11-22 11:45:10")
    assert {name: value for name, value in after.items() if value != before[name]} == dict(
        zip(WRITTEN, ("eInvoice Registered", IRN, "112610000012345", "2026-11-22 11:45:10", "h.p.s"), strict=True)
    )
    assert list(irns(url)) == ["SAL/1001"]


async def test_a_repeated_message_is_success_again_and_writes_nothing(
    url: str, shelf: Open, digests: dict[str, str]
) -> None:
    unguarded = "update voucher set irn = :irn, ack_no = :ack_no where voucher_id = :voucher_id"
    books = shelf(source(url, registered=unguarded))
    once = await handled([registered("SAL/1001", digests)], books)
    run(url, "update voucher set ack_no = 'mended by hand'")
    before = row(url, "SAL/1001")

    twice = await handled([registered("SAL/1001", digests)], books)

    assert twice == once
    assert row(url, "SAL/1001") == before


async def test_two_messages_of_one_voucher_at_once_write_it_once(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    told = [
        registered("SAL/1001", digests),
        registered("SAL/1001", digests),
        registered("SAL/1001", digests, irn=OTHER_IRN),
    ]

    first, second, third = await handled(told, books)

    assert first == second
    assert isinstance(third[0], UpdateFailed)
    assert third[0].cause == "books.other_irn"
    assert irns(url) == {"SAL/1001": IRN}


async def test_a_voucher_changed_since_the_fetch_gets_its_irn_and_a_person_is_told(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "update line set quantity = 3 where voucher_id = 'SAL/1001' and line_no = 1")

    ((failed, status),) = await handled([registered("SAL/1001", digests)], books)

    assert isinstance(failed, UpdateFailed)
    assert isinstance(status, StatusChanged)
    assert (failed.cause, failed.irn) == ("books.changed_since_fetch", IRN)
    assert (status.status, status.detail.says) == (State.REGISTERED, failed.says)
    assert irns(url) == {"SAL/1001": IRN}


async def test_a_voucher_that_became_unreadable_gets_its_irn_all_the_same(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "update voucher set document_date = 'tomorrow' where voucher_id = 'SAL/1001'")

    ((failed, _),) = await handled([registered("SAL/1001", digests)], books)

    assert isinstance(failed, UpdateFailed)
    assert failed.cause == "books.changed_since_fetch"
    assert irns(url) == {"SAL/1001": IRN}


async def test_a_change_is_told_again_when_the_message_is_repeated(
    books: Shelf, digests: dict[str, str], url: str
) -> None:
    run(url, "update voucher set remarks = 'rush' where voucher_id = 'SAL/1001'")
    once = await handled([registered("SAL/1001", digests)], books)

    twice = await handled([registered("SAL/1001", digests)], books)

    assert twice == once


async def test_a_voucher_that_is_gone_is_a_failed_update(url: str, books: Shelf, digests: dict[str, str]) -> None:
    run(url, "delete from line where voucher_id = 'SAL/1001'")
    run(url, "delete from voucher where voucher_id = 'SAL/1001'")

    failed = await failure(registered("SAL/1001", digests), books)

    assert failed.cause == "books.not_found_on_update"


async def test_another_irn_is_never_overwritten(url: str, books: Shelf, digests: dict[str, str]) -> None:
    run(url, "update voucher set irn = :irn where voucher_id = 'SAL/1001'", irn=OTHER_IRN)
    before = row(url, "SAL/1001")

    failed = await failure(registered("SAL/1001", digests), books)

    assert failed.cause == "books.other_irn"
    assert row(url, "SAL/1001") == before


async def test_a_cancelled_voucher_is_left_cancelled_by_a_late_success(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "update voucher set irn = :irn, einvoice_status = 'eInvoice Cancelled'", irn=IRN)
    before = row(url, "SAL/1001")

    ((status,),) = await handled([registered("SAL/1001", digests)], books)

    assert isinstance(status, StatusChanged)
    assert status.status is State.REGISTERED  # CANCELLED stands above it, so nobody sees it move back
    assert row(url, "SAL/1001") == before


async def test_a_cancelled_voucher_whose_irn_was_cleared_is_for_a_person(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "update voucher set einvoice_status = 'eInvoice Cancelled'")

    failed = await failure(registered("SAL/1001", digests), books)

    assert failed.cause == "books.other_irn"
    assert irns(url) == {}


async def test_a_cancellation_is_written_into_the_books_and_told_with_its_number(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    await handled([registered("SAL/1001", digests)], books)
    before = row(url, "SAL/1001")

    ((status,),) = await handled([registered("SAL/1001", digests, cancelled=True, telling=3)], books)

    assert isinstance(status, StatusChanged)
    assert (status.status, status.n) == (State.CANCELLED, 3)
    assert row(url, "SAL/1001") == before | {"einvoice_status": "eInvoice Cancelled"}


async def test_a_cancellation_that_comes_before_the_success_is_not_overwritten_by_it(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    await handled([registered("SAL/1001", digests, cancelled=True, telling=1)], books)
    cancelled = row(url, "SAL/1001")

    await handled([registered("SAL/1001", digests)], books)

    assert (cancelled["irn"], cancelled["einvoice_status"]) == (IRN, "eInvoice Cancelled")
    assert row(url, "SAL/1001") == cancelled


@pytest.mark.parametrize("order", [(False, True), (True, False)])
async def test_success_and_cancellation_in_one_batch_end_as_cancelled_in_either_order(
    url: str, books: Shelf, digests: dict[str, str], order: tuple[bool, bool]
) -> None:
    told = [registered("SAL/1001", digests, cancelled=each, telling=int(each)) for each in order]

    await handled(told, books)

    assert row(url, "SAL/1001")["einvoice_status"] == "eInvoice Cancelled"
    assert irns(url) == {"SAL/1001": IRN}


async def test_a_repeated_cancellation_writes_nothing(url: str, books: Shelf, digests: dict[str, str]) -> None:
    once = await handled([registered("SAL/1001", digests, cancelled=True, telling=1)], books)
    run(url, "update voucher set ack_no = 'mended by hand'")
    before = row(url, "SAL/1001")

    twice = await handled([registered("SAL/1001", digests, cancelled=True, telling=1)], books)

    assert twice == once
    assert row(url, "SAL/1001") == before


async def test_a_cancellation_leaves_a_voucher_alone_that_has_another_irn_since(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "update voucher set irn = :irn where voucher_id = 'SAL/1001'", irn=OTHER_IRN)
    before = row(url, "SAL/1001")

    ((status,),) = await handled([registered("SAL/1001", digests, cancelled=True, telling=1)], books)

    assert isinstance(status, StatusChanged)
    assert status.status is State.CANCELLED
    assert row(url, "SAL/1001") == before


async def test_a_cancellation_that_the_books_do_not_take_is_cancelled_all_the_same_and_for_a_person(
    url: str, shelf: Open, digests: dict[str, str]
) -> None:
    nowhere = "update voucher set einvoice_status = :status where voucher_id = :voucher_id and irn = 'x'"
    books = shelf(source(url, cancelled=nowhere))
    await handled([registered("SAL/1001", digests)], books)

    ((failed, status),) = await handled([registered("SAL/1001", digests, cancelled=True, telling=1)], books)

    assert isinstance(failed, UpdateFailed)
    assert isinstance(status, StatusChanged)
    assert failed.cause == "books.cancellation_not_written"
    assert (status.status, status.detail.says) == (State.CANCELLED, failed.says)


async def test_a_cancellation_of_a_voucher_that_is_gone_is_for_a_person(
    url: str, books: Shelf, digests: dict[str, str]
) -> None:
    run(url, "delete from line where voucher_id = 'SAL/1001'")
    run(url, "delete from voucher where voucher_id = 'SAL/1001'")

    ((failed, status),) = await handled([registered("SAL/1001", digests, cancelled=True)], books)

    assert isinstance(failed, UpdateFailed)
    assert isinstance(status, StatusChanged)
    assert (failed.cause, status.status) == ("books.not_found_on_cancel", State.CANCELLED)


async def test_an_update_statement_that_reaches_no_row_is_a_failed_update(
    url: str, shelf: Open, digests: dict[str, str]
) -> None:
    nowhere = "update voucher set irn = :irn where voucher_id = :voucher_id and supply_type = 'SEZWP'"
    books = shelf(source(url, registered=nowhere))

    reached, unreached = await handled([registered("SAL/1023", digests), registered("SAL/1001", digests)], books)

    assert [type(each) for each in reached] == [StatusChanged]
    assert isinstance(unreached[0], UpdateFailed)
    assert unreached[0].cause == "books.not_written"
    assert irns(url) == {"SAL/1023": IRN}


async def test_a_value_that_the_books_refuse_fails_its_own_voucher_only(
    url: str, shelf: Open, digests: dict[str, str]
) -> None:
    run(
        url,
        "create trigger no_nines before update on voucher when new.ack_no = '999' begin select raise(abort, 'no'); end",
    )
    books = shelf(source(url))
    broker = memory.Broker()
    async with broker.connect("database_update") as bus:
        told = [
            registered("SAL/1001", digests),
            registered("SAL/1002", digests, ack_no="999"),
            registered("SAL/1003", digests),
        ]
        await bus.publish([publication(each) for each in told])

        async with serving(bus, books):
            await until(lambda: len(broker.ready("status_queue")) == 3)

    (failed,) = [decode(each.body, UpdateFailed) for each in broker.ready("update_error_queue")]
    assert (failed.transaction_id, failed.cause) == ("SAL/1002", "books.refused_update")
    assert failed.says == "It is registered, but the database refused a value: no."
    assert irns(url) == {"SAL/1001": IRN, "SAL/1003": IRN}


async def test_books_that_nobody_named_are_told_to_a_person(books: Shelf, digests: dict[str, str]) -> None:
    broker = memory.Broker()
    async with broker.connect("database_update") as bus:
        await bus.publish([publication(registered("SAL/1001", digests, books="west"))])

        async with serving(bus, books):
            await until(lambda: len(broker.ready("status_queue")) == 1)

    (failed,) = [decode(each.body, UpdateFailed) for each in broker.ready("update_error_queue")]
    assert failed.cause == "books.unknown_books"
    assert failed.says == "It is registered, but there are no books named west."


async def test_books_that_are_down_hold_their_own_vouchers_and_no_others(
    url: str, shelf: Open, digests: dict[str, str], tmp_path: Path
) -> None:
    books = shelf(source(url), source(f"sqlite:///{tmp_path}/gone/books.db", "south"))
    told = [registered("SAL/1001", digests, books="south"), registered("SAL/1002", digests)]

    held, written = await database_update.handle(told, books=books, now=lambda: NOON)

    assert isinstance(held, Unavailable)
    assert not isinstance(written, Exception)
    assert irns(url) == {"SAL/1002": IRN}

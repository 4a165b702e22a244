"""Vouchers of the sample books, asked for as the dispatcher asks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from irnflow.books import sample
from irnflow.books.shelf import Shelf
from irnflow.bus import memory
from irnflow.errors import Unavailable
from irnflow.gst.facts import Registration, Status
from irnflow.messages import DataFetched, FetchData, FetchFailed, Message, State, StatusChanged, decode, publication
from irnflow.services import data_fetch
from irnflow.store import database
from irnflow.store.database import Postgres
from tests.books.examples import IRN, TODAY, run, source
from tests.services.conftest import Open

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOG = structlog.get_logger()


def fetch(transaction_id: str, *, books: str = "main", account_id: int = 1) -> FetchData:
    return FetchData(batch_id=1, batch_no="B1", transaction_id=transaction_id, account_id=account_id, books=books)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    """Account 1 has the sample company's GSTINs, account 2 has none."""
    async with database.connect(database_url, connections=1) as store:
        await store.fetch("insert into irnflow.account (name, created_at) values ('sahyadri', $1), ('other', $1)", NOON)
        sql = "insert into irnflow.gstin (gstin, account_id) select unnest($1::text[]), 1"
        await store.fetch(sql, list(sample.GSTINS))
        yield store


@pytest.fixture
def books(url: str, shelf: Open) -> Shelf:
    return shelf(source(url))


async def handled(asked: list[FetchData], books: Shelf, store: Postgres) -> list[list[Message]]:
    answers = await data_fetch.handle(asked, books=books, store=store, now=lambda: NOON)
    return [[] if isinstance(answer, Exception) else list(answer) for answer in answers]


async def failure(asked: FetchData, books: Shelf, store: Postgres) -> FetchFailed:
    """What a person is told, having checked that the status says the same."""
    ((failed, status),) = await handled([asked], books, store)
    assert isinstance(failed, FetchFailed)
    assert isinstance(status, StatusChanged)
    assert (status.status, status.detail.says, status.detail.fix) == (State.DATA_FETCH_FAILED, failed.says, failed.fix)
    return failed


@asynccontextmanager
async def serving(bus: memory.Connection, books: Shelf, store: Postgres) -> AsyncIterator[None]:
    task = asyncio.create_task(data_fetch.run(bus=bus, books=books, store=store, now=lambda: NOON, log=LOG))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (the broker in memory tells nobody)
            await asyncio.sleep(0.001)


async def until_ready(broker: memory.Broker, **sizes: int) -> None:
    await until(lambda: all(len(broker.ready(queue)) == size for queue, size in sizes.items()))


async def test_a_voucher_is_told_as_the_books_have_it(books: Shelf, store: Postgres) -> None:
    ((fetched, status),) = await handled([fetch("SAL/1001")], books, store)

    assert isinstance(fetched, DataFetched)
    assert (fetched.transaction_id, fetched.fetched_at, len(fetched.digest)) == ("SAL/1001", NOON, 64)
    assert (fetched.invoice.doc_dtls.no, len(fetched.invoice.item_list)) == ("SAL/26-27/1001", 5)  # type: ignore[union-attr]
    assert isinstance(status, StatusChanged)
    assert (status.status, status.at) == (State.DATA_FETCHED, NOON)


async def test_what_the_account_said_of_the_seller_travels_with_its_voucher(books: Shelf, store: Postgres) -> None:
    ((before, _),) = await handled([fetch("SAL/1001")], books, store)
    await store.fetch("update irnflow.gstin set turnover_crore = 7.5, lines_max = 5000")

    ((after, _),) = await handled([fetch("SAL/1001")], books, store)

    assert isinstance(before, DataFetched)
    assert isinstance(after, DataFetched)
    assert (before.turnover_crore, before.lines_max) == (None, 1000)
    assert (after.turnover_crore, after.lines_max) == (Decimal("7.50"), 5000)


@pytest.mark.parametrize(
    ("told", "status"),
    [(NOON - timedelta(days=1), Status.CANCELLED), (NOON - timedelta(days=1, seconds=1), None)],
    ids=["of today", "older"],
)
async def test_what_the_portal_said_of_a_party_travels_and_how_it_stands_for_a_day(
    books: Shelf, store: Postgres, told: datetime, status: Status | None
) -> None:
    ((before, _),) = await handled([fetch("SAL/1001")], books, store)
    assert isinstance(before, DataFetched)
    buyer = before.invoice.buyer_dtls.gstin  # type: ignore[union-attr]
    details = '{"TxpType": "SEZ", "Status": "CNL", "DtReg": "2017-07-01", "DtDReg": "01/2026"}'
    await store.fetch(
        "insert into irnflow.gstin_detail (gstin, details, fetched_at) values ($1, $2::text::jsonb, $3)",
        buyer, details, told,
    )  # fmt: skip

    ((fetched, _),) = await handled([fetch("SAL/1001")], books, store)

    assert before.registrations == {}
    assert isinstance(fetched, DataFetched)
    assert fetched.registrations == {buyer: Registration(kind="SEZ", status=status, since=date(2017, 7, 1))}


async def test_what_the_portal_said_of_a_ship_to_party_travels_too(books: Shelf, store: Postgres) -> None:
    ((before, _),) = await handled([fetch("SAL/1017")], books, store)
    assert isinstance(before, DataFetched)
    depot = before.invoice.ship_dtls.gstin  # type: ignore[union-attr]
    await store.fetch(
        "insert into irnflow.gstin_detail (gstin, details, fetched_at) values ($1, $2::text::jsonb, $3)",
        depot, '{"TxpType": "REG", "Status": "INA"}', NOON,
    )  # fmt: skip

    ((fetched, _),) = await handled([fetch("SAL/1017")], books, store)

    assert isinstance(fetched, DataFetched)
    assert fetched.registrations == {depot: Registration(kind="REG", status=Status.INACTIVE)}


async def test_a_fetched_voucher_goes_over_the_wire_and_back_unchanged(books: Shelf, store: Postgres) -> None:
    ((fetched, _),) = await handled([fetch("SAL/1007")], books, store)

    assert decode(publication(fetched).body, DataFetched) == fetched


async def test_each_sample_voucher_is_fetched_or_fails_as_expected(books: Shelf, store: Postgres) -> None:
    answers = await handled([fetch(voucher_id) for voucher_id in sample.IDS], books, store)

    failed = {answer[0].transaction_id: answer[0].cause for answer in answers if isinstance(answer[0], FetchFailed)}
    expected = {i for i, state in sample.expected().items() if state is State.DATA_FETCH_FAILED}
    assert set(failed) == expected
    assert failed == {
        "SAL/1057": "books.unreadable_row",
        "SAL/1058": "books.foreign_gstin",
        "SAL/9999": "books.not_found",
    }


async def test_a_repeated_message_gives_the_same_answer(books: Shelf, store: Postgres) -> None:
    once = await handled([fetch("SAL/1001"), fetch("SAL/9999")], books, store)
    (twice, _, again) = await handled([fetch("SAL/1001"), fetch("SAL/1002"), fetch("SAL/1001")], books, store)

    assert twice == again == once[0]


async def test_a_voucher_that_has_its_irn_already_reads_the_same(books: Shelf, store: Postgres, url: str) -> None:
    before = await handled([fetch("SAL/1001")], books, store)
    run(url, "update voucher set irn = :irn, einvoice_status = 'eInvoice Registered'", irn=IRN)

    after = await handled([fetch("SAL/1001")], books, store)

    assert after == before


async def test_a_voucher_that_is_not_there_is_said_so(books: Shelf, store: Postgres) -> None:
    failed = await failure(fetch("SAL/9999"), books, store)

    assert (failed.cause, failed.says) == ("books.not_found", "There is no voucher SAL/9999 in main.")


async def test_a_row_that_cannot_be_read_names_column_and_value(books: Shelf, store: Postgres) -> None:
    failed = await failure(fetch("SAL/1057"), books, store)

    assert failed.cause == "books.unreadable_row"
    assert failed.says == "It can't be read: column buyer_pin: '4110O1' is not a number."


async def test_of_many_values_that_cannot_be_read_the_first_ten_are_told(
    books: Shelf, store: Postgres, url: str
) -> None:
    run(url, "update line set quantity = 'many' where voucher_id = 'SAL/1007'")

    failed = await failure(fetch("SAL/1007"), books, store)

    assert failed.says.startswith("It can't be read: line 1, column quantity: 'many' is not a number; line 2, ")
    assert failed.says.endswith("line 10, column quantity: 'many' is not a number; and 30 more.")


async def test_a_seller_that_is_not_of_the_account_is_refused(books: Shelf, store: Postgres) -> None:
    failed = await failure(fetch("SAL/1001", account_id=2), books, store)

    assert failed.cause == "books.foreign_gstin"
    assert failed.says == f"The seller's GSTIN {sample.GSTINS[0]} isn't one of this account."


async def test_a_gstin_added_to_the_account_counts_at_once(books: Shelf, store: Postgres) -> None:
    before = await failure(fetch("SAL/1001", account_id=2), books, store)
    await store.fetch("update irnflow.gstin set account_id = 2")

    ((fetched, _),) = await handled([fetch("SAL/1001", account_id=2)], books, store)

    assert before.cause == "books.foreign_gstin"
    assert isinstance(fetched, DataFetched)


async def test_a_voucher_without_a_sellers_gstin_is_left_to_validation(books: Shelf, store: Postgres, url: str) -> None:
    run(url, "update party set gstin = null where party_id = 'head_office'")

    ((fetched, _),) = await handled([fetch("SAL/1001")], books, store)

    assert isinstance(fetched, DataFetched)
    assert fetched.invoice.seller_dtls.gstin is None  # type: ignore[union-attr]


async def test_books_that_are_down_hold_their_own_vouchers_and_no_others(
    url: str, shelf: Open, store: Postgres, tmp_path: Path
) -> None:
    down = source(f"sqlite:///{tmp_path}/gone/books.db", "south")
    books = shelf(source(url), down)

    held, fetched = await data_fetch.handle(
        [fetch("SAL/1001", books="south"), fetch("SAL/1001")], books=books, store=store, now=lambda: NOON
    )

    assert isinstance(held, Unavailable)
    assert not isinstance(fetched, Exception)
    assert isinstance(fetched[0], DataFetched)


async def test_books_that_nobody_named_are_told_to_a_person_by_the_running_service(
    books: Shelf, store: Postgres
) -> None:
    broker = memory.Broker()
    async with broker.connect("data_fetch") as bus:
        await bus.publish([publication(fetch("SAL/1001", books="west")), publication(fetch("SAL/1002"))])

        async with serving(bus, books, store):
            await until_ready(broker, status_queue=2)

    (failed,) = [decode(each.body, FetchFailed) for each in broker.ready("fetch_error_queue")]
    assert (failed.cause, failed.says) == ("books.unknown_books", "It can't be read: there are no books named west.")
    assert [each.correlation_id for each in broker.ready("data_queue")] == ["SAL/1002"]
    assert broker.ready("fetch_data_queue") == []


async def test_vouchers_wait_in_the_running_service_until_their_books_are_back(
    books: Shelf, store: Postgres, url: str
) -> None:  # fmt: skip
    run(url, "alter table line rename to hidden")
    broker = memory.Broker()
    async with broker.connect("data_fetch") as bus:
        await bus.publish([publication(fetch("SAL/1001"))])

        async with serving(bus, books, store):
            await until(lambda: bool(books.troubles))
            waited = broker.ready("status_queue")
            run(url, "alter table hidden rename to line")
            await until_ready(broker, data_queue=1, status_queue=1)

    assert waited == []
    assert broker.ready("fetch_error_queue") == []

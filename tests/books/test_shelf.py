import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from irnflow.books import sample, shelf
from irnflow.books.shelf import Runner, Shelf, UnknownBooks, inline
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.errors import Unavailable
from irnflow.messages import FetchData
from tests.books.examples import TODAY, run, source

LOG = structlog.get_logger()
Work = Callable[[SqlBooks, Sequence[FetchData]], list[str]]


def fetch(books: str, transaction_id: str) -> FetchData:
    return FetchData(batch_id=1, batch_no="B1", transaction_id=transaction_id, account_id=1, books=books)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)
    return url


def standing(url: str, *names: str, runner: Runner = inline, deadline_s: float = 5) -> Shelf:
    return Shelf([source(url, name) for name in names], runner=runner, log=LOG, deadline_s=deadline_s)


def numbers(books: SqlBooks, asked: Sequence[FetchData]) -> list[str]:
    """Work that reads, and tells whose books it read."""
    with books.reading() as open_books:
        found = open_books.read([each.transaction_id for each in asked])
    return [f"{books.source.name} {each.transaction_id} {each.transaction_id in found}" for each in asked]


async def test_each_message_gets_the_answer_of_its_own_books_in_order(url: str) -> None:
    books = standing(url, "north", "south")
    asked = [fetch("south", "SAL/1001"), fetch("north", "SAL/1002"), fetch("south", "SAL/9999")]

    answers = await books.each(asked, numbers)

    assert answers == ["south SAL/1001 True", "north SAL/1002 True", "south SAL/9999 False"]
    books.close()


async def test_books_that_the_file_does_not_name_are_unknown_for_their_own_messages_only(url: str) -> None:
    books = standing(url, "north")

    unknown, found = await books.each([fetch("west", "SAL/1001"), fetch("north", "SAL/1001")], numbers)

    assert isinstance(unknown, UnknownBooks)
    assert str(unknown) == "there are no books named west"
    assert found == "north SAL/1001 True"
    books.close()


async def test_an_outage_of_one_books_is_no_outage_of_another(url: str, tmp_path: Path) -> None:
    books = Shelf(
        [source(url, "north"), source(f"sqlite:///{tmp_path}/gone/books.db", "south")], runner=inline, log=LOG
    )  # fmt: skip

    with capture_logs() as lines:
        down, found = await books.each([fetch("south", "SAL/1001"), fetch("north", "SAL/1001")], numbers)

    assert isinstance(down, Unavailable)
    assert found == "north SAL/1001 True"
    assert books.troubles == {"south": "books south can't be used: unable to open database file"}
    assert lines == [
        {
            "event": "books can't be used; their vouchers wait",
            "log_level": "error",
            "books": "south",
            "says": "books south can't be used: unable to open database file",
        }
    ]
    books.close()


async def test_a_trouble_is_logged_once_and_gone_when_the_books_answer(url: str) -> None:
    books = standing(url, "north")
    run(url, "alter table line rename to hidden")

    with capture_logs() as lines:
        await books.each([fetch("north", "SAL/1001")], numbers)
        await books.each([fetch("north", "SAL/1001")], numbers)
        run(url, "alter table hidden rename to line")
        (answer,) = await books.each([fetch("north", "SAL/1001")], numbers)

    assert answer == "north SAL/1001 True"
    assert books.troubles == {}
    assert [line["event"] for line in lines] == ["books can't be used; their vouchers wait", "books answer again"]
    books.close()


async def test_a_refused_value_is_the_answer_of_the_one_voucher_that_has_it(url: str) -> None:
    books = standing(url, "north")

    def refusing(_: SqlBooks, asked: Sequence[FetchData]) -> list[str]:
        if any(each.transaction_id == "bad" for each in asked):
            raise RefusedRow("out of range")
        return [f"{each.transaction_id} is well" for each in asked]

    answers = await books.each([fetch("north", name) for name in ("a", "b", "bad", "c", "d")], refusing)

    assert [str(answer) for answer in answers] == ["a is well", "b is well", "out of range", "c is well", "d is well"]
    assert isinstance(answers[2], RefusedRow)
    books.close()


async def test_books_that_hang_are_left_alone_until_they_come_back(url: str) -> None:
    hangs = asyncio.Event()
    begun = 0

    async def runner(work: Callable[[], object]) -> object:
        nonlocal begun
        begun += 1
        await hangs.wait()
        return work()

    books = standing(url, "north", runner=runner, deadline_s=0.02)

    (first,) = await books.each([fetch("north", "SAL/1001")], numbers)
    (second,) = await books.each([fetch("north", "SAL/1001")], numbers)
    hangs.set()
    (third,) = await answered(books, "SAL/1001")

    assert str(first) == "books north did not answer within 0.02 s"
    assert str(second) == "books north have not answered for more than 0.02 s"
    assert third == "north SAL/1001 True"
    assert begun == 2
    books.close()


async def answered(books: Shelf, transaction_id: str) -> list[str | Exception]:
    """The first answer that isn't Unavailable."""
    async with asyncio.timeout(5):
        while True:
            answers = await books.each([fetch("north", transaction_id)], numbers)
            if not isinstance(answers[0], Unavailable):
                return answers
            await asyncio.sleep(0)


async def test_a_wrong_query_shows_before_a_voucher_comes(url: str) -> None:
    wrong = source(url, "south", lines="select voucher_id, amount from line where voucher_id in :ids")
    books = Shelf([source(url, "north"), wrong], runner=inline, log=LOG)
    watch = asyncio.create_task(books.watch())

    async with asyncio.timeout(5):
        while not books.troubles:  # noqa: ASYNC110 (nobody is told)
            await asyncio.sleep(0)

    assert books.troubles == {"south": "books south can't be used: no such column: amount"}
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    books.close()


async def test_an_opened_shelf_works_in_threads_of_its_own(url: str) -> None:
    def where(_: SqlBooks, asked: Sequence[FetchData]) -> list[str]:
        return [threading.current_thread().name for _ in asked]

    async with shelf.opened([source(url, "north")], log=LOG) as books:
        (name,) = await books.each([fetch("north", "SAL/1001")], where)

    assert str(name).startswith("books")

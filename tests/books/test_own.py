"""Books of our own layout: what a registration that comes in between does, and what is no layout of ours."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from irnflow.books import own
from irnflow.books.columns import HEADERS, LINES
from irnflow.books.document import Document
from irnflow.errors import BadInput, Unavailable
from tests.books.examples import mark, opened, run, source

DOCUMENT = Document(
    voucher_id="V1",
    header={"document_number": "1", "document_type": "INV", "document_date": date(2026, 11, 22), "seller_gstin": "29X"},
    lines=[{"line_no": 1, "hsn": "9983", "unit_price": Decimal("5.00")}],
)


def test_a_voucher_that_is_registered_after_it_was_read_is_not_overwritten(books_url: str) -> None:
    with opened(books_url) as books:
        with books.writing() as open_books:
            own.make(open_books.connection)
            own.write(open_books, [DOCUMENT])
            open_books.registered([mark("V1")])

        with (
            pytest.raises(Unavailable, match="vouchers were registered while they were written"),
            books.writing() as again,
        ):
            own._put(again.connection, [DOCUMENT])

    assert run(books_url, "select line_no from books.line") == [{"line_no": 1}]


def test_whether_a_line_is_a_service_follows_from_its_hsn(books_url: str) -> None:
    with opened(books_url) as books, books.writing() as open_books:
        own.make(open_books.connection)
        own.write(open_books, [DOCUMENT])

        voucher = open_books.read(["V1"])["V1"]

    assert voucher.invoice is not None
    assert [item.is_servc for item in voucher.invoice.item_list] == ["Y"]


def test_parties_that_are_the_same_stand_there_once(books_url: str) -> None:
    with opened(books_url) as books, books.writing() as open_books:
        own.make(open_books.connection)
        own.write(
            open_books, [DOCUMENT, Document(voucher_id="V2", header={"seller_gstin": "29X"}, lines=DOCUMENT.lines)]
        )

    assert (
        len(run(books_url, "select * from books.party")) == 2
    )  # the supplier, and a recipient of whom nothing is said


def test_every_column_of_the_queries_has_a_place() -> None:
    tables = own._tables()
    of_parties = {own._party_column(prefix, name) for prefix in own._PARTIES for name in own._PARTY}

    assert {column.name for column in HEADERS} - of_parties - set(tables["voucher"]) == set()
    assert {column.name for column in LINES} - set(tables["line"]) == set()


def test_statements_of_ones_own_are_no_layout_of_ours(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"

    own.require_own(source(url))
    with pytest.raises(BadInput, match="books main have a layout of their own"):
        own.require_own(source(url, cancelled="update voucher set irn = :irn where voucher_id = :voucher_id"))

"""Books on SQLite and on PostgreSQL: our own layout, and another with the user's own SQL."""

import threading
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from irnflow.books import catalogue, sample
from irnflow.books.catalogue import Source
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.errors import BadInput, Unavailable
from irnflow.gst.invoice import Document, Item, Party, Totals, Transaction
from tests.books.examples import IRN, OTHER_IRN, TODAY, fill_other_layout, mark, opened, other_layout, run, source

ROW = "select * from books.voucher where voucher_id = :id"


@pytest.fixture
def acme(books_url: str) -> Source:
    """Books of another layout with the user's own SQL."""
    fill_other_layout(books_url)
    return other_layout(books_url)


def test_vouchers_are_read_by_id_and_absent_ones_are_absent(sample_url: str) -> None:
    with opened(sample_url) as books, books.reading() as open_books:
        found = open_books.read(["SAL/1012", "SAL/9999", "SAL/1001", "SAL/1012"])

    assert list(found) == ["SAL/1012", "SAL/1001"]
    assert [item.sl_no for item in found["SAL/1001"].invoice.item_list] == ["1", "2", "3", "4", "5"]  # type: ignore[union-attr]


def test_more_ids_than_one_query_takes_are_read_in_several(sample_url: str) -> None:
    ids = sample.synthetic(sample_url, 1100)

    with opened(sample_url) as books, books.reading() as open_books:
        found = open_books.read(ids)

    assert list(found) == ids


def test_two_reads_of_unchanged_books_give_the_same_digests(sample_url: str) -> None:
    with opened(sample_url) as books:
        with books.reading() as open_books:
            first = open_books.read(sample.IDS)
        with books.reading() as open_books:
            second = open_books.read(sample.IDS)

    assert second == first


def test_headers_and_lines_are_one_picture(sample_url: str) -> None:
    with opened(sample_url) as books, books.reading() as open_books:
        before = open_books.read(["SAL/1002"])
        in_another_thread(lambda: run(sample_url, "update books.line set quantity = 99 where voucher_id = 'SAL/1002'"))

        again = open_books.read(["SAL/1002"])

    assert again == before


def test_a_mark_is_written_and_no_other_column_touched(sample_url: str) -> None:
    (before,) = run(sample_url, ROW, id="SAL/1001")

    with opened(sample_url) as books, books.writing() as open_books:
        unreached = open_books.registered([mark("SAL/1001")])

    (after,) = run(sample_url, ROW, id="SAL/1001")
    assert unreached == set()
    assert {name: str(after[name]) for name in after if after[name] != before[name]} == {
        "einvoice_status": "eInvoice Registered",
        "irn": IRN,
        "ack_no": "112610000012345",
        "ack_dt": "2026-11-22 11:45:10",
        "signed_qr": "h.p.s",
    }


def test_many_marks_are_written_and_the_unreached_named(sample_url: str) -> None:
    run(sample_url, "update books.voucher set irn = :irn where voucher_id = 'SAL/1002'", irn=OTHER_IRN)

    with opened(sample_url) as books, books.writing() as open_books:
        unreached = open_books.registered([mark("SAL/1001"), mark("SAL/1002"), mark("SAL/9999"), mark("SAL/1003")])
        found = open_books.read(["SAL/1001", "SAL/1002", "SAL/1003"])

    assert unreached == {"SAL/1002", "SAL/9999"}
    assert [voucher.irn for voucher in found.values()] == [IRN, OTHER_IRN, IRN]


def test_a_cancellation_is_marked_and_a_late_success_does_not_reach_it(sample_url: str) -> None:
    with opened(sample_url) as books, books.writing() as open_books:
        open_books.registered([mark("SAL/1001")])

        unreached = open_books.cancelled([mark("SAL/1001"), mark("SAL/1002")])
        late = open_books.registered([mark("SAL/1001", OTHER_IRN)])
        found = open_books.read(["SAL/1001"])

    assert (unreached, late) == ({"SAL/1002"}, {"SAL/1001"})
    assert (found["SAL/1001"].irn, found["SAL/1001"].einvoice_status) == (IRN, "eInvoice Cancelled")


def test_what_fails_before_the_end_is_not_written(sample_url: str) -> None:
    def dies(books: SqlBooks) -> None:
        with books.writing() as open_books:
            open_books.registered([mark("SAL/1001")])
            raise RuntimeError("the process dies here")

    with opened(sample_url) as books, pytest.raises(RuntimeError):
        dies(books)

    assert run(sample_url, ROW, id="SAL/1001")[0]["irn"] is None


def test_a_writer_of_sqlite_has_its_turn_before_it_reads(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)

    with opened(url) as books, books.writing(), pytest.raises(sa.exc.OperationalError, match="database is locked"):
        run(f"{url}?timeout=0", "update voucher set remarks = 'in between'")


def test_books_of_another_layout_are_read_by_the_users_own_queries(acme: Source) -> None:
    with opened(acme) as books, books.reading() as open_books:
        invoice = open_books.read(["501"])["501"].invoice

    assert invoice is not None
    assert invoice.tran_dtls == Transaction(sup_typ="B2B", reg_rev="N")
    assert invoice.doc_dtls == Document(typ="INV", no="X/501", dt="20/11/2026")
    assert invoice.buyer_dtls == Party(
        gstin="07ZZYFE5093Q1Z6", lgl_nm="Yamuna Electricals", addr1="B-57, Okhla", loc="New Delhi", pin=110020,
        stcd="07", pos="07",
    )  # fmt: skip
    assert invoice.val_dtls == Totals(
        ass_val=Decimal("6930.3"), igst_val=Decimal("1247.454"), tot_inv_val=Decimal("8177.754")
    )
    assert [item.sl_no for item in invoice.item_list] == ["1", "2"]
    assert invoice.item_list[1] == Item(
        sl_no="2", prd_desc="Gasket", is_servc="N", hsn_cd="40169330", qty=Decimal("0.1"), unit="NOS",
        unit_price=Decimal(3), tot_amt=Decimal("0.3"), ass_amt=Decimal("0.3"), gst_rt=Decimal(18),
        igst_amt=Decimal("0.054"), tot_item_val=Decimal("0.354"),
    )  # fmt: skip


def test_books_of_another_layout_are_marked_by_the_users_own_update(acme: Source, books_url: str) -> None:
    (before,) = run(books_url, "select * from document where doc_no = 501")

    with opened(acme) as books, books.writing() as open_books:
        unreached = open_books.registered([mark("501"), mark("502")])
        found = open_books.read(["501"])

    (after,) = run(books_url, "select * from document where doc_no = 501")
    assert unreached == set()
    assert (found["501"].irn, found["501"].einvoice_status) == (IRN, "eInvoice Registered")
    assert {name: str(after[name]) for name in after if after[name] != before[name]} == {
        "gst_state": "eInvoice Registered",
        "gst_hash": IRN,
        "gst_ack": "112610000012345",
        "gst_ack_at": "2026-11-22 11:45:10",
        "gst_qr": "h.p.s",
    }


def test_a_value_that_the_books_refuse_is_told_apart_from_an_outage(acme: Source) -> None:
    with (
        opened(acme) as books,
        pytest.raises(RefusedRow, match="the database refused a value"),
        books.writing() as open_books,
    ):
        open_books.registered([mark("501", ack_no="999999999999999")])


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ({"headers": "select voucher_id, irn from books.vuocher where voucher_id in :ids"}, "vuocher"),
        ({"headers": "selekt voucher_id from books.voucher where voucher_id in :ids"}, "selekt"),
        ({"headers": "select voucher_id, irn, remarks as colour from books.voucher where voucher_id in :ids"},
         "the query `headers`: unknown column colour"),
        ({"lines": "select voucher_id, hsn from books.line where voucher_id in :ids"},
         "the query `lines`: no column line_no"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_held_until_it_is_mended(sample_url: str, statements: dict[str, str], says: str) -> None:
    own = {name: catalogue.own_sql(sql, sa.make_url(sample_url)) for name, sql in statements.items()}

    with (
        opened(source(sample_url, **own)) as books,
        pytest.raises(Unavailable, match=f"books main can't be used: .*{says}"),
        books.reading() as open_books,
    ):
        open_books.probe()


def test_a_query_that_writes_is_refused_by_postgresql(empty_database_url: str) -> None:
    run(empty_database_url, "create table t (voucher_id text, irn text)")
    deleting = "with gone as (delete from t returning *) select voucher_id, irn from gone where voucher_id in :ids"

    with (
        opened(source(empty_database_url, headers=deleting)) as books,
        pytest.raises(Unavailable, match="read-only transaction"),
        books.reading() as open_books,
    ):
        open_books.read(["1"])


def test_books_that_do_not_answer_are_unavailable_and_their_password_is_not_told() -> None:
    with (
        opened("postgresql://reader:s3cret@127.0.0.1:1/books") as books,
        pytest.raises(Unavailable, match="books main can't be used: connection failed") as error,
        books.reading() as open_books,
    ):
        open_books.probe()

    assert "s3cret" not in str(error.value)


def test_a_database_without_a_driver_is_refused_at_once() -> None:
    with pytest.raises(BadInput, match=r"books main: .*Drivers for more databases: irnflow\[erp\]"):
        opened("mssql+pymssql://reader@localhost/books").__enter__()


def in_another_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()

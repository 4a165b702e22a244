"""Files into the books, on each database: a document whole or not at all; the same file again changes nothing."""

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow.books.sql import SqlBooks
from irnflow.errors import BadInput
from irnflow.files import importing, template
from irnflow.files.importing import Imported
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from tests.books.examples import TODAY, fill_other_layout, mark, other_layout, run, source
from tests.files.invoices import row, table
from tests.gst.documents import BETWEEN, DAY, EXPORT_UNPAID, SHIPPED, SOUND, WITH_CESS, changed, read

ENCODER = msgspec.json.Encoder(decimal_format="number")
CSV = template.write_csv(TODAY, names=template.usual()).decode("utf-8-sig")
ANOTHER = changed(EXPORT_UNPAID, {"DocDtls.No": "BLR/2026/118"})
BETWEEN_ID = "29ZZZCS1111A1ZD/2026-27/INV/BLR/2026/117"


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlBooks]:
    """Empty books of our own layout."""
    url = (
        f"sqlite:///{tmp_path}/books.db"
        if request.param == "sqlite"
        else str(request.getfixturevalue("empty_database_url"))
    )
    books = SqlBooks(source(url))
    importing.prepare(books)
    yield books
    books.close()


def import_(books: SqlBooks, *files: Any) -> Imported:
    """Take in texts of CSV, workbooks and INV-01 documents, each a file of its own."""
    taken = []
    for number, file in enumerate(files):
        content = file.encode() if isinstance(file, str) else file if isinstance(file, bytes) else ENCODER.encode(file)
        taken += list(importing.read(f"file-{number}", lambda mode, content=content: BytesIO(content)))
    return Imported.of(importing.take_in(books, taken))


def fates(done: Imported) -> tuple[int, int, int, int]:
    return len(done.added), len(done.updated), len(done.unchanged), done.refused


def says(done: Imported) -> list[tuple[int | None, str, str]]:
    return [(trouble.row, trouble.column, trouble.says) for trouble in done.troubles]


def address(books: SqlBooks) -> str:
    return books.source.url.render_as_string(hide_password=False)


def everything(books: SqlBooks) -> list[Any]:
    url = address(books)
    return [run(url, f"select * from books.{table} order by 1, 2") for table in ("party", "voucher", "line")]  # noqa: S608


# -- what comes in ---------------------------------------------------------------------------------------------------


def test_the_example_of_the_template_is_imported_and_passes_the_law(books: SqlBooks) -> None:
    done = import_(books, CSV)

    with books.reading() as open_books:
        found = open_books.read(done.added)
    assert fates(done) == (2, 0, 0, 0)
    assert [examine(voucher.invoice, Facts(day=TODAY)).refusals for voucher in found.values() if voucher.invoice] == [
        [],
        [],
    ]


@pytest.mark.parametrize("name", SOUND)
def test_an_inv01_document_comes_out_of_the_books_as_it_came_in(books: SqlBooks, name: str) -> None:
    document = changed(SOUND[name], {"TranDtls.RegRev": SOUND[name]["TranDtls"].get("RegRev", "N")})

    done = import_(books, document)

    with books.reading() as open_books:
        (voucher,) = open_books.read(done.added).values()
    assert voucher.invoice is not None
    assert examine(voucher.invoice, Facts(day=DAY)).payload == examine(read(document), Facts(day=DAY)).payload


def test_every_column_of_the_books_survives(books: SqlBooks) -> None:
    full = changed(
        SHIPPED,
        {
            "TranDtls.EcmGstin": "29ZZZCO6666F1CO", "TranDtls.IgstOnIntra": "N", "DispDtls": {
                "Nm": "Depot", "Addr1": "1", "Addr2": "Gate", "Loc": "Hubli", "Pin": 580020, "Stcd": "29"},
            "PayDtls": {"Nm": "S", "AccDet": "00123456789012345", "CrDay": 30, "PaidAmt": msgspec.convert("1.5", type(
                SHIPPED["ValDtls"]["AssVal"]))},
            "RefDtls": {"InvRm": "so", "DocPerdDtls": {"InvStDt": "01/11/2026", "InvEndDt": "20/11/2026"},
                        "PrecDocDtls": [{"InvNo": "A1", "InvDt": "01/11/2026", "OthRefNo": "x"}],
                        "ContrDtls": [{"PORefr": "PO1", "PORefDt": "02/11/2026", "RecAdvRefr": "r"}]},
            "AddlDocDtls": [{"Url": "https", "Info": "abc"}],
            "EwbDtls": {"TransMode": "1", "Distance": 100, "VehNo": "KA01AB1234", "VehType": "R"},
            "ItemList[0].BchDtls": {"Nm": "B1", "ExpDt": "01/01/2028"},
            "ItemList[0].AttribDtls": [{"Nm": "colour", "Val": "red"}], "ItemList[0].Barcde": "0012",
        },
    )  # fmt: skip

    done = import_(books, full)

    with books.reading() as open_books:
        (voucher,) = open_books.read(done.added).values()
    expected = msgspec.structs.replace(read(full), version=None)
    assert voucher.invoice is not None
    assert voucher.invoice.tran_dtls == msgspec.structs.replace(expected.tran_dtls, tax_sch=None, reg_rev="N")  # type: ignore[type-var]
    assert msgspec.structs.replace(voucher.invoice, tran_dtls=None) == msgspec.structs.replace(expected, tran_dtls=None)


def test_a_price_of_six_decimals_makes_the_exact_gross_amount(books: SqlBooks) -> None:
    done = import_(books, table([row(unit_price="1000.123456", quantity="1000")]))

    with books.reading() as open_books:
        (voucher,) = open_books.read(done.added).values()
    assert voucher.invoice is not None
    examined = examine(voucher.invoice, Facts(day=DAY))
    (item,) = examined.invoice.item_list
    assert (item.tot_amt, item.unit_price) == (Decimal("1000123.46"), Decimal("1000.123"))
    assert examined.warnings == []  # no sum changes


def test_corrections_are_noted_and_the_document_comes_in(books: SqlBooks) -> None:
    done = import_(books, table([row(buyer_gstin="27ZZZCR3333C1Z2\u200b")]))

    assert (fates(done), [(note.row, note.column) for note in done.notes]) == ((1, 0, 0, 0), [(2, "buyer_gstin")])


# -- the same again --------------------------------------------------------------------------------------------------


def test_the_same_files_again_change_nothing(books: SqlBooks) -> None:
    import_(books, CSV, BETWEEN, ANOTHER)
    before = everything(books)

    done = import_(books, CSV, BETWEEN, ANOTHER)

    assert fates(done) == (0, 0, 4, 0)
    assert everything(books) == before


def test_a_document_that_changed_takes_the_place_of_the_earlier_one(books: SqlBooks) -> None:
    import_(books, WITH_CESS)
    fewer = changed(WITH_CESS, {"ItemList[0].PrdDesc": "Stool", "BuyerDtls.LglNm": "Renamed"})

    done = import_(books, fewer)

    with books.reading() as open_books:
        (voucher,) = open_books.read(done.updated).values()
    assert fates(done) == (0, 1, 0, 0)
    assert voucher.invoice is not None
    assert voucher.invoice.buyer_dtls is not None
    assert (voucher.invoice.item_list[0].prd_desc, voucher.invoice.buyer_dtls.lgl_nm) == ("Stool", "Renamed")


def test_lines_that_are_gone_from_the_file_are_gone_from_the_books(books: SqlBooks) -> None:
    import_(books, CSV)
    lines = CSV.splitlines(keepends=True)

    import_(books, "".join(lines[:2] + lines[3:]))

    with books.reading() as open_books:
        voucher = open_books.read(["EXAMPLE-1"])["EXAMPLE-1"]
    assert voucher.invoice is not None
    assert len(voucher.invoice.item_list) == 1


def test_a_registered_document_is_skipped_while_it_is_the_same_and_refused_when_it_changed(books: SqlBooks) -> None:
    import_(books, BETWEEN)
    with books.writing() as open_books:
        open_books.registered([mark(BETWEEN_ID)])
    before = everything(books)

    same, other = import_(books, BETWEEN), import_(books, changed(BETWEEN, {"BuyerDtls.Loc": "Pune"}))

    assert (fates(same), fates(other)) == ((0, 0, 1, 0), (0, 0, 0, 1))
    assert says(other) == [
        (1, "", "it is registered, and what stands here differs: a registered document is never changed")
    ]
    assert everything(books) == before


def test_what_irnflow_wrote_is_not_touched_by_an_update(books: SqlBooks) -> None:
    import_(books, BETWEEN)
    url = address(books)
    run(url, "update books.voucher set einvoice_status = 'eInvoice Cancelled', ack_no = '7'")

    import_(books, changed(BETWEEN, {"BuyerDtls.Loc": "Pune"}))

    assert run(url, "select einvoice_status, ack_no, irn from books.voucher") == [
        {"einvoice_status": "eInvoice Cancelled", "ack_no": "7", "irn": None}
    ]


def test_a_number_that_another_voucher_has_is_refused(books: SqlBooks) -> None:
    import_(books, CSV)

    done = import_(books, CSV.replace("EXAMPLE-2", "MINE").replace("EX/2", "ex/2"))

    assert (done.added, done.unchanged) == ([], ["EXAMPLE-1"])
    assert says(done) == [(4, "", "INV ex/2 stands in the books already, as voucher EXAMPLE-2")]


def test_a_document_that_stands_in_two_files_is_imported_once(books: SqlBooks) -> None:
    done = import_(books, BETWEEN, BETWEEN, changed(BETWEEN, {"BuyerDtls.Loc": "Pune"}))

    assert fates(done) == (1, 0, 1, 1)
    assert says(done) == [(1, "", f"voucher {BETWEEN_ID} came before with other contents, in file-0, line 1")]


# -- what stays out --------------------------------------------------------------------------------------------------


def test_a_document_with_a_bad_row_stays_out_whole_and_its_neighbours_come_in(books: SqlBooks) -> None:
    lines = CSV.splitlines(keepends=True)
    lines[2] = lines[2].replace("5000.00", "five thousand").replace("400001", "4OOOO1")

    done = import_(books, "".join(lines))

    assert done.added == ["EXAMPLE-2"]
    assert sorted(says(done)) == [
        (3, "buyer_pin", "'4OOOO1' is not a number"), (3, "unit_price", "'five thousand' is not a number"),
    ]  # fmt: skip
    assert run(address(books), "select count(*) as n from books.line") == [{"n": 1}]


def test_what_the_books_have_no_place_for_keeps_a_document_out(books: SqlBooks) -> None:
    two = [{"InvNo": "A1", "InvDt": "01/11/2026"}, {"InvNo": "A2", "InvDt": "02/11/2026"}]

    done = import_(books, changed(BETWEEN, {"RefDtls": {"PrecDocDtls": two}}))

    assert fates(done) == (0, 0, 0, 1)
    assert [(column, words) for _, column, words in says(done)] == [
        ("RefDtls.PrecDocDtls[1].InvNo", "the books have no place for it"),
        ("RefDtls.PrecDocDtls[1].InvDt", "the books have no place for it"),
    ]


def test_inv01_that_is_none_is_told_by_path_and_the_others_come_in(books: SqlBooks) -> None:
    done = import_(books, [changed(BETWEEN, {"BuyerDtls.Pin": "40000l"}), ANOTHER])

    assert fates(done) == (1, 0, 0, 1)
    assert [(column, words) for _, column, words in says(done)] == [
        ("BuyerDtls.Pin", "The text '40000l' is not a number.")
    ]


def test_unknown_members_of_inv01_are_left_out_with_a_note(books: SqlBooks) -> None:
    as_odoo_does = changed(BETWEEN, {"BuyerDtls.GSTIN": BETWEEN["BuyerDtls"]["Gstin"], "BuyerDtls.Gstin": None,
                                     "BuyerDtls.Pin": "560001", "ValDtls.x": 1})  # fmt: skip

    done = import_(books, as_odoo_does)

    assert fates(done) == (1, 0, 0, 0)
    assert [(note.column, note.says) for note in done.notes] == [
        ("ValDtls.x", "INV-01 has no field x here; it is left out.")
    ]
    assert fates(import_(books, BETWEEN)) in [(0, 0, 1, 0), (0, 1, 0, 0)]


def test_a_file_that_ends_early_is_told_and_what_stood_before_comes_in(books: SqlBooks) -> None:
    done = import_(books, b"[" + ENCODER.encode(BETWEEN) + b",")

    assert (fates(done), done.unreadable) == ((1, 0, 0, 0), 1)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (taken,) = importing.read("x.csv", (tmp_path / "x.csv").open)

    assert (taken.unreadable, taken.troubles[0].says) == (True, "No such file or directory")


OTHER_KINDS = {
    b"%PDF-1.7": "it is a PDF",
    b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns='
    b'"urn:schemas-microsoft-com:office:spreadsheet">': "it is an XML spreadsheet of 2003: save it as .xlsx",
    b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">':
    "it is an OpenDocument file (.fods): save it as .xlsx",
    b"<html><body><table><tr><td>document_type": "it is a web page",
    b"\xef\xbb\xbf\r\n<HTML>": "it is a web page",
    b"<ENVELOPE><HEADER>": "it is XML of Tally",
    b"<?xml version='1.0'?><invoices/>": "it is XML",
    b"{\\rtf1": "it is a text document (RTF)",
    b"\x09\x08\x10\x00": "it is a file of very old Excel",
    b" \r\n": "it is empty",
    '<?xml version="1.0" encoding="utf-16"?><Workbook/>'.encode("utf-16"): "it is XML",
}  # fmt: skip


@pytest.mark.parametrize(("content", "says"), OTHER_KINDS.items(), ids=range(len(OTHER_KINDS)))
def test_a_kind_of_file_that_can_not_be_read_is_named(content: bytes, says: str) -> None:
    (taken,) = importing.read("x", lambda mode: BytesIO(content))

    assert taken.unreadable
    assert taken.troubles[0].says.startswith(says)


def test_old_workbooks_are_told_apart() -> None:
    (taken,) = importing.read("x.xls", lambda mode: BytesIO(b"\xd0\xcf\x11\xe0" + bytes(600)))

    assert taken.troubles[0].says.startswith("it is a file of old Excel (.xls), or has a password")


def test_what_is_neither_text_nor_a_workbook_is_not_called_a_wrong_encoding() -> None:
    (taken,) = importing.read("x.xlsx", lambda mode: BytesIO(b"\x89\xc7\x00\x1f"))

    assert taken.troubles[0].says.startswith("it is neither a workbook nor text")


def test_books_of_another_layout_are_not_written_to(empty_database_url: str) -> None:
    fill_other_layout(empty_database_url)
    books = SqlBooks(other_layout(empty_database_url))

    with pytest.raises(BadInput, match="have a layout of their own"):
        importing.prepare(books)
    books.close()


def test_books_of_an_earlier_version_get_the_columns_they_lack(books: SqlBooks) -> None:
    url = address(books)
    run(url, "drop index books.voucher_document_number")
    run(url, "alter table books.voucher drop column cess")
    run(url, "alter table books.line drop column batch_expiry")

    importing.prepare(books)

    assert fates(import_(books, WITH_CESS)) == (1, 0, 0, 0)


def test_a_batch_is_written_as_a_whole_many_at_once(books: SqlBooks) -> None:
    many = [changed(BETWEEN, {"DocDtls.No": f"N/{n}"}) for n in range(1, 1203)]

    assert fates(import_(books, many)) == (1202, 0, 0, 0)
    assert fates(import_(books, many)) == (0, 0, 1202, 0)

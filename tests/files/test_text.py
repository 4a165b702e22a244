"""CSV as programs write it: the same documents, whatever is around and within the cells."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest

from irnflow.errors import BadInput
from irnflow.files import tables
from irnflow.files.documents import Taken
from tests.files.invoices import CHAIR, DESK, HEAD, OTHER_BUYER, row, table

ROWS = [row(), row(DESK), row(document_number="BLR/118", remarks='Said "soon", and more', **OTHER_BUYER)]


def read(content: bytes) -> list[Taken]:
    return list(tables.csv_documents("a.csv", BytesIO(content)))


def written(
    delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL, end: str = "\r\n", encoding: str = "utf-8"
) -> bytes:
    rows = list(csv.reader(table(ROWS).decode().splitlines()))
    text = StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    return text.getvalue().encode(encoding)


EXPECTED = [one.document for one in read(table(ROWS))]

# -- the reports -----------------------------------------------------------------------------------------------------


def test_blank_first_line_semicolon() -> None:
    (one, other) = read(b"\r\n" + written(";"))

    assert [one.document, other.document] == EXPECTED
    assert (one.rows, other.rows) == ([3, 4], [5])


def test_semicolon_all_quoted() -> None:
    assert [one.document for one in read(written(";", csv.QUOTE_ALL))] == EXPECTED


def header(name: str, cell: str) -> Any:
    (one,) = read(table([row(**{name: cell})]))
    assert one.document is not None, one.troubles
    return one.document.header[name]


def test_oracle_date() -> None:
    assert header("document_date", "28-NOV-26") == date(2026, 11, 28)


def test_pin_with_space() -> None:
    assert header("buyer_pin", "400 001") == 400001


def test_gstin_zero_width_space() -> None:
    (one,) = read(table([row(buyer_gstin=HEAD["buyer_gstin"] + "\u200b")]))

    assert one.document is not None
    assert one.document.header["buyer_gstin"] == HEAD["buyer_gstin"]
    assert [(note.row, note.column, note.says) for note in one.notes] == [
        (2, "buyer_gstin", "an invisible character was dropped")
    ]


def test_distance_with_comma() -> None:
    assert header("distance_km", "1,200") == 1200


# -- around the cells ------------------------------------------------------------------------------------------------

AROUND: dict[str, bytes] = {
    **{f"divided by {each!r}": written(each) for each in ",;\t|"},
    **{f"divided by {each!r}, all quoted": written(each, csv.QUOTE_ALL) for each in ",;\t|"},
    "texts quoted": written(quoting=csv.QUOTE_NONNUMERIC),
    "sep=;": b"sep=;\r\n" + written(";"),
    "sep=, in quotes": b'"sep=,"\r\n' + written(),
    "sep=| and a mark": b"\xef\xbb\xbfsep=|\r\n" + written("|"),
    "a mark of UTF-8": b"\xef\xbb\xbf" + written(),
    "a mark before quotes": b"\xef\xbb\xbf" + written(quoting=csv.QUOTE_ALL),
    "UTF-16": written("\t", encoding="utf-16"),
    "UTF-16, the other way round": b"\xfe\xff" + written("\t", encoding="utf-16-be"),
    "lines ended as on Unix": written(end="\n"),
    "lines ended twice": written(end="\r\r\n"),
    "lines ended as on an old Mac": written(end="\r"),
    "the end of a file of DOS": written() + b"\x1a",
    "the end of a file of DOS, behind the last row": written().rstrip(b"\r\n") + b"\x1a",
    "no end of the last line": written().rstrip(b"\r\n"),
    "blank lines first": b"\n\r\n  \r\n" + written(),
    "blank cells first": b",,,\r\n" + written(),
    "blank lines behind": written() + b"\r\n\r\n,,,\r\n",
}


@pytest.mark.parametrize("content", AROUND.values(), ids=AROUND)
def test_what_is_around_the_cells_makes_no_difference(content: bytes) -> None:
    assert [one.document for one in read(content)] == EXPECTED


MARKS: dict[str, tuple[bytes, str]] = {
    "without an end": (b'"Desk', "line 3: a quotation mark has no end"),
    "inside a text in quotes": (b'"12" desk"', "line 3: a quotation mark has no end, or stands inside a text"),
    "escaped otherwise": (b'"12\\" desk"', "line 3: a quotation mark has no end, or stands inside a text"),
}


@pytest.mark.parametrize(("cell", "says"), MARKS.values(), ids=MARKS)
def test_a_quotation_mark_in_the_wrong_place_is_told_with_its_line(cell: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(table([row(), row(DESK)]).replace(b"Desk", cell))


def test_a_text_that_has_swallowed_rows_is_told() -> None:
    rows = [row(), row(DESK, description="A desk"), row(document_number="BLR/118", description="B chair")]
    content = table(rows).replace(b"A desk", b'"A desk').replace(b"B chair", b'B chair"')

    with pytest.raises(BadInput, match="lines 3 to 4 are one row"):
        read(content)


def test_texts_of_several_lines_are_read() -> None:
    (one,) = read(table([row(buyer_address_1="7 Market\r\nStreet, Fort"), row(DESK)]))

    assert one.document is None or one.document.header["buyer_address_1"] == "7 Market\r\nStreet, Fort"


def test_a_file_that_ends_in_the_middle_of_a_row_is_told() -> None:
    content = table([row(), row(DESK, remarks="soon")])

    with pytest.raises(BadInput, match="line 3: the file ends in the middle of this row"):
        read(content[: content.index(b",18,soon")])


def test_rows_without_their_last_blank_cells_are_whole() -> None:
    content = table([row(remarks="soon"), row(DESK), row(DESK)]).replace(b",18,\r\n", b",18\r\n").rstrip(b"\r\n")

    assert [one.document is not None for one in read(content)] == [True]


def test_names_with_invisible_characters_are_known() -> None:
    names = table(ROWS).replace(b"document_type", "\ufeffDocument\u00a0Type\u200b *".encode())

    assert [one.document for one in read(names)] == EXPECTED


def test_utf_16_that_ends_in_the_middle_is_told() -> None:
    with pytest.raises(BadInput, match="it begins as UTF-16"):
        read(written(encoding="utf-16")[:-1])


# -- within the cells ------------------------------------------------------------------------------------------------

CELLS: Sequence[tuple[str, str, Any]] = [
    ("document_date", "2026-11-28 00:00:00", date(2026, 11, 28)),
    ("document_date", "2026-11-28 00:00:00.000", date(2026, 11, 28)),
    ("document_date", "2026-11-28T13:45:10", date(2026, 11, 28)),
    ("document_date", "2026-11-27T18:30:00.000Z", date(2026, 11, 28)),
    ("document_date", "2026-11-28T00:00:00+05:30", date(2026, 11, 28)),
    ("document_date", "28/11/2026 00:00", date(2026, 11, 28)),
    ("document_date", "28-11-2026 12:00:00 AM", date(2026, 11, 28)),
    ("document_date", "2026/11/28", date(2026, 11, 28)),
    ("document_date", "20261128", date(2026, 11, 28)),
    ("document_date", "28-NOV-26", date(2026, 11, 28)),
    ("document_date", "28 Nov 2026", date(2026, 11, 28)),
    ("document_date", "28-November-2026", date(2026, 11, 28)),
    ("document_date", "28-NOV-26 12.00.00.000000000 AM", date(2026, 11, 28)),
    ("document_date", "2026-11-28 00:00:00+05:30", date(2026, 11, 28)),
    ("document_date", "2026-11-27 18:30:00+00", date(2026, 11, 28)),
    ("document_date", "2026-11-28 10:15:00 IST", date(2026, 11, 28)),
    ("document_date", "28th November, 2026", date(2026, 11, 28)),
    ("document_date", "28 Nov, 2026", date(2026, 11, 28)),
    ("document_date", "Nov 28, 2026", date(2026, 11, 28)),
    ("document_date", "'28/11/2026", date(2026, 11, 28)),
    ("document_number", '="00117"', "00117"),
    ("document_number", "'00117", "00117"),
    ("hsn", '="09024020"', "09024020"),
    ("buyer_pin", "'400001", 400001),
    ("unit_price", '="1,000.50"', Decimal("1000.50")),
    ("buyer_legal_name", "'Quiet' Offices", "'Quiet' Offices"),
    ("buyer_state", "27.0", "27"),
    ("reverse_charge", "-", None),
    ("document_other_charges", "₹ -", Decimal(0)),
    ("document_other_charges", " Rs. -   ", Decimal(0)),
    ("document_other_charges", "--", Decimal(0)),
    ("document_other_charges", "Nil", Decimal(0)),
    ("document_date", "28/11/26", date(2026, 11, 28)),
    ("document_date", "05-11-26", date(2026, 11, 5)),
    ("buyer_pin", "400001", 400001),
    ("buyer_pin", "400\u00a0001", 400001),
    ("buyer_pin", "400-001", 400001),
    ("buyer_pin", "4,00,001", 400001),
    ("credit_days", "1,200", 1200),
    ("credit_days", "30 days", 30),
    ("distance_km", "120 km", 120),
    ("distance_km", "120.5", 121),
    ("distance_km", "1,120.4 Kms.", 1120),
    ("buyer_legal_name", "Quiet\u00a0Offices", "Quiet\u00a0Offices"),
    ("buyer_legal_name", "श्री\u200dराम", "श्री\u200dराम"),
    ("document_other_charges", "₹ 1,000.50", Decimal("1000.50")),
    ("document_other_charges", "₹1,23,456.50", Decimal("123456.50")),
    ("document_other_charges", "Rs. 1,000.50", Decimal("1000.50")),
    ("document_other_charges", "Rs 500/-", Decimal(500)),
    ("document_other_charges", "INR 500", Decimal(500)),
    ("document_other_charges", "-", Decimal(0)),
    ("document_other_charges", " – ", Decimal(0)),
    ("document_other_charges", "(0.40)", Decimal("-0.40")),
    ("document_other_charges", "(₹ 1,000.40)", Decimal("-1000.40")),
    ("document_other_charges", "₹ (1,000.40)", Decimal("-1000.40")),
    ("document_other_charges", "1,000.50-", Decimal("-1000.50")),
    ("document_other_charges", "-1,000.50", Decimal("-1000.50")),
    ("document_other_charges", "−12.50", Decimal("-12.50")),
    ("document_other_charges", "-₹12.50", Decimal("-12.50")),
    ("document_other_charges", "+12.50", Decimal("12.50")),
    ("document_other_charges", ".50", Decimal("0.50")),
    ("document_other_charges", "100000.00", Decimal(100000)),
    ("gst_rate", "18%", Decimal(18)),
    ("gst_rate", "0.25 %", Decimal("0.25")),
    ("cess_rate", "12%", Decimal(12)),
    ("unit_price", "1000.123456", Decimal("1000.123456")),
    ("unit_price", "1,000.123456", Decimal("1000.123456")),
]


@pytest.mark.parametrize(("column", "cell", "value"), CELLS)
def test_a_cell_is_read_as_it_was_meant(column: str, cell: str, value: Any) -> None:
    (one,) = read(table([row(**{column: cell})]))

    assert one.document is not None, one.troubles
    assert {**one.document.lines[0], **one.document.header}.get(_own(column)) == value


def _own(column: str) -> str:
    return {"document_other_charges": "other_charges"}.get(column, column)


NOT_CERTAIN: Sequence[tuple[str, str, str]] = [
    ("document_date", "28-11-26", "is not a date"),  # of 2028, or of 2026
    ("document_date", "11/28/2026", "is not a date"),
    ("document_date", "28/11", "is not a date"),
    ("document_date", "2026-11-27 18:30:00", "a program has probably made that of 28/11/2026"),
    ("document_date", "27/11/2026 23:59:50", "a program has probably made that of 28/11/2026"),
    ("document_date", "2026-11-28 24:00:00", "is not a date"),
    ("document_date", "31st November 2026", "is not a date"),
    ("document_date", "Nov 28", "is not a date"),
    ("document_other_charges", "₹", "is not a number"),
    ("document_other_charges", "NA", "is not a number"),
    ("document_date", "46354", "is not a date"),
    ("document_number", "1.23457E+15", "a spreadsheet has written a long number"),
    ("document_number", "#REF!", "the cell holds an error of the spreadsheet, #REF!"),
    ("description", "#N/A", "the cell holds an error of the spreadsheet, #N/A"),
    ("description", "########", "the cell holds an error of the spreadsheet"),
    ("document_other_charges", "Err:502", "the cell holds an error of the spreadsheet, Err:502"),
    ("document_other_charges", "5%", "'5%' is not a number"),
    ("document_other_charges", "1.000,50", "is not a number"),
    ("document_other_charges", "1_000", "is not a number"),
    ("document_other_charges", "(-5)", "is not a number"),
    ("document_other_charges", "--5", "is not a number"),
    ("document_other_charges", "12.345", "has more than 2 decimals"),
    ("buyer_pin", "4000 01", "is not a number"),
    ("credit_days", "1,20", "is not a number"),
    ("credit_days", "99999999999.5", "is more than an invoice can hold"),
]


@pytest.mark.parametrize(("column", "cell", "says"), NOT_CERTAIN)
def test_what_is_not_certain_is_told_with_its_column(column: str, cell: str, says: str) -> None:
    (one,) = read(table([row(**{column: cell})]))

    assert one.document is None
    assert [(each.column, says in each.says) for each in one.troubles] == [(column, True)]


@pytest.mark.parametrize(
    "character", ["\u200b", "\ufeff", "\u200e", "\u202c", "\u2060", "\u00ad", "\u200d", "\x1f", "\x80"], ids=ascii
)
@pytest.mark.parametrize("column", ["buyer_gstin", "document_number", "hsn", "buyer_pin", "quantity", "document_date"])
def test_an_invisible_character_is_dropped_with_a_note(character: str, column: str) -> None:
    cell = {**HEAD, **CHAIR}[column]

    (one,) = read(table([row(**{column: cell[:1] + character + cell[1:]})]))

    assert one.document == read(table([row()]))[0].document
    assert [(note.column, note.says) for note in one.notes] == [(column, "an invisible character was dropped")]

"""CSV and XLSX as they come: encodings, delimiters, headers and sheets; rows of a document wherever they stand."""

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import xlsxwriter

from irnflow.errors import BadInput
from irnflow.files import tables, template, text
from irnflow.files.documents import Taken
from tests.books.examples import TODAY

CSV = template.write_csv(TODAY, names=template.usual())
LINES = CSV.decode("utf-8-sig").splitlines(keepends=True)


def of_csv(content: str | bytes) -> list[Taken]:
    return list(tables.csv_documents("a.csv", BytesIO(content if isinstance(content, bytes) else content.encode())))


def of_xlsx(**sheets: list[list[Any]]) -> list[Taken]:
    return list(tables.xlsx_documents("a.xlsx", workbook(**sheets)))


def workbook(**sheets: list[list[Any]]) -> BytesIO:
    stream = BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for at, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(number, at, value, day)
                    elif value == "#DIV/0!":
                        sheet.write_formula(number, at, "=1/0", None, value)
                    else:
                        sheet.write(number, at, value)
    stream.seek(0)
    return stream


def troubles(found: list[Taken]) -> list[tuple[str, int | None, str, str]]:
    return [(each.sheet, each.row, each.column, each.says) for one in found for each in one.troubles]


def trouble_of(content: str | bytes) -> str:
    with pytest.raises(BadInput) as raised:
        of_csv(content)
    return str(raised.value)


# -- CSV -------------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_makes_no_difference() -> None:
    assert of_csv(CSV) == of_csv(CSV.removeprefix(b"\xef\xbb\xbf"))


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_make_no_difference(delimiter: str) -> None:
    assert of_csv("".join(LINES).replace(",", delimiter)) == of_csv(CSV)


def test_names_may_have_capitals_and_spaces() -> None:
    assert of_csv(LINES[0].replace("document_number", "Document Number*").upper() + "".join(LINES[1:])) == of_csv(CSV)


def test_another_encoding_is_told_with_its_line_and_what_to_do() -> None:
    assert trouble_of("".join(LINES).replace("Mumbai", "Mumbaí").encode("cp1252")) == (
        "line 2: byte 0xed is not UTF-8; its encoding is another (in Windows-1252 this is í): "
        "save it as CSV UTF-8, as Excel calls it"
    )


def test_a_column_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    assert "there is no column buyer_gstn (buyer_gstin?)" in trouble_of(LINES[0].replace("buyer_gstin", "buyer_gstn"))
    assert "column hsn comes twice" in trouble_of(LINES[0].replace("quantity", "hsn"))
    assert "neither a column document_number nor voucher_id" in trouble_of("hsn\n")


@pytest.mark.parametrize("content", [b"", b"\n\n", LINES[0].encode()])
def test_a_table_without_rows_has_no_documents(content: bytes) -> None:
    assert of_csv(content) == []


def test_a_quote_that_never_ends_and_a_line_that_never_does_are_told() -> None:
    assert "line 2: " in trouble_of('document_number,remarks\n1,"never\n')
    assert "line 1 has more than 1 MiB: it is not CSV" in trouble_of(b"x" * (text.LINE_BYTES_MAX + 1))


def test_rows_of_a_document_may_stand_apart() -> None:
    apart = of_csv(LINES[0] + LINES[1] + LINES[3] + LINES[2])

    assert [(one.document.voucher_id, len(one.document.lines)) for one in apart if one.document] == [
        ("EXAMPLE-1", 2), ("EXAMPLE-2", 1),
    ]  # fmt: skip


def test_without_a_voucher_id_supplier_year_type_and_number_make_one() -> None:
    found = of_csv("".join(LINES).replace("EXAMPLE-1", "").replace("EXAMPLE-2", ""))

    assert [one.document.voucher_id for one in found if one.document] == [
        "29ZZZCS1111A1ZD/2026-27/INV/EX/1", "29ZZZCS1111A1ZD/2026-27/INV/EX/2",
    ]  # fmt: skip


def test_rows_that_contradict_each_other_are_told() -> None:
    found = of_csv(LINES[0] + LINES[1] + LINES[2].replace("Quiet Offices", "Loud Offices"))

    assert troubles(found) == [
        ("", 3, "buyer_legal_name", "it says Loud Offices, and line 2 of the same document says Quiet Offices")
    ]


def test_a_header_may_stand_on_the_first_row_only_when_the_voucher_id_is_repeated() -> None:
    (one,) = of_csv(LINES[0] + LINES[1] + "EXAMPLE-1" + "," * 18 + "Desk,94033000,1,NOS,10.00,18,,,,,,,,,,\n")

    assert one.document is not None
    assert len(one.document.lines) == 2


def test_a_row_names_the_line_it_begins_on_whatever_breaks_its_texts_hold() -> None:
    found = of_csv(LINES[0] + LINES[1].replace("Quiet Offices", '"Quiet\nOffices"') + LINES[3].replace("1000.50", "x"))

    assert [row for _, row, _, _ in troubles(found)] == [4]


def test_a_comma_without_quotes_is_told_and_the_others_come_in() -> None:
    found = of_csv("".join(LINES).replace("INBOM4", "INBOM4,extra"))

    assert [one.document is not None for one in found] == [True, False]
    assert (
        troubles(found)[0][3] == "the row has more cells than the header: a comma in a text or number without quotes?"
    )


# -- where the names of the columns stand ----------------------------------------------------------------------------

NAMED = ["voucher_id", "document_number", "description", "hsn", "quantity", "unit_price", "gst_rate"]
A1 = ["V1", "A1", "Chair", "94036000", 10, 1000.5, 18]
B1 = ["V2", "B1", "Desk", "94036000", 2, 5000, 18]


def numbers(found: list[Taken]) -> list[object]:
    return [one.document and one.document.header["document_number"] for one in found]


@pytest.mark.parametrize("titles", [[["Sound Traders"]], [["Sales", "1-Nov-26"], [], ["to", "", "30-Nov-26"]]])
def test_titles_may_stand_above_the_names_of_the_columns(titles: list[list[Any]]) -> None:
    csv = "".join(",".join(map(str, cells)) + "\n" for cells in [*titles, NAMED, A1])

    assert numbers(of_csv(csv)) == numbers(of_xlsx(Sheet1=[*titles, NAMED, A1])) == ["A1"]
    assert of_csv(csv)[0].rows == of_xlsx(Sheet1=[*titles, NAMED, A1])[0].rows == [len(titles) + 2]


def test_rows_above_the_names_of_the_columns_that_are_no_titles_are_not_passed_over() -> None:
    with pytest.raises(BadInput, match="the first row must name the columns"):
        of_csv("".join(",".join(map(str, cells)) + "\n" for cells in [A1, NAMED, B1]))
    with pytest.raises(BadInput, match="none of its sheets"):
        of_xlsx(Sheet1=[A1, NAMED, B1])


def test_a_sheet_below_titles_is_read_beside_others() -> None:
    assert numbers(of_xlsx(Sheet1=[NAMED, A1], Sheet2=[["Sound Traders"], NAMED, B1])) == ["A1", "B1"]


@pytest.mark.parametrize("row", [B1, ["", "", *B1[2:]], ["V1", "A1", *B1[2:]]])
@pytest.mark.parametrize("first", [True, False])
def test_a_sheet_that_goes_on_without_names_of_columns_leaves_out_the_file(row: list[Any], first: bool) -> None:
    sheets = {"One": [row], "Two": [NAMED, A1]} if first else {"Two": [NAMED, A1], "One": [row]}

    with pytest.raises(BadInput, match="sheet One goes on without names of columns"):
        of_xlsx(**sheets)


@pytest.mark.parametrize("hide", ["hide", "very_hidden"])
def test_documents_of_a_hidden_sheet_leave_out_the_file(hide: str) -> None:
    written = BytesIO()
    with xlsxwriter.Workbook(written) as book:
        for name, rows in {"Shown": [NAMED, A1], "Old": [NAMED, B1]}.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
        getattr(sheet, hide)()

    with pytest.raises(BadInput, match="sheet Old is hidden"):
        list(tables.xlsx_documents("a.xlsx", written))


@pytest.mark.parametrize("rows", [[], [["Prepared by", "A. Rao"]], [["Rate", "Sum of igst"], [18, 4500, 3, 4, 5]]])
def test_a_sheet_of_something_else_is_passed_over(rows: list[list[Any]]) -> None:
    assert numbers(of_xlsx(Notes=rows, Sheet1=[NAMED, A1])) == ["A1"]


def test_a_cell_in_a_column_without_a_name_is_told() -> None:
    found = of_csv("voucher_id,document_number,hsn,,quantity\nV1,A1,94036000,,1\nV2,B1,94036000,500,1\n")

    assert numbers(found) == ["A1", None]
    assert troubles(found)[0][3] == "a cell stands in column 4, which has no name: name it, or clear the cell"


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        (["V1,A1,9403,1,5", "V2,B1,9403,1,000,"], ["A1", None]),
        (["V1,A1,9403,1,000,", "V2,B1,9403,1,5"], [None, "B1"]),
        (["V1,A1,9403,1,5,,", "V2,B1,9403,1,5,,"], ["A1", "B1"]),  # a program that ends each row so
        (["V1,A1,9403", "V2,B1,9403,1,5"], ["A1", "B1"]),
        (["V1,A1,9403,1,5", ",,,,,,", "V2,B1,9403,1,5"], ["A1", "B1"]),
    ],
)
def test_a_row_that_is_longer_than_the_others_is_told(rows: list[str], taken: list[object]) -> None:
    found = of_csv("\n".join(["voucher_id,document_number,hsn,quantity,discount", *rows, ""]))

    assert numbers(found) == taken


def test_a_row_without_a_number_and_one_without_a_line_are_told() -> None:
    found = of_csv("document_number,voucher_id,hsn\n,,9403\nA1,V1,\n")

    assert [(row, says) for _, row, _, says in troubles(found)] == [
        (2, "the row has neither voucher_id nor document_number"),
        (3, "the row has no line item: description, hsn, quantity and so on are blank"),
    ]


def test_two_lines_of_one_number_are_told() -> None:
    found = of_csv("voucher_id,line_no,hsn\nV1,1,9403\nV1,1,9403\n")

    assert troubles(found)[0][2:] == ("line_no", "line number 1 stands there twice")


# -- XLSX ------------------------------------------------------------------------------------------------------------

NAMES = [
    "voucher_id",
    "document_number",
    "document_date",
    "seller_state",
    "hsn",
    "quantity",
    "unit_price",
    "reverse_charge",
]


def test_numbers_dates_and_booleans_of_a_workbook_lose_nothing() -> None:
    (one,) = of_xlsx(Sales=[NAMES, [117, 42, datetime(2026, 11, 22), 7, 1012100, 2.5, 0.1, True]])  # noqa: DTZ001

    assert one.document is not None
    assert one.document.voucher_id == "117"
    assert one.document.header == {
        "document_number": "42", "document_date": date(2026, 11, 22), "seller_state": "07", "reverse_charge": True,
    }  # fmt: skip
    assert one.document.lines == [
        {"line_no": 1, "hsn": "01012100", "quantity": Decimal("2.5"), "unit_price": Decimal("0.1")}
    ]


def test_each_sheet_that_names_columns_is_read_and_troubles_name_theirs() -> None:
    found = of_xlsx(
        Notes=[["Dear", "all"]],
        April=[NAMES, ["A", "1", "01/04/2026", "29", "9403", 1, "ten"]],
        May=[NAMES, [], ["B", "2", "01/05/2026", "29", "9403", 1, 10]],
        Example=[NAMES, ["C", "3", "01/05/2026", "29", "9403", 1, 10]],
    )

    assert troubles(found) == [("April", 2, "unit_price", "'ten' is not a number")]
    assert [one.document.voucher_id for one in found if one.document] == ["B"]


def test_a_cell_that_could_not_be_reckoned_is_told() -> None:
    found = of_xlsx(Sales=[NAMES, ["A", "1", "01/04/2026", "29", "9403", 1, "#DIV/0!"]])

    assert troubles(found) == [
        ("Sales", 2, "unit_price", "the cell holds an error of the spreadsheet, such as #DIV/0! or #N/A")
    ]


def test_a_workbook_without_a_table_is_told() -> None:
    with pytest.raises(BadInput, match="none of its sheets \\(Notes\\) names columns of documents in its first row"):
        of_xlsx(Notes=[["Dear", "all"]])


def test_a_cell_far_away_does_not_cost_the_memory_between() -> None:
    far = workbook(Sales=[NAMES])
    with xlsxwriter.Workbook(far) as book:
        sheet = book.add_worksheet("Sales")
        sheet.write_row(0, 0, NAMES)
        sheet.write(1_048_575, 16_383, "here")

    (one,) = tables.xlsx_documents("a.xlsx", far)

    assert (one.place.row, one.troubles[0].says) == (
        1_048_576, "the row has nothing below the names of the columns: clear what stands to the right",
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_told(content: bytes) -> None:
    with pytest.raises(BadInput, match="it can't be read as XLSX"):
        list(tables.xlsx_documents("a.xlsx", BytesIO(content)))

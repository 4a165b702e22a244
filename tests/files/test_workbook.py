"""XLSX as programs write it: every kind of cell is the same value, or the same trouble, whoever wrote it."""

import zipfile
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from irnflow.errors import BadInput
from irnflow.files import tables
from irnflow.files.documents import Taken
from tests.files.invoices import CHAIR, HEAD
from tests.files.spreadsheets import WRITERS, Cell, Held, Writer, workbook

DAY = Held("46354", format="dd/mm/yyyy")
SAID: Mapping[str, Cell] = {**HEAD, **CHAIR, "document_date": DAY, "quantity": 10, "unit_price": 1000.5, "gst_rate": 18}
EVERY_WRITER = pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)


def read(writer: Writer, *rows: Mapping[str, Cell], day_0: str = "") -> list[Taken]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = workbook(writer, [names, *([row.get(name) for name in names] for row in rows)], day_0=day_0)
    return list(tables.xlsx_documents("a.xlsx", stream))


def value(found: list[Taken], name: str) -> Any:
    (one,) = found
    assert one.document is not None, one.troubles
    return one.document.header.get(name, one.document.lines[0].get(name))


def trouble(found: list[Taken]) -> tuple[str, str]:
    ((column, says),) = [(each.column, each.says) for one in found for each in one.troubles]
    return column, says


# -- the reports -----------------------------------------------------------------------------------------------------

REF = Held("#REF!", "e")


def test_error_cell() -> None:
    assert trouble(read(WRITERS["excel"], {**SAID, "discount": REF}))[0] == "discount"


def test_error_cell_no_refs() -> None:
    assert trouble(read(WRITERS["no references"], {**SAID, "discount": REF}))[0] == "discount"


def test_error_cell_prefixed() -> None:
    assert trouble(read(WRITERS["open xml sdk"], {**SAID, "discount": REF}))[0] == "discount"


@EVERY_WRITER
def test_merged_header_cells(writer: Writer) -> None:
    below = {name: cell for name, cell in SAID.items() if name in CHAIR}

    (one,) = read(writer, SAID, {**below, "description": "Desk"})

    assert one.document is not None
    assert [line["description"] for line in one.document.lines] == ["Office chair", "Desk"]


@EVERY_WRITER
def test_number_shown_by_format(writer: Writer) -> None:
    found = read(writer, {**SAID, "document_number": Held("17", format='"INV/"000000')})

    assert value(found, "document_number") == "INV/000017"


@EVERY_WRITER
def test_cess_rate_percent_cell(writer: Writer) -> None:
    assert value(read(writer, {**SAID, "cess_rate": Held("0.12", format="0%")}), "cess_rate") == 12


# -- kinds of cell ---------------------------------------------------------------------------------------------------

ACCOUNTING = '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_)'
LAKHS = "[>=10000000]##\\,##\\,##\\,##0.00;##\\,##0.00"
# Column, cell, and the value.
VALUES: Mapping[str, tuple[str, Cell, Any]] = {
    "a text": ("buyer_legal_name", "Ampersand & Söhne <1>", "Ampersand & Söhne <1>"),
    "a text of a formula": ("buyer_legal_name", Held("Quiet", "str", "A1"), "Quiet"),
    "a number": ("unit_price", 0.1, Decimal("0.1")),
    "noise of calculating": ("unit_price", Held("118.00000000000001"), Decimal(118)),
    "six decimals": ("unit_price", Held("10.123456"), Decimal("10.123456")),
    "an exponent": ("unit_price", Held("1.0E-2"), Decimal("0.01")),
    "a calculated formula": ("discount", Held("500.25", formula="J2*0.05"), Decimal("500.25")),
    "a boolean": ("reverse_charge", Held("1", "b"), True),
    "a date": ("document_date", DAY, date(2026, 11, 28)),
    "a date with its own text": ("document_date", Held("46354", format="[$-409]d\\-mmm\\-yy;@"), date(2026, 11, 28)),
    "a time of business": ("document_date", Held("46354.5417", format="dd/mm/yyyy hh:mm"), date(2026, 11, 28)),
    "a date of ISO": ("document_date", Held("2026-11-28T00:00:00", "d"), date(2026, 11, 28)),
    "midnight in UTC, said so": ("document_date", Held("2026-11-27T18:30:00.000Z", "d"), date(2026, 11, 28)),
    "a blank with a format": ("discount", Held(None, format="0.00"), None),
    "leading zeros": ("document_number", Held("17", format="000000"), "000017"),
    "a suffix": ("document_number", Held("17", format='00"/26-27"'), "17/26-27"),
    "a slash": ("document_number", Held("1126", format="00\\/00"), "11/26"),
    "a number as text": ("document_number", Held("17", format="@"), "17"),
    "whole numbers": ("document_number", Held("17", format="0"), "17"),
    "with commas": ("document_number", Held("1700", format="#,##0"), "1700"),
    "with decimals": ("document_number", Held("17", format="0.00"), "17"),
    "a prefix of a text": ("document_number", Held("17", "str", format='"INV/"@'), "INV/17"),
    "a suffix of a text": ("document_number", Held("17", "str", format='0;-0;0;@"/26"'), "17/26"),
    "a text as accounting shows it": ("document_number", Held("17A", "str", format='_(* 0_);_(* "-"_);_(@_)'), "17A"),
    "a blank text with a prefix": ("discount", Held("", "str", format='"INV/"@'), None),
    "a quantity with its unit": ("quantity", Held("10", format='0" NOS"'), 10),
    "HSN with zeros": ("hsn", Held("1012100", format="00000000"), "01012100"),
    "HSN with a comma": ("hsn", Held("94036000", format="#,##0"), "94036000"),
    "per cent": ("gst_rate", Held("0.18", format="0%"), 18),
    "per cent, small": ("gst_rate", Held("0.0025", format="0.00%"), Decimal("0.25")),
    "per cent in words": ("gst_rate", Held("18", format='0" %"'), 18),
    "state cess in per cent": ("state_cess_rate", Held("0.01", format="0.0%"), 1),
    "rupees": ("unit_price", Held("1000.5", format="[$₹-4009] #,##0.00"), Decimal("1000.5")),
    "accounting": ("unit_price", Held("1000.5", format=ACCOUNTING), Decimal("1000.5")),
    "lakhs": ("unit_price", Held("123456.5", format=LAKHS), Decimal("123456.5")),
    "a PIN": ("buyer_pin", Held("400001", format="000 000"), 400001),
    "a state": ("seller_state", Held("7", format="00"), "07"),
}  # fmt: skip


@EVERY_WRITER
@pytest.mark.parametrize(("column", "cell", "expected"), VALUES.values(), ids=VALUES)
def test_a_cell_is_the_same_value_whoever_wrote_it(writer: Writer, column: str, cell: Cell, expected: Any) -> None:
    assert value(read(writer, {**SAID, column: cell}), column) == expected


# Column, cell, and the words.
TROUBLES: Mapping[str, tuple[str, Cell, str]] = {
    "an error": ("discount", REF, "the cell holds an error of the spreadsheet"),
    "an error of a formula": ("discount", Held("#DIV/0!", "e", "1/0"), "the cell holds an error of the spreadsheet"),
    "an error without its word": ("discount", Held(None, "e"), "the cell holds an error of the spreadsheet"),
    "an error pasted as text": ("buyer_legal_name", "#N/A", "the cell holds an error of the spreadsheet, #N/A"),
    "an error in a text formula": ("description", Held("#VALUE!", "str", "A1"), "an error of the spreadsheet, #VALUE!"),
    "a formula without a value": ("discount", Held(None, formula="J2*0.05"), "its formula was never calculated"),
    "a formula with an empty value": ("discount", Held("", formula="J2*0.05"), "its formula was never calculated"),
    "a number that is none": ("discount", Held("1,5"), "the cell holds something that is not a value"),
    "a number made a date": ("document_number", DAY, "a spreadsheet has made the date 2026-11-28 of it"),
    "a number with a fraction": ("document_number", Held("11.7"), "11.7 is not a whole number"),
    "a number in per cent": ("document_number", Held("17", format="0%"), "shows it otherwise"),
    "a number with an exponent": ("document_number", Held("17", format="0.00E+00"), "shows it otherwise"),
    "a fraction": ("document_number", Held("17", format="# ?/?"), "shows it otherwise"),
    "thousands cut off": ("document_number", Held("17000", format="0,"), "shows it otherwise"),
    "a condition": ("document_number", Held("17", format='[>9]"A"0;"B"0'), "shows it otherwise"),
    "a prefix and commas": ("document_number", Held("1700", format='"INV/"#,##0'), "shows it with more around it"),
    "too many digits": ("payee_account", Held("1234567890123456"), "a spreadsheet keeps 15 digits"),
    "a discount in per cent": ("discount", Held("0.05", format="0%"), "the cell shows 5.00 %, and an amount belongs"),
    "a number in a format of texts": ("document_number", Held("17", format='"INV/"@'), "shows it otherwise"),
    "a time": ("quantity", Held("0.5", format="hh:mm"), "shows a time (format hh:mm), and a number belongs here"),
    "hours elapsed": ("quantity", Held("0.5", format="[h]:mm:ss"), "and a number belongs here"),
    "lakhs": ("unit_price", Held("1.5", format='0.00" Lakh"'), "shows 'Lakh' beside it: type the number in rupees"),
    "crores": ("unit_price", Held("1.5", format='"Rs."0.0\\ "Cr"'), "shows 'Cr' beside it"),
    "per cent in words of an amount": ("discount", Held("5", format='0"%"'), "shows '%' beside it"),
    "a minus of the format": ("discount", Held("500", format="-0.00"), "shows '-' beside it"),
    "brackets of the format": ("discount", Held("500", format="(0.00)"), "shows '(' beside it"),
    "a PIN in per cent": ("buyer_pin", Held("400001", format="0%"), "shows it otherwise"),
    "a day as a number": ("document_date", Held("46354"), "is a number: format the cell as a date"),
    "a day as an amount": ("unit_price", DAY, "is not a number"),
    "midnight of India in UTC": ("document_date", Held("46353.770833333", format="d/m/yy"), "made that of 28/11/2026"),
    "ten seconds before midnight": ("document_date", Held("46353.99988425926", format="d/m/y"), "of 28/11/2026"),
    "a day before all days": ("document_date", Held("-1", format="dd/mm/yyyy"), "is shown as a date, and is not one"),
}  # fmt: skip


@EVERY_WRITER
@pytest.mark.parametrize(("column", "cell", "says"), TROUBLES.values(), ids=TROUBLES)
def test_a_cell_that_is_not_certain_is_told_whoever_wrote_it(
    writer: Writer, column: str, cell: Cell, says: str
) -> None:
    found = read(writer, {**SAID, column: cell})

    assert trouble(found)[0] == column
    assert says in trouble(found)[1]


KEY = ("document_number", "document_date", "document_type", "seller_gstin")
SPOILED: Mapping[str, Cell] = {
    "an error": REF, "an error as text": "#N/A", "never calculated": Held(None, formula="A2"), "odd": Held("x"),
    "a fraction": Held("11.7"),
}  # fmt: skip


@pytest.mark.parametrize("cell", SPOILED.values(), ids=SPOILED)
@pytest.mark.parametrize("column", KEY)
@pytest.mark.parametrize("spoiled", [0, 1, 2])
def test_a_spoiled_key_leaves_out_all_rows_of_its_document(column: str, cell: Cell, spoiled: int) -> None:
    rows = [{**SAID, "quantity": at} for at in (1, 2, 3)]
    rows[spoiled] = {**rows[spoiled], column: cell}

    found = read(WRITERS["excel"], *rows)

    assert [one for one in found if one.document] == []
    assert {each.row for one in found for each in one.troubles} == {2, 3, 4}


NUMBERS: Mapping[str, tuple[Cell, str]] = {
    "a date": (DAY, "a spreadsheet has made the date 2026-11-28 of it"),
    "an error": (REF, "the cell holds an error of the spreadsheet"),
    "a fraction": (Held("11.7"), "11.7 is not a whole number"),
    "an exponent as text": ("1E+05", "a spreadsheet has written a long number as 1E+05"),
    "never calculated": (Held(None, formula="A2"), "its formula was never calculated"),
}


@pytest.mark.parametrize(("cell", "says"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_the_sheet_spoiled_is_told_as_what_it_became(cell: Cell, says: str) -> None:
    assert says in trouble(read(WRITERS["excel"], {**SAID, "document_number": cell}))[1]


@pytest.mark.parametrize(("held", "taken"), [("0", False), ("", False), ("504.75", True)])
def test_a_formula_that_xlsxwriter_wrote_counts_if_it_was_given_a_value(held: str, taken: bool) -> None:
    (one,) = read(WRITERS["xlsxwriter"], {**SAID, "discount": Held(held, formula="J2*0.05")})

    assert (one.document is not None) is taken


def test_no_formula_counts_in_a_workbook_that_is_to_be_calculated_when_it_is_opened() -> None:
    other = WRITERS["excel"]._replace(calculation='<calcPr calcId="191029" fullCalcOnLoad="1"/>')

    assert "its formula was not calculated" in trouble(read(other, {**SAID, "discount": Held("5", formula="A1")}))[1]


def test_days_may_be_counted_from_1904() -> None:
    found = read(
        WRITERS["excel"], {**SAID, "document_date": Held("44892", format="dd/mm/yyyy")},
        day_0='<workbookPr date1904="1"/>',
    )  # fmt: skip

    assert value(found, "document_date") == date(2026, 11, 28)


@pytest.mark.parametrize(("code", "says"), [("#,##0", "commas"), ("0.00", "decimals")])
def test_digits_that_are_not_read_as_shown_are_noted(code: str, says: str) -> None:
    (one,) = read(WRITERS["excel"], {**SAID, "document_number": Held("1700", format=code)})

    assert [note.says for note in one.notes] == [f"the cell shows 1700 with {says}; without them it is read"]


def test_texts_of_several_runs_are_one_and_characters_written_as_codes_are_read() -> None:
    names = list(SAID)
    stream = workbook(WRITERS["excel"], [names, list(SAID.values())])
    runs = "<r><t>Quiet</t></r><r><rPr><b/></rPr><t xml:space='preserve'> Off_x0069_ces</t></r>"
    text = f"<si>{runs}<rPh><t>Quiet</t></rPh><rPh><t>no</t></rPh></si>"

    (one,) = tables.xlsx_documents("a", replaced(stream, "<si><t>Quiet Offices</t></si>", text))

    assert one.document is not None
    assert one.document.header["buyer_legal_name"] == "Quiet Offices"


def replaced(stream: BytesIO, before: str, after: str) -> BytesIO:
    written = BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(before.encode(), after.encode()))
    return written


def test_cells_may_be_written_in_any_order() -> None:
    row = [f'<c r="{letters}9" t="str"><v>{letters}</v></c>' for letters in "CAB"]
    names = zip("ABC", ("description", "hsn", "voucher_id"), strict=True)
    first = "".join(f'<c r="{letters}1" t="str"><v>{name}</v></c>' for letters, name in names)
    below = [f'<row r="{at}">{"".join(row)}</row>'.replace("9", at) for at in "23"]
    rows = "".join([f'<row r="1">{first}</row>', *below])
    stream = workbook(WRITERS["excel"], [[]])

    (one,) = tables.xlsx_documents("a", replaced(stream, '<row r="1"></row>', rows))

    assert one.document is not None
    assert one.document.voucher_id == "C"
    assert [(line["description"], line["hsn"]) for line in one.document.lines] == [("A", "B"), ("A", "B")]


def test_a_blank_first_row_and_blank_rows_between_make_no_difference() -> None:
    names, cells = list(SAID), list(SAID.values())
    other = [cell if name != "document_number" else "BLR/118" for name, cell in SAID.items()]

    found = list(tables.xlsx_documents("a", workbook(WRITERS["excel"], [[], names, cells, [], [], other])))

    assert [(one.document is not None, one.rows) for one in found] == [(True, [3]), (True, [6])]


# -- other kinds of file ---------------------------------------------------------------------------------------------


def archive(**parts: bytes) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as inside:
        for name, content in parts.items():
            inside.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


BINARY = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="1" Type='
    b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.bin"/>'
    b"</Relationships>"
)
OTHERS = {
    "OpenDocument": (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), ".ods"),
    "XLSB": (archive(**{"_rels__.rels": BINARY}), ".xlsb"),
    "Numbers": (archive(**{"Index__Document.iwa": b""}), "Apple Numbers"),
    "Word": (archive(**{"word__document.xml": b""}), "Word"),
    "an archive of others": (archive(**{"invoices.csv": b""}), "unpack it"),
    "a document type": (archive(**{"_rels__.rels": b"<!DOCTYPE a><a/>"}), "document type"),
}


@pytest.mark.parametrize(("content", "named"), OTHERS.values(), ids=OTHERS)
def test_a_kind_of_file_that_can_not_be_read_is_named(content: bytes, named: str) -> None:
    with pytest.raises(BadInput) as raised:
        list(tables.xlsx_documents("a", BytesIO(content)))

    assert named in str(raised.value)

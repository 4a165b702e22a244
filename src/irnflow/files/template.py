"""The table that `irnflow import` reads: as a workbook with an example and lists to choose from, or as CSV."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any, BinaryIO, Final

from irnflow.books.columns import HEADERS, LINES, VOUCHER_ID
from irnflow.files.documents import COLUMNS, HEADER
from irnflow.gst import codes, fields

# What every document and line must say; the rest may be left blank.
NEEDED_OF_DOCUMENT: Final = (
    "supply_type", "document_type", "document_number", "document_date",
    "seller_gstin", "seller_legal_name", "seller_address_1", "seller_place", "seller_pin", "seller_state",
    "buyer_gstin", "buyer_legal_name", "place_of_supply", "buyer_address_1", "buyer_place", "buyer_pin", "buyer_state",
)  # fmt: skip
NEEDED_OF_LINE: Final = ("description", "hsn", "quantity", "unit", "unit_price", "gst_rate")
USUAL: Final = ("discount", "reverse_charge", "document_other_charges", "round_off", "remarks",
                "preceding_number", "preceding_date", "currency", "country", "port_code")  # fmt: skip
# Worked out where they are blank.
CALCULATED: Final = frozenset({
    "line_no", "is_service", "gross_amount", "taxable_value", "igst", "cgst", "sgst", "cess", "state_cess",
    "total_value",
    "document_taxable_value", "document_cgst", "document_sgst", "document_igst", "document_cess", "document_state_cess",
    "document_total_value",
})  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {
    VOUCHER_ID: "Your own id of the document, the same on each of its rows. Left blank: GSTIN/year/type/number.",
    "supply_type": "B2B, to a special economic zone (SEZWP with tax, SEZWOP without), export (EXPWP, EXPWOP), DEXP.",
    "document_type": "INV invoice, CRN credit note, DBN debit note.",
    "document_number": "1 to 16 letters, digits, / and -; not 0, / or - first. Blank: the document of the row above.",
    "document_date": "Day first: 22/11/2026.",
    "buyer_gstin": "URP for a buyer abroad.",
    "place_of_supply": "State code; 96 abroad.",
    "buyer_pin": "999999 abroad.",
    "hsn": "4, 6 or 8 digits. Format the column as text, or leading zeros are lost; one lost zero is put back.",
    "quantity": "May be left blank for services.",
    "unit": "Unit quantity code; may be left blank for services.",
    "gst_rate": "Percent, the full rate: 18 for 9 + 9.",
    "discount": "Of the line, in rupees.",
    "document_discount": "Of the whole document, after its lines.",
    "reverse_charge": "Y where the recipient pays the tax.",
    "preceding_number": "For notes: the invoice that they are about.",
    "line_no": "Of the line in its document: 1, 2, 3.",
}
_KINDS: Final = {"text": "text", "amount": "number", "whole": "whole number", "nearest": "whole number",
                 "serial": "whole number", "day": "date",
                 "flag": "Y or N", "state": "state code"}  # fmt: skip
_COLUMN: Final = dict(zip(HEADER, HEADERS, strict=True)) | {c.name: c for c in LINES}
_PATH: Final = {name: _COLUMN[name].field for name in HEADER} | {c.name: f"ItemList[].{c.field}" for c in LINES}


def usual() -> tuple[str, ...]:
    """The columns that nearly everybody needs."""
    return (VOUCHER_ID, *NEEDED_OF_DOCUMENT, *NEEDED_OF_LINE, *USUAL)


def columns() -> tuple[str, ...]:
    """All columns, the usual ones first."""
    return (*usual(), *(name for name in COLUMNS if name not in usual()))


def example(today: date) -> list[dict[str, Any]]:
    """Rows of a table: an invoice of two lines, and an export. All names and numbers are invented."""
    seller = {
        "seller_gstin": "29ZZZCS1111A1ZD", "seller_legal_name": "Sound Traders", "seller_address_1": "1 Main Road",
        "seller_place": "Bengaluru", "seller_pin": 560001, "seller_state": "29",
    }  # fmt: skip
    invoice = {
        "voucher_id": "EXAMPLE-1", "supply_type": "B2B", "document_type": "INV", "document_number": "EX/1",
        "document_date": today, **seller,
        "buyer_gstin": "27ZZZCR3333C1Z2", "buyer_legal_name": "Quiet Offices", "place_of_supply": "27",
        "buyer_address_1": "7 Market Street", "buyer_place": "Mumbai", "buyer_pin": 400001, "buyer_state": "27",
    }  # fmt: skip
    export = {
        "voucher_id": "EXAMPLE-2", "supply_type": "EXPWOP", "document_type": "INV", "document_number": "EX/2",
        "document_date": today, **seller,
        "buyer_gstin": "URP", "buyer_legal_name": "Far Imports Inc", "place_of_supply": "96",
        "buyer_address_1": "5 High Street", "buyer_place": "Dubai", "buyer_pin": 999999, "buyer_state": "96",
        "currency": "AED", "country": "AE", "port_code": "INBOM4",
    }  # fmt: skip
    chairs = {"description": "Office chair", "hsn": "94036000", "quantity": 10, "unit": "NOS",
              "unit_price": Decimal("1000.50"), "gst_rate": 18}  # fmt: skip
    design = {"description": "Design of a room", "hsn": "998314", "unit_price": Decimal("5000.00"), "gst_rate": 18}
    return [{**invoice, **chairs, "discount": Decimal("5.00")}, {**invoice, **design}, {**export, **chairs}]


def write_csv(today: date, *, names: Sequence[str]) -> bytes:
    """The example as CSV: replace its rows. UTF-8 with a byte order mark, by which Excel knows it."""
    text = StringIO()
    table = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\r\n")
    table.writeheader()
    for row in example(today):
        table.writerow({name: f"{value:%d/%m/%Y}" if isinstance(value, date) else value for name, value in row.items()})
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def write_xlsx(today: date, stream: BinaryIO) -> None:
    """A workbook: sheet Invoices to fill in, an example, what each column means, and the lists to choose from."""
    import xlsxwriter

    with xlsxwriter.Workbook(stream) as book:
        looks = _looks(book)
        lists = _lists()
        _write_table(book.add_worksheet("Invoices"), looks, lists, [])
        _write_table(book.add_worksheet("Example"), looks, lists, example(today))
        _write_instructions(book.add_worksheet("Instructions"), looks)
        _write_lists(book.add_worksheet("Lists"), looks, lists)


_ROWS_WITH_LISTS: Final = 10_000
_BLUE, _GREY, _GREEN = "#1F4E79", "#F2F2F2", "#E2EFDA"


def _looks(book: Any) -> dict[str, Any]:
    heading = {"bold": True, "border": 1, "border_color": "#BFBFBF", "valign": "vcenter"}
    return {
        "needed": book.add_format({**heading, "bg_color": _BLUE, "font_color": "#FFFFFF"}),
        "calculated": book.add_format({**heading, "bg_color": _GREEN}),
        "optional": book.add_format({**heading, "bg_color": _GREY}),
        "text": book.add_format({"num_format": "@"}),
        "date": book.add_format({"num_format": "dd/mm/yyyy"}),
        "amount": book.add_format({"num_format": "0.00##"}),
        "bold": book.add_format({"bold": True}),
        "title": book.add_format({"bold": True, "font_size": 16, "font_color": _BLUE}),
        "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
        "code": book.add_format({"font_name": "Consolas", "valign": "top"}),
    }


def _write_table(sheet: Any, looks: Mapping[str, Any], lists: Mapping[str, Sequence[str]], rows: Iterable[Any]) -> None:
    names = columns()
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 24)
    for at, name in enumerate(names):
        look = {"amount": "amount", "day": "date"}.get(_read(name), "text")
        aside = {} if name in usual() else {"level": 1, "hidden": True}
        sheet.set_column(at, at, max(12, len(name) + 3), looks[look], aside)
        sheet.write_string(0, at, name, looks[_need(name)])
        sheet.write_comment(0, at, _explained(name), {"x_scale": 2})
        if name in lists:
            place = list(lists).index(name)
            letter = _letters(place)
            sheet.data_validation(1, at, _ROWS_WITH_LISTS, at, {
                "validate": "list", "source": f"=Lists!${letter}$2:${letter}${len(lists[name]) + 1}",
                "error_title": name, "error_message": "Choose one of the list (sheet Lists).",
            })  # fmt: skip
    sheet.set_column(len(names), len(names), None, None, {"collapsed": True})
    for number, row in enumerate(rows, 1):
        for at, name in enumerate(names):
            _write_cell(sheet, number, at, row.get(name), looks)


def _write_cell(sheet: Any, row: int, at: int, value: Any, looks: Mapping[str, Any]) -> None:
    match value:
        case None:
            return
        case date():
            sheet.write_datetime(row, at, value, looks["date"])
        case int() | Decimal():
            sheet.write_number(row, at, value)
        case _:
            sheet.write_string(row, at, value, looks["text"])


def _write_instructions(sheet: Any, looks: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 14)
    sheet.set_column(2, 2, 16)
    sheet.set_column(3, 3, 80)
    sheet.set_column(4, 4, 32)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "Invoices, a row a line", looks["title"])
    for number, words in enumerate((
        "Fill in the sheet Invoices: a row for each line; the columns of the document on each row, or on its first.",
        "Blue columns must be filled in, green ones are worked out where you leave them blank, grey ones are optional.",
        "Rarely used columns are folded away: open them with the + above the sheet. Columns may be moved or taken out.",
        "Then: irnflow import FILE --books NAME. A document with a row that can't be read is left out and reported.",
        "Importing the same file again changes nothing. What you mended is taken over, while it is not registered.",
    ), 2):  # fmt: skip
        sheet.write_string(number, 0, words)
    top = 8
    for at, words in enumerate(("column", "", "kind", "meaning", "field of INV-01")):
        sheet.write_string(top, at, words, looks["optional"])
    for number, name in enumerate(columns(), top + 1):
        sheet.write_string(number, 0, name, looks[_need(name)])
        sheet.write_string(number, 1, _need(name))
        sheet.write_string(number, 2, _kind(name))
        sheet.write_string(number, 3, _WORDS.get(name, _derived(name)), looks["wrapped"])
        sheet.write_string(number, 4, _PATH.get(name, ""), looks["code"])


def _write_lists(sheet: Any, looks: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> None:
    for at, (name, choices) in enumerate(lists.items()):
        sheet.set_column(at, at, 18, looks["text"])
        sheet.write_string(0, at, name, looks["bold"])
        sheet.write_column(1, at, choices, looks["text"])


def _lists() -> dict[str, Sequence[str]]:
    """What may be chosen in a column, where that is a list that people can go through."""
    states = [f"{row['code']} {row['state']}" for row in codes.rows("states.csv")]
    found: dict[str, Sequence[str]] = {name: choices for name in columns() if (choices := _choices(name))}
    found |= dict.fromkeys((name for name in columns() if _read(name) == "state"), states)
    found |= dict.fromkeys((name for name in columns() if _read(name) == "flag"), ("Y", "N"))
    found["unit"] = sorted(codes.column("units.csv"))
    found["gst_rate"] = [row["percent"] for row in codes.rows("rates.csv")]
    found["currency"] = sorted(codes.column("currencies.csv"))
    found["country"] = sorted(codes.column("countries.csv"))
    return found


def _choices(name: str) -> tuple[str, ...]:
    field = fields.table().get(_PATH.get(name, ""))
    return field.choices if field else ()


def _read(name: str) -> str:
    return _COLUMN[name].read.__name__ if name in _COLUMN else "text"


def _kind(name: str) -> str:
    return _KINDS[_read(name)]


def _need(name: str) -> str:
    if name in NEEDED_OF_DOCUMENT or name in NEEDED_OF_LINE:
        return "needed"
    return "calculated" if name in CALCULATED else "optional"


def _explained(name: str) -> str:
    return f"{_WORDS.get(name, _derived(name))}\n\n{_need(name)}, {_kind(name)}\n{_PATH.get(name, '')}".strip()


def _derived(name: str) -> str:
    words = re.sub(r"^document_", "", name) if name in HEADER else name
    whose = "Of the document" if name in HEADER else "Of the line"
    return f"{whose}: {words.replace('_', ' ')}."


def _letters(at: int) -> str:
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)

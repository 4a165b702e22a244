"""Documents of files on their way into the books: each whole, or with all that keeps it out.

A table (CSV, XLSX) has one row a line; the header's columns stand on each row of a document. Rows belong together that
have the same `voucher_id`, or without one the same supplier, financial year, type and number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.books.columns import HEADERS, LINE_NO, LINES, VOUCHER_ID
from irnflow.books.own import Document, Value
from irnflow.files import cells
from irnflow.gst.invoice import Invoice
from irnflow.gst.irn import financial_year

VOUCHER_ID_CHARACTERS_MAX: Final = 100  # as the API takes it
_CONSTANTS: Final = {"Version": "1.1", "TranDtls.TaxSch": "GST"}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a document was not imported, and where that stands."""

    file: str
    sheet: str = ""
    row: int | None = None  # of the sheet, or the line of the file
    column: str = ""  # or the path in INV-01
    says: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document or a row stands."""

    file: str
    sheet: str = ""
    row: int = 1

    def trouble(self, says: str, column: str = "") -> Trouble:
        return Trouble(file=self.file, sheet=self.sheet, row=self.row, column=column, says=says)

    def __str__(self) -> str:
        return f"{self.sheet}, row {self.row}" if self.sheet else f"line {self.row}"


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it was read: `document`, or the troubles that it has."""

    place: Place
    title: str
    document: Document | None = None
    troubles: Sequence[Trouble] = ()
    notes: Sequence[Trouble] = ()  # what was left out of the document
    unreadable: bool = False  # no document, but the rest of its file


Row = Mapping[str, Any]  # the cells of a table's row that are not blank, by the names that HEADER and LINE have
BROKEN: Final = object()  # what stands in a cell that a spreadsheet could not reckon
OVERLONG: Final = ""  # the column of what stands behind the last one

# The columns of a table: the books' own names; where header and lines share one, the document's has `document_` before.
_BOTH: Final = {column.name for column in HEADERS} & {column.name for column in LINES}
HEADER: Final = {f"document_{c.name}" if c.name in _BOTH else c.name: c.name for c in HEADERS}
LINE: Final = {column.name: column.name for column in LINES}
COLUMNS: Final = (VOUCHER_ID, *HEADER, *LINE)
_READ_HEADER, _READ_LINE = cells.readers()


# -- of a table ------------------------------------------------------------------------------------------------------


def key(row: Row) -> tuple[str, ...] | None:
    """What rows of one document have in common; None where a row doesn't say."""
    if voucher_id := _said(row, VOUCHER_ID):
        return (voucher_id,)
    if not _said(row, "document_number"):
        return None
    try:
        dated = _READ_HEADER["document_date"](row.get("document_date", ""))
    except ValueError:  # told when the row is read
        dated = None
    year = financial_year(dated) if isinstance(dated, date) else ""
    return (year, *(_said(row, name).upper() for name in ("seller_gstin", "document_type", "document_number")))


def _said(row: Row, column: str) -> str:
    try:
        return cells.text(row.get(column, "")) or ""
    except ValueError:
        return ""


def of_table(rows: Sequence[tuple[Place, Row]]) -> Taken:
    """The document that these rows are."""
    troubles: list[Trouble] = []
    header: dict[str, Value] = {}
    said_at: dict[str, Place] = {}
    lines: list[dict[str, Value]] = []
    for number, (place, row) in enumerate(rows, 1):
        for column, value in _read(row, HEADER, _READ_HEADER, place, troubles).items():
            if header.setdefault(HEADER[column], value) != value:
                earlier = f"{said_at[column]} of the same document says {header[HEADER[column]]}"
                troubles.append(place.trouble(f"it says {value}, and {earlier}", column))
            said_at.setdefault(column, place)
        if OVERLONG in row:
            troubles.append(place.trouble("the row has more cells than the header: a comma in a text without quotes?"))
        line = _read(row, LINE, _READ_LINE, place, troubles)
        if not line:
            troubles.append(place.trouble("the row has no line item: description, hsn, quantity and so on are blank"))
        lines.append({LINE_NO: number, **line} if LINE_NO not in line else line)
    first = rows[0][0]
    return _taken(first, _said(rows[0][1], VOUCHER_ID), header, lines, troubles)


def _read(row: Row, names: Mapping[str, str], readers: Mapping[str, cells.Read], place: Place,
          troubles: list[Trouble]) -> dict[str, Value]:  # fmt: skip
    found: dict[str, Value] = {}
    for column in (each for each in row if each in names):
        try:
            if row[column] is BROKEN:
                raise ValueError("the cell holds an error of the spreadsheet, such as #DIV/0! or #N/A")
            cell = cells.with_leading_zero(row[column]) if column == "hsn" else row[column]
            value = readers[names[column]](cell)
        except ValueError as error:
            troubles.append(place.trouble(str(error), column))
            continue
        if value is not None:
            found[column] = value
    return found


def without_key(place: Place) -> Taken:
    """A row of which nobody can tell whose it is."""
    trouble = place.trouble("the row has neither voucher_id nor document_number", "document_number")
    return Taken(place=place, title="a row without a number", troubles=(trouble,))


# -- of INV-01 -------------------------------------------------------------------------------------------------------


def of_invoice(place: Place, invoice: Invoice) -> Taken:
    """The document that an INV-01 JSON is."""
    troubles: list[Trouble] = []
    header, lines = _flat(place, msgspec.to_builtins(invoice, builtin_types=_KEPT), troubles)
    return _taken(place, "", header, lines, troubles)


_KEPT: Final = (Decimal,)
_HEADER_AT: Final = {column.field: column.name for column in HEADERS}
_LINE_AT: Final = {column.field: column.name for column in LINES}
_Rows = tuple[dict[str, Value], list[dict[str, Value]]]  # header, lines


def _flat(place: Place, inv01: dict[str, Any], troubles: list[Trouble]) -> _Rows:
    items = inv01.pop("ItemList", [])
    header = _columns(place, "", inv01, _HEADER_AT, _READ_HEADER, troubles)
    lines = [_columns(place, f"ItemList[{at}].", item, _LINE_AT, _READ_LINE, troubles) for at, item in enumerate(items)]
    if not any(LINE_NO in line for line in lines):
        lines = [{LINE_NO: number, **line} for number, line in enumerate(lines, 1)]
    return header, lines


def _columns(place: Place, prefix: str, section: dict[str, Any], names: Mapping[str, str],
             readers: Mapping[str, cells.Read], troubles: list[Trouble]) -> dict[str, Value]:  # fmt: skip
    found: dict[str, Value] = {}
    for path, given in _leaves(section, ""):
        if _CONSTANTS.get(path) == given:
            continue
        try:
            if path not in names:
                raise ValueError("the books have no place for it")
            value = readers[names[path]](given)
        except ValueError as error:
            troubles.append(place.trouble(str(error), prefix + path))
            continue
        if value is not None:
            found[names[path]] = value
    return found


def _leaves(section: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        elif isinstance(value, list | tuple):
            for at, each in enumerate(value):
                yield from _leaves(each, f"{path}{name}[{at}].")
        else:
            yield path + name, value


# -- of both ---------------------------------------------------------------------------------------------------------


def _taken(place: Place, voucher_id: str, header: dict[str, Value], lines: list[dict[str, Value]],
           troubles: list[Trouble]) -> Taken:  # fmt: skip
    if not voucher_id:
        voucher_id = _own_id(place, header, troubles)
    if len(voucher_id) > VOUCHER_ID_CHARACTERS_MAX or not voucher_id.isprintable():
        troubles.append(
            place.trouble(f"a voucher id has 1 to {VOUCHER_ID_CHARACTERS_MAX} printable characters", VOUCHER_ID)
        )
    troubles.extend(_numbering(place, lines))
    title = f"{header.get('document_type', 'document')} {header.get('document_number', 'without a number')}"
    if troubles:
        return Taken(place=place, title=title, troubles=troubles)
    return Taken(place=place, title=title, document=Document(voucher_id=voucher_id, header=header, lines=lines))


def _own_id(place: Place, header: Mapping[str, Value], troubles: list[Trouble]) -> str:
    """`29AAFCC9980M1ZR/2026-27/INV/BLR/117`: what the law itself names a document by."""
    parts = [header.get(name) for name in ("seller_gstin", "document_date", "document_type", "document_number")]
    if None in parts:
        if not troubles:  # else something was there that can't be read
            says = "without voucher_id it needs seller_gstin, document_date, document_type and document_number"
            troubles.append(place.trouble(says, VOUCHER_ID))
        return "?"
    gstin, dated, typ, number = parts
    assert isinstance(dated, date)
    return f"{gstin}/{financial_year(dated)}/{typ}/{number}".upper()


def _numbering(place: Place, lines: Iterable[Mapping[str, Value]]) -> Iterator[Trouble]:
    seen: set[object] = set()
    for line in lines:
        number = line.get(LINE_NO)
        if number is None:
            yield place.trouble("some lines have a number, and some have none", LINE_NO)
            return
        if number in seen:
            yield place.trouble(f"line number {number} stands there twice", LINE_NO)
        seen.add(number)

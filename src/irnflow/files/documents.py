"""Documents of files on their way into the books: each whole, or with all that keeps it out.

A table (CSV, XLSX) has one row a line; the header's columns stand on each row of a document, or on its first. Which
rows belong together is decided in `assembly`.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from irnflow.books.columns import HEADERS, LINE_NO, LINES, VOUCHER_ID
from irnflow.books.document import Document, Value
from irnflow.files import cells
from irnflow.gst import fields
from irnflow.gst.dates import financial_year
from irnflow.gst.invoice import Invoice

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
    notes: Sequence[Trouble] = ()  # what was corrected, or left out of the document
    unreadable: bool = False  # no document, but the rest of its file
    fix: str = ""  # what to do about a file that can't be opened
    table: "Table | None" = None  # that it stands in
    rows: Sequence[int] = ()  # of that table, one a line


# The columns of a table: the books' own names; where header and lines share one, the document's has `document_` before.
_BOTH: Final = {column.name for column in HEADERS} & {column.name for column in LINES}
HEADER: Final = {f"document_{c.name}" if c.name in _BOTH else c.name: c.name for c in HEADERS}
LINE: Final = {column.name: column.name for column in LINES}
COLUMNS: Final = (VOUCHER_ID, *HEADER, *LINE)
_READ_HEADER, _READ_LINE = cells.readers()


# -- of a table ------------------------------------------------------------------------------------------------------

Cell = Any  # "" if it is blank; a text, a number or a pair of them; its table makes a value of anything else
Row = Sequence[Cell]  # as many cells as the table has columns, or more
_SEEN_MOST: Final = 2_000
_NEVER: Final = object()
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_BETWEEN_WORDS: Final = re.compile(r"[\s-]+")


class Column:
    """A column of one table: reads its cells, each text once."""

    __slots__ = ("at", "name", "own", "read", "seen")

    def __init__(self, at: int, name: str, own: str, read: cells.Read) -> None:
        self.at = at
        self.name = name  # in the table
        self.own = own  # in the books
        self.read = read
        self.seen: dict[Cell, Value | None] = {}


class Table:
    """The columns that the first row of a sheet or of a CSV file names."""

    def __init__(self, file: str, sheet: str, names: Sequence[str], value: Callable[[Any], object] | None) -> None:
        self.file = file
        self.sheet = sheet
        self.names = names
        self.value = value  # of a cell that is neither a text nor a mere number
        self.cells_most = sys.maxsize  # of a row, where only some rows have more than the first
        self.unnamed = [at for at, name in enumerate(names) if not name]
        at = {name: at for at, name in enumerate(names) if name}
        self.voucher_id = Column(at[VOUCHER_ID], VOUCHER_ID, VOUCHER_ID, cells.text) if VOUCHER_ID in at else None
        self.header = [Column(at[n], n, own, _READ_HEADER[own]) for n, own in HEADER.items() if n in at]
        self.lines = [Column(at[n], n, own, _READ_LINE[own]) for n, own in LINE.items() if n in at]
        self.of_document = [column.at for column in (self.voucher_id, *self.header) if column]
        self.head: Callable[[Row], Row] = _taker(self.of_document)
        self.column_of = {c.own: c.name for c in self.lines} | {c.own: c.name for c in self.header}
        self.lines_of = {c.own: c.name for c in self.lines}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self.file, self.sheet, self.names) == (
            other.file,
            other.sheet,
            other.names,
        )

    def __hash__(self) -> int:
        return hash((self.file, self.sheet))

    def place(self, row: int) -> Place:
        return Place(file=self.file, sheet=self.sheet, row=row)

    def read(self, column: Column, cell: Cell) -> Value | cells.Noted | None:
        """Raises ValueError, with words that end a sentence begun with the column's name."""
        if type(cell) is tuple and self.value:
            cell = self.value(cell)
        return column.read(cell)


def name_of(cell: Cell) -> str:
    """The name of a column, from a cell of the first row."""
    return _BETWEEN_WORDS.sub("_", _UNSEEN.sub("", str(cell)).strip().strip("*").strip().lower())


def _taker(places: Sequence[int]) -> Callable[[Row], Row]:
    """Gives these cells of a row, as one value to compare."""
    if len(places) == 1:
        (only,) = places
        return lambda row: (row[only],)
    return itemgetter(*places)


class _Reading:
    """The rows of one document, while they are read."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.header: dict[str, Value] = {}
        self.lines: list[dict[str, Value]] = []
        self.troubles: list[Trouble] = []
        self.notes: list[Trouble] = []
        self._said_at: dict[str, int] = {}
        self._first: Row = ()
        self._head: Row = ()
        self._is_bad = False  # the row above has a trouble in the columns of the document

    def row(self, number: int, row: Row) -> None:
        head = self.table.head(row)
        if head != self._head or self._is_bad:
            found = len(self.troubles)
            self._read_header(number, row)
            self._head, self._is_bad = head, len(self.troubles) > found
        table = self.table
        if len(row) > len(table.names) and (len(row) > table.cells_most or any(row[len(table.names) :])):
            says = "the row has more cells than the header: a comma in a text or number without quotes?"
            self.troubles.append(table.place(number).trouble(says))
        for at in table.unnamed:
            if row[at] != "":
                says = f"a cell stands in column {at + 1}, which has no name: name it, or clear the cell"
                self.troubles.append(table.place(number).trouble(says))
        self._read_line(number, row)

    def _read_header(self, number: int, row: Row) -> None:
        again, first = self._first, self._first or row
        self._first = first
        for column in self.table.header:
            cell = row[column.at]
            if cell == "" or (again and cell == again[column.at] and not self._is_bad):
                continue
            value = self.value(column, cell, number)
            if value is None:
                continue
            if not _is_the_same(self.header.setdefault(column.own, value), value):
                earlier = f"{self.table.place(self._said_at[column.own])} of the same document says"
                says = f"it says {value}, and {earlier} {self.header[column.own]}"
                self.troubles.append(self.table.place(number).trouble(says, column.name))
            self._said_at.setdefault(column.own, number)

    def _read_line(self, number: int, row: Row) -> None:
        line: dict[str, Value] = {}
        found = len(self.troubles)
        for column in self.table.lines:
            cell = row[column.at]
            if cell == "":
                continue
            value = column.seen.get(cell, _NEVER)
            if value is _NEVER:
                value = self.value(column, cell, number)
            if value is not None:
                line[column.own] = value  # type: ignore[assignment]
        if not line and len(self.troubles) == found:
            says = "the row has no line item: description, hsn, quantity and so on are blank"
            self.troubles.append(self.table.place(number).trouble(says))
        if LINE_NO not in line:
            line[LINE_NO] = len(self.lines) + 1
        self.lines.append(line)

    def value(self, column: Column, cell: Cell, number: int) -> Value | None:
        value = column.seen.get(cell, _NEVER)
        if value is not _NEVER:
            return value  # type: ignore[return-value]
        try:
            found = self.table.read(column, cell)
        except ValueError as error:
            self.troubles.append(self.table.place(number).trouble(str(error), column.name))
            return None
        if isinstance(found, cells.Noted):
            self.notes.append(self.table.place(number).trouble(found.says, column.name))
            return found.value
        if len(column.seen) >= _SEEN_MOST:
            column.seen.clear()
        column.seen[cell] = found
        return found


def _is_the_same(one: Value, other: Value) -> bool:
    return one == other or (isinstance(one, str) and isinstance(other, str) and one.casefold() == other.casefold())


def of_table(table: Table, rows: Sequence[tuple[int, Row]]) -> Taken:
    """The document that these rows are."""
    reading = _Reading(table)
    for number, row in rows:
        reading.row(number, row)
    place, first = table.place(rows[0][0]), rows[0][1]
    voucher_id: object = ""
    if table.voucher_id and first[table.voucher_id.at] != "":
        voucher_id = reading.value(table.voucher_id, first[table.voucher_id.at], rows[0][0]) or ""
    return _taken(place, str(voucher_id), reading.header, reading.lines, reading.troubles, reading.notes,
                  table=table, rows=[number for number, _ in rows])  # fmt: skip


# -- of INV-01 -------------------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A field of INV-01: where the books keep it, if they do."""

    at: int  # in its section
    path: str  # below the document or the line
    name: str  # of the column; "" if there is none
    read: cells.Read
    constant: object  # what need not be kept


class _Section(NamedTuple):
    """The fields of a section, and the sections inside by their place; of a list, the first one."""

    fields: tuple[_Place, ...]
    inside: tuple[tuple[int, str, fields.Shape, "_Section"], ...]  # with its path and shape


def of_invoice(place: Place, invoice: Invoice) -> Taken:
    """The document that an INV-01 JSON is."""
    troubles: list[Trouble] = []
    notes: list[Trouble] = []
    header: dict[str, Value] = {}
    lines: list[dict[str, Value]] = []
    of_header, of_line = _sections()
    _flatten(msgspec.structs.replace(invoice, item_list=()), of_header, header, _Told(place, "", troubles, notes))
    for at, item in enumerate(invoice.item_list):
        line: dict[str, Value] = {}
        _flatten(item, of_line, line, _Told(place, f"ItemList[{at}].", troubles, notes))
        lines.append(line)
    if not any(LINE_NO in line for line in lines):
        lines = [{LINE_NO: number, **line} for number, line in enumerate(lines, 1)]
    return _taken(place, "", header, lines, troubles, notes)


class _Told(NamedTuple):
    """Where what is found out about a document goes."""

    place: Place
    prefix: str
    troubles: list[Trouble]
    notes: list[Trouble]


def _flatten(section: msgspec.Struct, of: _Section, found: dict[str, Value], told: _Told) -> None:
    values = msgspec.structs.astuple(section)
    for index, path, name, read, constant in of.fields:
        given = values[index]
        if given is None or (constant is not None and given == constant):
            continue
        try:
            value = read(given)
        except ValueError as error:
            told.troubles.append(told.place.trouble(str(error), told.prefix + path))
            continue
        if type(value) is cells.Noted:
            told.notes.append(told.place.trouble(value.says, told.prefix + path))
            value = value.value
        if value is not None:
            found[name] = value  # type: ignore[assignment]
    for index, path, shape, first in of.inside:
        inside = values[index]
        if isinstance(inside, tuple):
            for at, each in enumerate(inside):
                _flatten(each, _section(shape, f"{path}[{at}].", {}) if at else first, found, told)
        elif inside is not None:
            _flatten(inside, first, found, told)


@cache
def _sections() -> tuple[_Section, _Section]:
    """Of the document, and of a line."""
    columns = {column.field: (column.name, _READ_HEADER[column.name]) for column in HEADERS}
    of_lines = {column.field: (column.name, _READ_LINE[column.name]) for column in LINES}
    (line,) = [inner for _, name, inner in fields.shape().sections if name == "ItemList"]
    return _section(fields.shape(), "", columns), _section(line, "", of_lines)


def _section(shape: fields.Shape, prefix: str, columns: Mapping[str, tuple[str, cells.Read]]) -> _Section:
    inside = {index: (name, inner) for index, name, inner in shape.sections}
    places = []
    for index, field in enumerate(shape.fields):
        path = prefix + field.path.rpartition(".")[2]
        if index not in inside:
            name, read = columns.get(path, ("", _nowhere))
            places.append(_Place(index, path, name, read, _CONSTANTS.get(path)))
    below = [
        (index, prefix + name, inner, _section(inner, f"{prefix}{name}{'[0]' if inner.is_list else ''}.", columns))
        for index, (name, inner) in inside.items()
    ]
    return _Section(tuple(places), tuple(below))


def _nowhere(value: object) -> None:
    raise ValueError("the books have no place for it")


# -- of both ---------------------------------------------------------------------------------------------------------


def _taken(place: Place, voucher_id: str, header: dict[str, Value], lines: list[dict[str, Value]],
           troubles: list[Trouble], notes: list[Trouble], *, table: Table | None = None, rows: Sequence[int] = ()
           ) -> Taken:  # fmt: skip
    if not voucher_id:
        voucher_id = _own_id(place, header, troubles)
    if len(voucher_id) > VOUCHER_ID_CHARACTERS_MAX or not voucher_id.isprintable():
        troubles.append(
            place.trouble(f"a voucher id has 1 to {VOUCHER_ID_CHARACTERS_MAX} printable characters", VOUCHER_ID)
        )
    troubles.extend(_numbering(place, lines))
    title = f"{header.get('document_type', 'document')} {header.get('document_number', 'without a number')}"
    if troubles:
        return Taken(place=place, title=title, troubles=troubles, notes=notes, table=table, rows=rows)
    document = Document(voucher_id=voucher_id, header=header, lines=lines)
    return Taken(place=place, title=title, document=document, notes=notes, table=table, rows=rows)


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

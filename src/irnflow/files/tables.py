"""CSV and XLSX: rows by the names of their columns, each read twice, so that the rows of a document need not be kept.

CSV is UTF-8, with or without a byte order mark, its cells divided by commas, semicolons or tabs. Of an XLSX those
sheets are read whose first row names the columns of documents; the template's own sheets beside them are passed over.
"""

import csv
import difflib
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final
from xml.etree import ElementTree

from irnflow.errors import BadInput
from irnflow.files import documents
from irnflow.files.documents import BROKEN, COLUMNS, OVERLONG, Place, Row, Taken

Rows = Iterator[tuple[Place, Row]]
Cell = tuple[int, int]  # row from 1, column from 0
_NOWHERE: Final[frozenset[Cell]] = frozenset()

LINE_BYTES_MAX: Final = 1024 * 1024
CELLS_MAX: Final = 5_000_000  # of a sheet: it is read as a whole, 30 bytes a cell
UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
ASIDE: Final = ("Example", "Instructions", "Lists")  # the template's sheets that hold no documents
_DELIMITERS: Final = ",;\t"
_KNOWN: Final = frozenset(COLUMNS)
_CHUNK_BYTES: Final = 1024 * 1024
_CELL: Final = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"([^>]*)>')
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def csv_documents(file: str, stream: BinaryIO) -> Iterator[Taken]:
    """The documents of a CSV file. Raises BadInput for what concerns all of it, saying where."""
    return _grouped(lambda: _csv_rows(file, stream))


def xlsx_documents(file: str, stream: BinaryIO) -> Iterator[Taken]:
    """The documents of all sheets that have any. Raises BadInput for what concerns the whole file."""
    from python_calamine import CalamineError, CalamineWorkbook

    broken = _look_inside(stream)
    stream.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        sheets = [name for name in workbook.sheet_names if name not in ASIDE]
        found = False
        for name in sheets:
            sheet = workbook.get_sheet_by_name(name)
            first = next(iter(sheet.iter_rows()), [])
            if not _KNOWN & {_name(cell) for cell in first}:
                continue
            found = True
            yield from _grouped(partial(_sheet_rows, file, name, sheet, broken.get(name, _NOWHERE)))
    except (CalamineError, OSError) as error:
        raise BadInput(f"it can't be read as XLSX: {error}") from error
    if not found:
        raise BadInput(f"none of its sheets ({', '.join(sheets)}) names columns of documents in its first row; "
                       "irnflow template makes one that does")  # fmt: skip


def _grouped(rows: Callable[[], Rows]) -> Iterator[Taken]:
    """A document as soon as its last row has been read."""
    last: dict[tuple[str, ...], Place] = {}
    for place, row in rows():
        if key := documents.key(row):
            last[key] = place
    begun: dict[tuple[str, ...], list[tuple[Place, Row]]] = {}
    for place, row in rows():
        key = documents.key(row)
        if key is None:
            yield documents.without_key(place)
            continue
        begun.setdefault(key, []).append((place, row))
        if last[key] == place:
            yield documents.of_table(begun.pop(key))


def _named(rows: Iterable[tuple[Place, Sequence[Any]]], broken: frozenset[Cell] = _NOWHERE) -> Rows:
    """Rows that say something, by the names of the first of them."""
    names: list[str] = []
    for place, row in rows:
        said = {at: BROKEN if (place.row, at) in broken else cell for at, cell in enumerate(row)}
        said = {at: cell for at, cell in said.items() if not _blank(cell)}
        if said and not names:
            names = _names(row)
        elif said:
            yield place, {names[at] if at < len(names) else OVERLONG: cell for at, cell in said.items()}


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _name(cell: Any) -> str:
    return re.sub(r"[\s-]+", "_", str(cell).strip().lower()).rstrip("*")


def _names(row: Sequence[Any]) -> list[str]:
    """The columns that the first row names. Raises BadInput for those that there are not, and for doubles."""
    names = [OVERLONG if _blank(cell) else _name(cell) for cell in row]
    wrong = [_unknown(name) for name in names if name and name not in _KNOWN]
    wrong += [f"column {name} comes twice" for name in sorted({n for n in names if n and names.count(n) > 1})]
    if not {"voucher_id", "document_number"} & set(names):
        wrong.append("there is neither a column document_number nor voucher_id")
    if wrong:
        raise BadInput(f"the first row must name the columns: {'; '.join(wrong)}. irnflow template writes them all")
    return names


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    return f"there is no column {name[:40]}" + (f" ({near[0]}?)" if near else "")


# -- CSV -------------------------------------------------------------------------------------------------------------


def _csv_rows(file: str, stream: BinaryIO) -> Rows:
    stream.seek(0)
    lines = _lines(stream)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=lambda each: len(_KNOWN & {_name(cell) for cell in first.split(each)}))
    reader = csv.reader(chain((first,), lines), delimiter=delimiter, strict=True)
    try:
        yield from _named(_placed(file, reader))
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: {error}") from error


def _placed(file: str, reader: Any) -> Iterator[tuple[Place, list[str]]]:
    """Rows with the line that each begins on: a text in quotes may hold line breaks."""
    begins = 1
    for row in reader:
        yield Place(file=file, row=begins), row
        begins = reader.line_num + 1


def _lines(stream: BinaryIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise BadInput(f"line {number} has more than {LINE_BYTES_MAX >> 20} MiB: this is no CSV")
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BadInput("it is written in UTF-16; save it as CSV UTF-8 (so Excel calls it)")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start : error.start + 1]
            raise BadInput(
                f"line {number}: byte {byte[0]:#x} is not UTF-8; its encoding is another (in Windows-1252 this is "
                f"{byte.decode('cp1252', 'replace')}): save it as CSV UTF-8, as Excel calls it"
            ) from error


# -- XLSX ------------------------------------------------------------------------------------------------------------


def _sheet_rows(file: str, name: str, sheet: Any, broken: frozenset[Cell]) -> Rows:
    rows = enumerate(sheet.iter_rows(), 1)
    return _named(((Place(file=file, sheet=name, row=number), row) for number, row in rows), broken)


def _look_inside(stream: BinaryIO) -> dict[str, frozenset[Cell]]:
    """The cells of each sheet that hold an error (the reader takes them for blank); by row from 1, column from 0.

    Raises BadInput for what would not fit into memory: a sheet is read as one rectangle, up to its farthest cell.
    """
    broken: dict[str, frozenset[Cell]] = {}
    try:
        with zipfile.ZipFile(stream) as parts:
            if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MAX:
                raise BadInput(f"it unpacks to more than {UNPACKED_BYTES_MAX >> 20} MiB: save it as CSV")
            for name, part in _parts(parts).items():
                with parts.open(part) as xml:
                    broken[name] = _broken(name, xml)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, NotImplementedError, RuntimeError) as error:
        raise BadInput(f"it can't be read as XLSX: {error}") from error
    return broken


def _parts(parts: zipfile.ZipFile) -> dict[str, str]:
    """Where in the file each sheet lies, by its name."""
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 (expat bounds expansion)
    targets = {each.get("Id"): str(each.get("Target")) for each in relations}
    sheets = ElementTree.fromstring(parts.read("xl/workbook.xml")).iterfind(".//{*}sheet")  # noqa: S314
    found = {str(each.get("name")): targets[each.get(_RELATION)] for each in sheets}
    inside = set(parts.namelist())
    places = {name: target.lstrip("/") if target.startswith("/") else f"xl/{target}" for name, target in found.items()}
    return {name: place for name, place in places.items() if place in inside}


def _broken(name: str, xml: Any) -> frozenset[Cell]:
    found: set[Cell] = set()
    rows = columns = 0
    rest = b""
    while chunk := xml.read(_CHUNK_BYTES):
        text = rest + chunk
        end = 0
        for cell in _CELL.finditer(text):
            row, column = int(cell[2]), _column(cell[1])
            rows, columns = max(rows, row), max(columns, column + 1)
            if b't="e"' in cell[3]:
                found.add((row, column))
            end = cell.end()
        if rows * columns > CELLS_MAX:
            raise BadInput(f"sheet {name} reaches to row {rows:,}, {columns} columns wide: clear what is far below "
                           "or to the right, or save it as CSV, which is read row by row")  # fmt: skip
        rest = text[max(end, len(text) - 1000) :]
    return frozenset(found)


def _column(letters: bytes) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + letter - 64
    return at - 1

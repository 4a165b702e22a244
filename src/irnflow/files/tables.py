"""CSV and XLSX: the tables of a file, by the names that their first rows give the columns.

Of a workbook those sheets are read whose first row names columns of documents; the template's own sheets beside them
are passed over.
"""

import difflib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, Final

from irnflow.errors import BadInput
from irnflow.files import text
from irnflow.files.assembly import Assembly
from irnflow.files.documents import COLUMNS, Cell, Table, Taken, name_of
from irnflow.files.workbook import Workbook

Rows = Iterator[tuple[int, list[Cell]]]

ASIDE: Final = ("Example", "Instructions", "Lists")  # the template's sheets that hold no documents
_NAMES_LEAST: Final = 5  # of columns, in a row that stands below titles
_TITLES_MOST: Final = 4  # cells of a row of titles
_TYPED_LEAST: Final = 3  # numbers and dates in a row of a document
_KNOWN: Final = frozenset(COLUMNS)


def csv_documents(file: str, stream: BinaryIO) -> Iterator[Taken]:
    """The documents of a CSV file. Raises BadInput for what concerns all of it, saying where."""
    return _documents(add_csv, file, stream)


def xlsx_documents(file: str, stream: BinaryIO) -> Iterator[Taken]:
    """The documents of all sheets that have any. Raises BadInput for what concerns the whole file."""
    return _documents(add_xlsx, file, stream)


def _documents(add: Callable[[Assembly, str, BinaryIO], None], file: str, stream: BinaryIO) -> Iterator[Taken]:
    with Assembly() as assembly:
        add(assembly, file, stream)
        yield from assembly.taken().get(file, ())


def add_csv(assembly: Assembly, file: str, stream: BinaryIO) -> None:
    """Raises BadInput for what concerns the whole file."""
    rows = text.rows(stream, _header)
    for _, first in rows:
        table = Table(file, "", _names(first), None)
        assembly.add(table, _measured(table, len(first), rows))


def _measured(table: Table, width: int, rows: Iterator[tuple[int, list[str]]]) -> Rows:
    """The rows, while the table learns whether only some of them have more cells than the first row."""
    wider: set[bool] = set()
    for number, row in rows:
        if len(wider) < 2 and any(row):
            wider.add(len(row) > width)
            table.cells_most = width if len(wider) == 2 else sys.maxsize
        yield number, row


def add_xlsx(assembly: Assembly, file: str, stream: BinaryIO) -> None:
    """Raises BadInput for what concerns the whole file."""
    book = Workbook(stream)
    sheets = [name for name in book.names if name not in ASIDE]
    without: list[tuple[str, list[Cell]]] = []  # names of columns, and their first row
    read: list[Table] = []
    for name in sheets:
        rows = book.rows(name)
        top = list(islice(((number, row) for number, row in rows if any(row)), text.FIRST_ROWS))
        known, at = _header([row for _, row in top])
        if known and name in book.hidden and len(top) > at + 1:
            raise BadInput(f"sheet {name} is hidden, and documents stand on it that nobody sees: unhide it, or delete "
                           "it, and import the file again")  # fmt: skip
        if known:
            table = Table(file, name, _names(top[at][1]), book.value)
            assembly.add(table, _with_gaps(top[at][0], chain(top[at + 1 :], rows)))
            read.append(table)
        elif top:
            without.append((name, top[0][1]))
    for name, first in without:
        for table in read:
            if _is_of(table, first):
                raise BadInput(f"sheet {name} goes on without names of columns, as if it were below sheet "
                               f"{table.sheet}: copy the first row of {table.sheet} there")  # fmt: skip
    if not read:
        raise BadInput(f"none of its sheets ({', '.join(sheets)}) names columns of documents in its first row; "
                       "irnflow template makes one that does")  # fmt: skip


def _is_of(table: Table, row: Sequence[Cell]) -> bool:
    """Whether a row reads as one of this table: nothing in it is wrong, and some cells are more than texts."""
    found = 0
    for column in (*table.header, *table.lines):
        cell = row[column.at] if column.at < len(row) else ""
        try:
            found += cell != "" and not isinstance(table.read(column, cell), str | None)
        except ValueError:
            return False
    return found >= _TYPED_LEAST


def _with_gaps(number: int, rows: Rows) -> Rows:
    """The rows of a sheet, an empty one where some hold nothing."""
    for at, row in rows:
        if at != number + 1:
            yield at - 1, []
        yield at, row
        number = at


def _header(rows: Sequence[Sequence[Cell]]) -> tuple[int, int]:
    """How many columns the row names that is the header, and its place: the first row, or one below a few titles."""
    for at, row in enumerate(rows):
        known = _known(row)
        if known >= (_NAMES_LEAST if at else 1):
            return known, at
        if sum(cell != "" for cell in row) > _TITLES_MOST:
            break
    return 0, 0


def _known(cells: Iterable[Cell]) -> int:
    return len(_KNOWN & {name_of(cell) for cell in cells})


def _names(row: Sequence[Cell]) -> list[str]:
    """The columns that the first row names. Raises BadInput for those that there are not, and for doubles."""
    names = [name_of(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
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

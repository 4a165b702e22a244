"""CSV and XLSX: the tables of a file, by the names that their first rows give the columns.

Of a workbook those sheets are read whose first row names columns of documents; the template's own sheets beside them
are passed over.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Final

from irnflow.errors import BadInput
from irnflow.files import text
from irnflow.files.assembly import Assembly
from irnflow.files.documents import COLUMNS, Cell, Table, Taken, name_of
from irnflow.files.workbook import Workbook

Rows = Iterator[tuple[int, list[Cell]]]

ASIDE: Final = ("Example", "Instructions", "Lists")  # the template's sheets that hold no documents
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
    rows = text.rows(stream, _known)
    for _, first in rows:
        table = Table(file, "", _names(first), None)
        assembly.add(table, rows)


def add_xlsx(assembly: Assembly, file: str, stream: BinaryIO) -> None:
    """Raises BadInput for what concerns the whole file."""
    book = Workbook(stream)
    sheets = [name for name in book.names if name not in ASIDE]
    found = False
    for name in sheets:
        rows = book.rows(name)
        number, first = next(((number, row) for number, row in rows if any(row)), (0, []))
        if _known(first):
            found = True
            assembly.add(Table(file, name, _names(first), book.value), _with_gaps(number, rows))
    if not found:
        raise BadInput(f"none of its sheets ({', '.join(sheets)}) names columns of documents in its first row; "
                       "irnflow template makes one that does")  # fmt: skip


def _with_gaps(number: int, rows: Rows) -> Rows:
    """The rows of a sheet, an empty one where some hold nothing."""
    for at, row in rows:
        if at != number + 1:
            yield at - 1, []
        yield at, row
        number = at


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

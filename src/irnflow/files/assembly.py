"""Which rows are one document, over all tables of one command. A document is taken whole, or left out whole.

Rows that stand one below the other and say the same of their document are a run; runs of the same key are a document.
The key is the `voucher_id`, or without one supplier, financial year, type and number.

    a row whose document columns are blank    belongs to the row above, if it has an HSN and nothing blank is between
    a row that says only a part of it         belongs to the row above, if all that it says is said there, and either
                                              the number is said too, or neither number, type nor date
    any other row without a readable number   can't be assigned

What can't be assigned leaves out each document that it may belong to: the one above, the one below, and those that say
the same in all other columns, unless some column contradicts. Two documents of the same number are two only where no
typing error can make one of the other (_PARTS); else both are left out. Nothing is decided before all rows have been
seen: they wait in a temporary file, so memory holds a few words of each document.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import Any, Final, Self

import msgspec

from irnflow.files import cells, documents
from irnflow.files.documents import Cell, Column, Row, Table, Taken, Trouble, name_of
from irnflow.gst import gstin
from irnflow.gst.dates import financial_year

_IN_MEMORY_BYTES: Final = 4 * 1024 * 1024
_TYPES: Final = ("INV", "CRN", "DBN")
_NEAR_DAYS: Final = 31
_OF_ONE_NUMBER_MOST: Final = 100  # documents; a supplier has one of each type in a year
_TOTAL: Final = re.compile(
    r"[\W_]*(?:(?:grand|sub|net|gross|page|report|overall|invoice|bill|voucher|document|column)[ -]?)*totals?[\W_]*"
    r"(?:(?:amount|amt|value|qty|quantity|rs|inr|in|of|for|the|page|invoice|bill|tax|gst|lines?|items?|carried|brought|"
    r"forward|c/f|b/f|[0-9]{1,9})\b[\W_]*)*|\W*(?:कुल|महा)?\s*योग\W*|\W*कुल\W*",
    re.IGNORECASE,
)
_TOTAL_CHARACTERS_MAX: Final = 60
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[tuple[int, list[str | float | tuple[str | float, int]]]])


class Bad(str):
    """A cell of the key that can't be read; two are the same if their cells are."""

    __slots__ = ("says",)
    says: str


class Key(msgspec.Struct, frozen=True):
    """What names a document: each a value, "" where the row is silent, or Bad."""

    voucher_id: str
    gstin: str
    typ: str
    number: str
    day: date | str

    @property
    def year(self) -> str:
        return _comparable(self.day)

    @property
    def identity(self) -> tuple[object, ...]:
        if self.voucher_id:
            return (self.voucher_id,)
        return self.gstin, self.year, self.typ, self.number

    @property
    def is_assigned(self) -> bool:
        """Whether it says for itself which document it is."""
        return _is_said(self.voucher_id) or _is_said(self.number)


def _is_said(part: object) -> bool:
    return part != "" and not isinstance(part, Bad)


class Run(msgspec.Struct):
    """Rows one below the other, of one document."""

    table: Table
    key: Key
    row: int  # the first
    above: "Run | None"  # what stands above, for a run that can't be assigned
    rows: int = 0
    at: int = 0  # in the temporary file
    size: int = 0
    why: str = ""  # it can't be assigned
    column: str = ""  # "": no document can lack it
    is_line: bool = True  # its first row has an HSN
    is_apart: bool = False  # from the row above, by a blank row or as the first of its table

    @property
    def is_aside(self) -> bool:
        """Whether it is a remark, a total or a mere number: a line below it may be of the document above it."""
        key = self.key
        return not self.is_line and bool(self.why or not (key.gstin or key.typ or key.day))


class Group(msgspec.Struct, eq=False):
    """The runs of one document in one table, or one run that can't be assigned."""

    runs: list[Run]
    order: int
    twin: "Group | None" = None  # an earlier one that it is left out with
    troubles: list[Trouble] = []  # msgspec gives each group its own

    @property
    def key(self) -> Key:
        return next((run.key for run in self.runs if run.key.number), self.runs[0].key)

    @property
    def first(self) -> "Group":
        return self.twin.first if self.twin else self


class Assembly:
    """Documents out of the rows of tables: first all rows are added, then the documents are taken."""

    def __init__(self) -> None:
        self._waiting = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 (it lives as long as this)
        self._runs: list[Run] = []
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._last: Run | None = None  # of the table before
        self._unreadable: set[str] = set()

    def add(self, table: Table, rows: Iterable[tuple[int, list[Cell]]]) -> None:
        """The rows of a table; one that is empty stands for any number of blank ones."""
        adding = _Adding(self, table, self._last)
        try:
            adding.all(rows)
        finally:  # what was read of a file that ends in an error
            adding.end()
            self._last = adding.run or self._last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.close()

    def forget(self, file: str) -> None:
        """A file that can't be read to its end has no document that is whole for certain."""
        self._unreadable.add(file)

    def keep(self, run: Run, rows: list[tuple[int, list[Cell]]]) -> None:
        """Put the rows of a run aside."""
        written = _encoder.encode(rows)
        run.at, run.size, run.rows = self._waiting.seek(0, 2), len(written), len(rows)
        self._waiting.write(written)
        order = len(self._runs)
        self._runs.append(run)
        key = (id(run.table), order) if run.why else (id(run.table), *run.key.identity)
        if group := self._groups.get(key):
            group.runs.append(run)
        else:
            self._groups[key] = Group([run], order)

    def rows(self, group: Group) -> list[tuple[int, Row]]:
        """All rows of a document, in the order of the table."""
        return [row for run in group.runs for row in self.rows_of(run)]

    def rows_of(self, run: Run) -> list[tuple[int, Row]]:
        self._waiting.seek(run.at)
        found: list[tuple[int, Row]] = _decoder.decode(self._waiting.read(run.size))  # type: ignore[assignment]
        return found

    def taken(self) -> dict[str, Iterator[Taken]]:
        """The documents of each file, in the order of their first rows."""
        _Doubts(self, self._groups.values(), self._runs).resolve()
        together: dict[int, list[Group]] = defaultdict(list)
        for group in self._groups.values():
            if group.twin:
                together[id(group.first)].append(group)
        files: dict[str, list[Group]] = defaultdict(list)
        for group in self._groups.values():
            file = group.runs[0].table.file
            if group.twin is None and (file not in self._unreadable or id(group) in together):
                files[file].append(group)
        return {file: self._taken(groups, together) for file, groups in files.items()}

    def _taken(self, groups: Sequence[Group], together: Mapping[int, list[Group]]) -> Iterator[Taken]:
        for group in groups:
            others = together.get(id(group), [])
            if group.troubles or others:
                yield self._left_out([group, *others])
            else:
                yield documents.of_table(group.runs[0].table, self.rows(group))

    def _left_out(self, groups: Sequence[Group]) -> Taken:
        """What may be one document, with all its rows."""
        told = [trouble for group in groups for trouble in group.troubles]
        cells_told = {(each.file, each.sheet, each.row, each.column) for each in told}
        for group in groups:
            if not group.runs[0].why:
                own = documents.of_table(group.runs[0].table, self.rows(group)).troubles
                told += [each for each in own if (each.file, each.sheet, each.row, each.column) not in cells_told]
        named = {(trouble.file, trouble.sheet, trouble.row) for trouble in told}
        place = groups[0].runs[0].table.place(groups[0].runs[0].row)
        for group in groups:
            table = group.runs[0].table
            for number, _ in self.rows(group):
                if (table.file, table.sheet, number) not in named:
                    told.append(table.place(number).trouble("left out with the other rows of this document"))
        key = next((group.key for group in groups if _is_said(group.key.number)), groups[0].key)
        title = (
            f"{key.typ or 'document'} {key.number or key.voucher_id}" if key.is_assigned else "a row without a number"
        )
        return Taken(
            place=place, title=title, troubles=sorted(told, key=lambda each: (each.file, each.sheet, each.row))
        )


# -- the rows of a table become runs ---------------------------------------------------------------------------------


class _Adding:
    """One table, row by row."""

    def __init__(self, into: Assembly, table: Table, before: Run | None) -> None:
        self.run = before
        self._into = into
        self._table = table
        self._width = len(table.names)
        self._blank = ("",) * len(table.of_document)
        self._columns = {column.name: column for column in (table.voucher_id, *table.header) if column}
        self._hsn = next((column.at for column in table.lines if column.name == "hsn"), None)
        self._open = False  # whether self.run is of this table
        self._rows: list[tuple[int, list[Cell]]] = []
        self._head: Row = ()
        self._gap = False

    def all(self, rows: Iterable[tuple[int, list[Cell]]]) -> None:
        head_of, width, blank = self._table.head, self._width, self._blank
        for number, row in rows:
            if len(row) < width:
                row.extend([""] * (width - len(row)))
            head = head_of(row)
            if head == self._head and head != blank:
                self._rows.append((number, row))
                self._gap = False
            elif any(row):
                self._place(number, row, head)
            else:
                self._gap = True

    def end(self) -> None:
        if self._open and self.run:
            self._into.keep(self.run, self._rows)
        self._rows = []

    def _place(self, number: int, row: list[Cell], head: Row) -> None:
        if all(_is_blank(cell) for cell in row):
            self._gap = True
            return
        if self._is_the_header_again(row):
            return
        says_nothing = all(_is_blank(cell) for cell in head)
        key = _SILENT if says_nothing else self._key(row)
        why, column = self._why_not(row, head, key, says_nothing=says_nothing)
        if not why and self._open and self._goes_on(key):
            self._rows.append((number, row))
        else:
            self.end()
            apart = self._gap or not self._open
            self.run = Run(self._table, key, number, self.run, why=why, column=column, is_apart=apart,
                           is_line=self._is_line(row))  # fmt: skip
            self._open = True
            self._rows.append((number, row))
            if why or not says_nothing:  # no row below goes on with what the document above says
                self._head = () if says_nothing else head
        self._gap = False

    def _is_the_header_again(self, row: Row) -> bool:
        """Whether it names the columns once more, as on each page of a report."""
        named = [(cell, name) for cell, name in zip(row, self._table.names, strict=False) if cell != ""]
        return bool(named) and all(name_of(cell) == name for cell, name in named)

    def _is_line(self, row: Row) -> bool:
        return self._hsn is None or not _is_blank(row[self._hsn])

    def _goes_on(self, key: Key) -> bool:
        """Whether a row that can be assigned is of the document above."""
        assert self.run
        if key.voucher_id:
            return key.voucher_id == self.run.key.voucher_id
        above = self.run.key
        said = [(key.number, above.number), (key.gstin, above.gstin), (key.typ, above.typ), (key.year, above.year)]
        return not self.run.why and all(mine in ("", theirs) for mine, theirs in said)

    def _why_not(self, row: Row, head: Row, key: Key, *, says_nothing: bool) -> tuple[str, str]:
        """Why nobody can tell whose row this is, and the column; "" when it is certain."""
        if not (key.gstin or key.day or self._is_line(row)) and _is_total(row):
            return "it is a total and not a line of a document: take it out", ""
        if _is_said(key.voucher_id):
            return "", ""
        for name, part in (("voucher_id", key.voucher_id), ("document_number", key.number)):
            if isinstance(part, Bad):
                return part.says, name
        if key.number:
            return "", ""
        name = "document_number" if "document_number" in self._columns else "voucher_id"
        if not any(row[: self._width]):
            return "the row has nothing below the names of the columns: clear what stands to the right", ""
        if not self._open:
            return "the row has neither voucher_id nor document_number", name
        if self._gap:
            return "the row has neither voucher_id nor document_number, and a blank row is above it", name
        if self.run and (self.run.why or self.run.is_aside):
            return "the row has neither voucher_id nor document_number, and neither has the row above", name
        if not self._is_line(row):
            return "the row has neither voucher_id nor document_number, and no HSN that would make it a line", name
        if says_nothing:
            return "", ""
        repeated = all(_is_blank(mine) or mine == above for mine, above in zip(head, self._head, strict=True))
        if key.typ or key.day or not repeated:
            return "the row has neither voucher_id nor document_number, and is not blank in the other columns", name
        return "", ""

    def _key(self, row: Row) -> Key:
        gstin_, typ, number = (
            self._part(row, name) for name in ("seller_gstin", "document_type", "document_number")
        )  # fmt: skip
        column = self._columns.get("document_date")
        day = _read(self._table, column, row[column.at]) if column else ""
        day = day if isinstance(day, date | Bad) else ""
        return Key(self._part(row, "voucher_id", upper=False), gstin_, typ, number, day)

    def _part(self, row: Row, name: str, *, upper: bool = True) -> str:
        column = self._columns.get(name)
        if column is None:
            return ""
        said = _read(self._table, column, row[column.at])
        return said if isinstance(said, Bad) else str(said).upper() if upper else str(said)


_SILENT: Final = Key("", "", "", "", "")


def _read(table: Table, column: Column, cell: Cell) -> object:
    if cell == "":
        return ""
    try:
        said = table.read(column, cell)
    except ValueError as error:
        bad = Bad(f"?{cell}")
        bad.says = str(error)
        return bad
    said = said.value if type(said) is cells.Noted else said
    return "" if said is None else said


def _is_blank(cell: Cell) -> bool:
    return cell == "" or (isinstance(cell, str) and not cell.strip())


def _is_total(row: Row) -> bool:
    return any(isinstance(cell, str) and _TOTAL.fullmatch(cell[:_TOTAL_CHARACTERS_MAX]) for cell in row)


# -- what may be one document ----------------------------------------------------------------------------------------


class _Doubts:
    """Puts together what can't be told apart for certain."""

    def __init__(self, assembly: Assembly, groups: Iterable[Group], runs: Sequence[Run]) -> None:
        self._assembly = assembly
        self._groups = list(groups)
        self._runs = runs
        self._of = {id(run): group for group in self._groups for run in group.runs}

    def resolve(self) -> None:
        """Give each group that is left out its troubles, or the group that it is left out with."""
        numbers: dict[str, list[Group]] = defaultdict(list)
        lost: list[Group] = []
        for group in self._groups:
            key = group.key
            if group.runs[0].why:
                lost.append(group)
            elif key.number:
                numbers[re.sub(r"\s+", "", key.number).lstrip("0")].append(group)
        for same in numbers.values():
            if len(same) > 1:
                self._of_one_number(same)
        if lost:
            self._lost(lost)
        self._without_a_number()
        self._between()

    def _of_one_number(self, groups: list[Group]) -> None:
        """Compare those that may be meant as one: of the same supplier, or of one that is not sound."""
        by_supplier: dict[str, list[Group]] = defaultdict(list)
        for group in groups:
            by_supplier[group.key.gstin if self._is_sound(group) else ""].append(group)
        loose = by_supplier.pop("", [])
        if loose and len(groups) > _OF_ONE_NUMBER_MOST:
            self._each_with_each(groups)
            return
        self._each_with_each(loose)
        for same in by_supplier.values():
            self._each_with_each(same)
            for one in loose:
                for other in same:
                    self._compare(*sorted((one, other), key=lambda group: group.order))

    def _each_with_each(self, groups: Sequence[Group]) -> None:
        for at, one in enumerate(groups[:1] if len(groups) > _OF_ONE_NUMBER_MOST else groups):
            for other in groups[at + 1 :]:
                self._compare(one, other, surely=len(groups) > _OF_ONE_NUMBER_MOST)

    def _is_sound(self, group: Group) -> bool:
        key = group.key
        return _is_said(key.gstin) and gstin.is_sound(key.gstin) and self._state(group) in ("", key.gstin[:2])

    def _state(self, group: Group) -> str:
        table = group.runs[0].table
        column = next((each for each in table.header if each.name == "seller_state"), None)
        if column is None:
            return ""
        said = _read(table, column, self._head(group)[column.at])
        return "" if isinstance(said, Bad) else str(said)

    def _head(self, group: Group) -> Row:
        """The row that says most of the document."""
        run = next((run for run in group.runs if run.key.number), group.runs[0])
        return self._assembly.rows_of(run)[0][1]

    def _compare(self, one: Group, other: Group, *, surely: bool = False) -> None:
        column = self._doubt(one, other) or ("document_number" if surely else None)
        if column is None or self._is_the_same(one, other):
            return
        table, row = other.runs[0].table, other.runs[0].row
        place = one.runs[0].table.place(one.runs[0].row)
        where = str(place) if place.file == table.file else f"{place.file}, {place}"
        part = getattr(other.key, _PARTS.get(column, "number"))
        if isinstance(part, Bad):
            says = f"{part.says}; the same number stands in {where}"
        elif column in _PARTS:
            says = (f"it says {_written(part) or 'nothing'}, and {where}, with the same number, "
                    f"{_written(getattr(one.key, _PARTS[column])) or 'nothing'}: one document, or two?")  # fmt: skip
        else:
            says = f"the same number stands in {where} too: put all rows of a document together"
        other.troubles.append(table.place(row).trouble(says, column))
        _join(one, other)

    def _doubt(self, one: Group, other: Group) -> str | None:
        """The column in which two of the same number differ by what may be a typing error; None: they are two."""
        good, bad, silent = [], [], []
        for column, name in _PARTS.items():
            ours, theirs = (_comparable(getattr(key, name)) for key in (one.key, other.key))
            if ours == theirs:
                continue
            if "" in (ours, theirs):
                silent.append(column)
            elif _is_known(name, ours, theirs):
                good.append(column)
            else:
                bad.append(column)
        if silent:
            return (good + bad + silent)[0] if len(good + bad) <= 1 else None
        if not good:
            return bad[0] if bad else "document_number"
        return good[0] if len(good + bad) == 1 and self._may_be_typed(good[0], one, other) else None

    def _may_be_typed(self, column: str, one: Group, other: Group) -> bool:
        mine, theirs = one.key, other.key
        if column == "seller_gstin":
            return not (self._is_sound(one) and self._is_sound(other))
        ours, others = (_by_name(group.runs[0].table, self._head(group)) for group in (one, other))
        names = ours.keys() & others.keys() - _KEY_COLUMNS
        if column == "document_type":
            return mine.day == theirs.day and all(ours[name] == others[name] for name in names)
        assert isinstance(mine.day, date)
        assert isinstance(theirs.day, date)
        different = [name for name in names if not _agree(ours[name], others[name])]
        return len(different) <= 1 and _are_near(mine.day, theirs.day)

    def _is_the_same(self, one: Group, other: Group) -> bool:
        """A document that stands in two tables, alike to the last cell."""
        if one.runs[0].table is other.runs[0].table:
            return False
        ours, theirs = (documents.of_table(each.runs[0].table, self._assembly.rows(each)) for each in (one, other))
        return ours.document is not None and ours.document == theirs.document

    def _lost(self, lost: Sequence[Group]) -> None:
        """Rows of which nobody can tell whose they are, and the documents that they may belong to."""
        below = {id(before): after for before, after in zip(self._runs, self._runs[1:], strict=False)}

        def next_below(run: Run) -> Run | None:
            return below.get(id(run))

        alike: dict[tuple[Any, ...], list[Group]] = defaultdict(list)
        for group in self._groups:
            if not group.runs[0].why:
                alike[self._rest(group)].append(group)
        for group in lost:
            run = group.runs[0]
            trouble = run.table.place(run.row).trouble(run.why, run.column)
            group.troubles.append(trouble)
            if not run.column:
                continue
            blank = not any(run.table.head(self._head(group)))
            near = [_beyond(run, lambda each: each.above)]
            if run.is_apart or not blank:
                near.append(_beyond(run, next_below))
            found = {id(self._of[id(each)]): self._of[id(each)] for each in near if each and id(each) in self._of}
            candidates = [each for each in found.values() if self._may_hold(each, group)]
            for each in [*candidates, *([] if blank else alike[self._rest(group)])]:
                _join(*sorted((each, group), key=lambda one: one.order))

    def _rest(self, group: Group) -> tuple[Any, ...]:
        """What a document says apart from its number."""
        table = group.runs[0].table
        said = _by_name(table, self._head(group))
        return (id(table), *(said[name] for name in said if name not in ("document_number", "voucher_id")))

    def _may_hold(self, group: Group, lost: Group) -> bool:
        ours, theirs = (_by_name(each.runs[0].table, self._head(each)) for each in (group, lost))
        names = ours.keys() & theirs.keys() - {"document_number", "voucher_id"}
        return all(_is_blank(theirs[name]) or _agree(ours[name], theirs[name]) for name in names)

    def _without_a_number(self) -> None:
        """A voucher id that no number stands beside may be a typing error of the one above."""
        for group in self._groups:
            run = group.runs[0]
            names = [column.name for column in run.table.header]
            if run.why or group.key.number or "document_number" not in names or run.above is None:
                continue
            above = self._of.get(id(run.above))
            if above and above is not group and above.key.number and self._may_hold(above, group):
                says = f"voucher {run.key.voucher_id} has no document number: of the document above?"
                group.troubles.append(run.table.place(run.row).trouble(says, "voucher_id"))
                _join(*sorted((above, group), key=lambda one: one.order))

    def _between(self) -> None:
        """Neighbours that differ in the number only: one that no document has, that looks alike, or that stands between
        two rows of the other."""
        before: Run | None = None
        for run, after in zip(self._runs, [*self._runs[1:], None], strict=False):
            if before and before.table is run.table and not (before.why or run.why):
                one, other = self._of[id(before)], self._of[id(run)]
                around = after is not None and self._of[id(after)] is one and sum(each.rows for each in other.runs) == 1
                if one is not other and (around or _is_odd(one.key.number, other.key.number)):
                    self._compare_neighbours(one, other, run)
            before = run

    def _compare_neighbours(self, one: Group, other: Group, run: Run) -> None:
        if self._rest(one) == self._rest(other):
            says = f"it differs from {one.key.number or one.key.voucher_id} beside it in the number only"
            other.troubles.append(run.table.place(run.row).trouble(says, "document_number"))
            _join(one, other)


_LAWFUL: Final = re.compile(r"[1-9A-Z][0-9A-Z/-]{0,15}")
_LOOKS: Final = str.maketrans("OIL", "011")


def _is_odd(one: str, other: str) -> bool:
    """Whether one of two numbers may be meant for the other: only one of them is lawful, or they look the same."""
    if one == other:
        return False
    lawful = [_LAWFUL.fullmatch(number) is not None for number in (one, other)]
    return lawful[0] != lawful[1] or one.translate(_LOOKS) == other.translate(_LOOKS)


# What the keys of two documents with the same number may differ in, and when that may be a typing error.
_PARTS: Final = {
    # If one is not sound, for a wrong character makes the check character wrong; or if it is of another state than the
    # supplier's address. Two suppliers may have the same number.
    "seller_gstin": "gstin",
    # If one is not a type; or if the day and all other columns are the same. INV/1 and CRN/1 of two days are two.
    "document_type": "typ",
    # If one is not a date; or if they differ by a digit, by a month at most or in the year only, and the other columns
    # say the same. INV/1 of two financial years are two.
    "document_date": "day",
}
_KEY_COLUMNS: Final = frozenset({"voucher_id", "document_number", *_PARTS})


def _comparable(part: date | str) -> str:
    return financial_year(part) if isinstance(part, date) else part


def _is_known(name: str, *parts: str) -> bool:
    return all(_is_said(part) and (name != "typ" or part in _TYPES) for part in parts)


def _are_near(one: date, other: date) -> bool:
    """Whether one may be a typing error of the other: a digit, two that changed places, the year, a few days."""
    ours, theirs = one.isoformat(), other.isoformat()
    differ = [at for at in range(len(ours)) if ours[at] != theirs[at]]
    swapped = sorted(ours[at] for at in differ) == sorted(theirs[at] for at in differ)
    return (
        abs((one - other).days) <= _NEAR_DAYS
        or (one.day, one.month) == (other.day, other.month)
        or (one.day, one.month, one.year) == (other.month, other.day, other.year)
        or len(differ) == 1
        or (len(differ) == 2 and swapped)
    )


def _written(part: object) -> str:
    if isinstance(part, Bad):
        return repr(part[1:])
    return f"{part:%d/%m/%Y}" if isinstance(part, date) else str(part)


def _by_name(table: Table, row: Row) -> dict[str, Cell]:
    columns = (table.voucher_id, *table.header) if table.voucher_id else table.header
    return {column.name: row[column.at] for column in columns if column}


def _agree(one: Cell, other: Cell) -> bool:
    """Two cells say the same, or one of them says nothing that can be read."""
    if one == other or _is_blank(one) or _is_blank(other):
        return True
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    return any(isinstance(cell, tuple) and cell[1] == -1 for cell in (one, other))


def _beyond(run: Run, step: Callable[[Run], Run | None]) -> Run | None:
    """The next run above or below that a line may belong to: not a remark, a total or a mere number."""
    found = step(run)
    while found and found.is_aside:
        found = step(found)
    return found


def _join(one: Group, other: Group) -> None:
    first, second = sorted((one.first, other.first), key=lambda group: group.order)
    if first is not second:
        second.twin = first

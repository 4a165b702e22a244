"""Judge documents as the pipeline would, from files or from the books: nothing is sent, nothing is kept.

A finding is a fault with the file it is in; its path leads there from the top of the file: `[3].ItemList[0].HsnCd` in
a list, `Invoices[3].ItemList[0].HsnCd` in a list within an object, `line 7, hsn` and `Sales, row 7, hsn` in a table. Of
a voucher the file is `books:NAME:VOUCHER`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec
from msgspec.structs import replace

from irnflow.books.columns import HEADERS, LINE_NO, LINES
from irnflow.books.document import as_read
from irnflow.errors import BadInput
from irnflow.files import bulk, reading
from irnflow.files.documents import Place, Taken, Trouble
from irnflow.files.reading import Opener
from irnflow.gst import hindi, loose
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Kind, Severity, sentence
from irnflow.gst.invoice import Invoice

if TYPE_CHECKING:
    from irnflow.books.rows import Voucher

UNREADABLE: Final = "file.unreadable"
NOT_FOUND: Final = "books.not_found"  # as data_fetch says it
UNREADABLE_ROW: Final = "books.unreadable_row"
MAKE_ANEW: Final = "Correct the file, or make it again."
_AT_ONCE: Final = 100  # documents of tables that are read as the books would give them


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, and the file that it is in."""

    file: str
    code: str
    portal_code: str | None
    path: str
    says: str
    fix: str
    severity: Severity


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One document and all that was found in it."""

    file: str
    place: str  # in the file, as a person finds it
    title: str  # "INV BLR/2026/117 of 20/11/2026"
    findings: list[Finding]
    unreadable: bool = False  # there is no document to judge

    @property
    def refused(self) -> bool:
        return any(finding.severity is Severity.REFUSED for finding in self.findings)


CORRECTED: Final = Kind(
    code="file.corrected",
    says="{found}.",
    fix="Nothing need be done; correct it in the file to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए फ़ाइल में ठीक कर दें।",
    severity=Severity.WARNING,
)
LEFT_OUT: Final = Kind(
    code="file.unreadable_row",
    says="{found}.",
    fix="Correct this row in the file; the whole document is left out until then.",
    fix_hi="फ़ाइल में यह पंक्ति ठीक करें; तब तक पूरा दस्तावेज़ छोड़ दिया जाता है।",
)
_HINDI: Final = {kind.code: kind.fix_hi for kind in (CORRECTED, LEFT_OUT)}
_HEADER_AT: Final = {column.field: column.name for column in HEADERS}
_LINE_AT: Final = {column.field: column.name for column in LINES}
_LINE: Final = re.compile(r"ItemList\[(\d+)\]\.?(.*)")


def judge_files(files: Sequence[tuple[str, Opener]], facts: Facts, kind: reading.Kind | None = None
                ) -> Iterator[Judged]:  # fmt: skip
    """Each document of files of any kind; what can't be read is told."""

    def of_inv01(file: str, open_it: Opener) -> Iterator[Judged]:
        with open_it("rb") as stream:
            yield from judge_file(file, stream, facts)

    waiting: dict[str, Taken] = {}  # by voucher id: the books read many at once
    for one in reading.read_with(files, of_inv01, kind):
        if isinstance(one, Taken) and one.document and one.document.voucher_id not in waiting:
            waiting[one.document.voucher_id] = one
            if len(waiting) < _AT_ONCE:
                continue
        yield from _judge_documents(waiting, facts)
        if isinstance(one, Judged):
            waiting = {}
            yield one
        elif one.document is None:
            waiting = {}
            yield _judge_taken(one)
        else:
            waiting = {} if waiting.get(one.document.voucher_id) is one else {one.document.voucher_id: one}
    yield from _judge_documents(waiting, facts)


def judge_file(file: str, stream: BinaryIO, facts: Facts) -> Iterator[Judged]:
    """Each document of a file; what can't be read is told, and ends the file where nothing more can be made out."""
    try:
        for piece in bulk.pieces(stream):
            yield _judge_piece(file, piece, facts)
    except BadInput as error:
        yield unreadable(file, str(error))


def judge_vouchers(books: str, vouchers: Iterable[tuple[str, "Voucher | None"]], facts: Facts) -> Iterator[Judged]:
    """Vouchers as the books have them, by id; None where they have none."""
    for voucher_id, voucher in vouchers:
        file = f"books:{books}:{voucher_id}"
        if voucher is None:
            fix = "Check the voucher id, and which books it is in."
            yield unreadable(file, f"There is no voucher {voucher_id} in {books}.", fix, code=NOT_FOUND)
        elif voucher.invoice is None:
            says = f"It can't be read: {'; '.join(voucher.unreadable)}."
            yield unreadable(file, says, "Mend these values in the books.", code=UNREADABLE_ROW)
        else:
            yield _judge(file, "", voucher_id, voucher.invoice, [], facts)


def in_hindi(judged: Iterable[Judged]) -> Iterator[Judged]:
    """The same with each fix in Hindi, where the law has one."""
    for one in judged:
        findings = [
            replace(each, fix=hindi.fix_of(each.code) or _HINDI.get(each.code) or each.fix) for each in one.findings
        ]
        yield replace(one, findings=findings) if findings else one


def unreadable(file: str, says: str, fix: str = MAKE_ANEW, *, code: str = UNREADABLE,
               path: str = "") -> Judged:  # fmt: skip
    """What can't be read at all."""
    finding = Finding(file=file, code=code, portal_code=None, path=path, says=says, fix=fix, severity=Severity.REFUSED)
    return Judged(file=file, place=path, title="can't be read", findings=[finding], unreadable=True)


def _judge_documents(waiting: Mapping[str, Taken], facts: Facts) -> Iterator[Judged]:
    """Documents of tables, as the books would give them."""
    if not waiting:
        return
    invoices = as_read([one.document for one in waiting.values() if one.document])
    for voucher_id, one in waiting.items():
        examined = examine(invoices[voucher_id], facts)
        faults = [*examined.refusals, *examined.warnings]
        where = _Where(one, len(examined.invoice.item_list))
        found = [_finding(one.place.file, "", fault) for fault in faults]
        yield Judged(
            file=one.place.file, place=str(one.place), title=_title(examined.invoice),
            findings=[*_told(CORRECTED, one.notes), *(replace(each, path=where.of(each.path)) for each in found)],
        )  # fmt: skip


def _judge_taken(one: Taken) -> Judged:
    """What can't be read of a table: a document, or the whole file."""
    if one.unreadable:
        return unreadable(one.place.file, sentence(one.troubles[0].says), one.fix or MAKE_ANEW)
    return Judged(
        file=one.place.file, place=str(one.place), title=one.title, findings=_told(LEFT_OUT, one.troubles),
        unreadable=True,
    )  # fmt: skip


def _told(kind: Kind, troubles: Iterable[Trouble]) -> list[Finding]:
    found = []
    for each in troubles:
        place = Place(file=each.file, sheet=each.sheet, row=each.row or 1)
        path = f"{place}, {each.column}" if each.column else str(place)
        found.append(Finding(file=each.file, code=kind.code, portal_code=None, path=path, says=sentence(each.says),
                             fix=kind.fix, severity=kind.severity))  # fmt: skip
    return found


class _Where:
    """Where in its table the fields of a document stand."""

    def __init__(self, one: Taken, lines: int) -> None:
        assert one.table
        assert one.document
        self._table = one.table
        self._rows = one.rows
        numbers = [int(str(line[LINE_NO])) for line in one.document.lines]
        # Lines are put in the order of their numbers; some may have been added together.
        self._at = sorted(range(lines), key=numbers.__getitem__) if lines == len(numbers) else []

    def of(self, path: str) -> str:
        """`Sales, row 7, hsn` of `ItemList[2].HsnCd`."""
        found = _LINE.fullmatch(path)
        row, column = self._rows[0], self._table.column_of.get(_HEADER_AT.get(path, ""), path)
        if found:
            at = int(found[1])
            row = self._rows[self._at[at]] if at < len(self._at) else row
            column = self._table.lines_of.get(_LINE_AT.get(found[2], ""), found[2] if at < len(self._at) else path)
        place = self._table.place(row)
        return f"{place}, {column}" if column else str(place)


def _judge_piece(file: str, piece: bulk.Piece, facts: Facts) -> Judged:
    place = f"{piece.path}, line {piece.line}" if piece.path else ""
    try:
        invoice, misread = loose.read(piece.json)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return unreadable(file, str(bulk.unreadable(piece, error)), path=piece.path)
    return _judge(file, piece.path, place, invoice, misread, facts)


def _judge(file: str, path: str, place: str, invoice: Invoice, misread: list[Fault], facts: Facts) -> Judged:
    examined = examine(invoice, facts)
    # What was left out because it could not be read is not missing.
    refusals = [fault for fault in examined.refusals if not any(fault.path == mis.path for mis in misread)]
    faults = [*misread, *refusals, *examined.warnings]
    return Judged(
        file=file, place=place, title=_title(examined.invoice), findings=[_finding(file, path, each) for each in faults]
    )


def _title(invoice: Invoice) -> str:
    document = invoice.doc_dtls
    if document is None or not document.no:
        return "a document without a number"
    dated = f" of {document.dt}" if document.dt else ""
    return f"{document.typ or 'document'} {document.no[:40]}{dated[:40]}"


def _finding(file: str, path: str, fault: Fault) -> Finding:
    return Finding(
        file=file,
        code=fault.code,
        portal_code=fault.portal_code,
        path=f"{path}.{fault.path}" if path and fault.path else path or fault.path,
        says=fault.says,
        fix=fault.fix,
        severity=fault.severity,
    )

"""Files into the books: documents as they are read, a batch at a time, each whole or not at all.

The same file again changes nothing: what stands there already is skipped. A document that changed takes the place of
what was there while it has no IRN; one that is registered is refused.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from hashlib import sha256
from itertools import chain
from typing import BinaryIO, Final, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from irnflow.books import own
from irnflow.books.own import Document, Outcome
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.errors import BadInput
from irnflow.files import bulk, documents, tables
from irnflow.files.assembly import Assembly
from irnflow.files.documents import Place, Taken, Trouble
from irnflow.gst import loose
from irnflow.gst.faults import Severity

_FIRST_BYTES: Final = 4096
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LINES_MOST: Final = 20_000  # of a batch: what bounds its memory
# Other kinds of file, by a text near their beginning, in the order in which they are looked for.
_OTHERS: Final = {
    b"%PDF": "it is a PDF: import the table that it was printed from",
    b"urn:schemas-microsoft-com:office:spreadsheet": "it is an XML spreadsheet of 2003: save it as .xlsx",
    b"urn:oasis:names:tc:opendocument": "it is an OpenDocument file (.fods): save it as .xlsx",
    b"<ENVELOPE": "it is XML of Tally: export the vouchers as Excel (.xlsx) or CSV",
    b"<html": "it is a web page, whatever its name ends in: open it in a spreadsheet, save it as .xlsx",
    b"<table": "it is a web page, whatever its name ends in: open it in a spreadsheet, save it as .xlsx",
    b"<?xml": "it is XML: save it as .xlsx, or as CSV UTF-8",
    b"{\\rtf": "it is a text document (RTF): save the table as .xlsx, or as CSV UTF-8",
}

T = TypeVar("T")
Opener = Callable[[Literal["rb"]], BinaryIO]


class Kind(StrEnum):
    """What a file is."""

    CSV = "text/csv"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    JSON = "application/json"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document."""

    place: Place
    title: str
    voucher_id: str  # "" when it could not be read
    outcome: Outcome | None  # None: it was not imported
    troubles: Sequence[Trouble] = ()
    notes: Sequence[Trouble] = ()  # what was corrected in one that was imported
    unreadable: bool = False  # no document, but a file, from some place on


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all documents: voucher ids, and why others were left out."""

    added: list[str]
    updated: list[str]
    unchanged: list[str]
    refused: int  # documents
    unreadable: int  # files
    troubles: list[Trouble]
    left_out: int  # troubles beyond those
    notes: list[Trouble]  # what was corrected in those that were imported

    @classmethod
    def of(cls, results: Iterable[Result], *, troubles_most: int = sys.maxsize) -> "Imported":
        ids: dict[Outcome | None, list[str]] = {outcome: [] for outcome in (*Outcome, None)}
        unreadable = found = 0
        troubles: list[Trouble] = []
        notes: list[Trouble] = []
        for one in results:
            ids[one.outcome].append(one.voucher_id)
            unreadable += one.unreadable
            found += len(one.troubles)
            troubles += one.troubles[: troubles_most - len(troubles)]
            notes += one.notes[: troubles_most - len(notes)]
        return cls(
            added=ids[Outcome.ADDED], updated=ids[Outcome.UPDATED], unchanged=ids[Outcome.UNCHANGED],
            refused=len(ids[None]) - unreadable, unreadable=unreadable, troubles=troubles,
            left_out=found - len(troubles), notes=notes,
        )  # fmt: skip


def kind_of(stream: BinaryIO) -> Kind:
    """What a file is by how it begins. Raises BadInput for a kind that can't be read, with its name and what to do."""
    first = stream.read(_FIRST_BYTES)
    stream.seek(0)
    if first.startswith(b"PK"):
        return Kind.XLSX
    if first.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInput("it is a file of old Excel (.xls), or has a password: save it as .xlsx without one")
    if first.startswith(b"\x09\x08"):
        raise BadInput("it is a file of very old Excel (.xls): save it as .xlsx")
    if encoding := _UTF16.get(first[:2]):
        first = first[2:].decode(encoding, "ignore").encode()
    if b"\0" in first:
        raise BadInput("it is neither a workbook nor text: save it as .xlsx, or as CSV UTF-8")
    bare = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith((b"<", b"%PDF", b"{\\rtf")):
        for mark, says in _OTHERS.items():
            if mark.lower() in bare.lower():
                raise BadInput(says)
    if not bare:
        raise BadInput("it is empty")
    return Kind.JSON if bare[:1] in (b"{", b"[") else Kind.CSV


def read(file: str, open_it: Opener, kind: Kind | None = None) -> Iterator[Taken]:
    """The documents of a file, and last, where no more of it can be read, why not."""
    return read_all([(file, open_it)], kind)


def read_all(files: Sequence[tuple[str, Opener]], kind: Kind | None = None) -> Iterator[Taken]:
    """The documents of files, file by file."""
    return read_with(files, _inv01_documents, kind)


def read_with(
    files: Sequence[tuple[str, Opener]], of_inv01: Callable[[str, Opener], Iterator[T]], kind: Kind | None = None
) -> Iterator[T | Taken]:
    """Files one after the other: INV-01 by `of_inv01`, tables by us. Theirs are known when all have been read."""
    with Assembly() as assembly:
        kinds = [_add(assembly, file, open_it, kind) for file, open_it in files]
        of_tables = assembly.taken()
        for (file, open_it), found in zip(files, kinds, strict=True):
            if isinstance(found, Taken):
                yield found
            if found is Kind.JSON:
                yield from of_inv01(file, open_it)
            else:
                yield from of_tables.get(file, ())


def _add(assembly: Assembly, file: str, open_it: Opener, kind: Kind | None) -> Kind | Taken:
    """The kind of a file, whose rows are added if it has any; or what is told of a file that can't be read."""
    try:
        with open_it("rb") as stream:
            kind = kind or kind_of(stream)
            if kind is Kind.CSV:
                tables.add_csv(assembly, file, stream)
            elif kind is Kind.XLSX:
                tables.add_xlsx(assembly, file, stream)
            return kind
    except (BadInput, OSError) as error:
        assembly.forget(file)
        return _unreadable(file, error)


def _unreadable(file: str, error: BadInput | OSError) -> Taken:
    says = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return Taken(place=Place(file=file), title="", troubles=(Trouble(file=file, says=says),), unreadable=True)


def prepare(books: SqlBooks) -> None:
    """Make the tables of the books where they aren't there. Raises BadInput for books of another layout."""
    own.require_own(books.source)
    with books.writing() as open_books:
        own.make(open_books.connection)


def take_in(books: SqlBooks, taken: Iterable[Taken]) -> Iterator[Result]:
    """Write documents into the books, and tell what became of each, file by file."""
    seen: dict[tuple[str, ...], tuple[Place, bytes]] = {}
    batch: list[Taken] = []
    for one in chain(taken, (None,)):
        if batch and (one is None or one.place.file != batch[0].place.file or _is_full(batch)):
            yield from _write(books, batch)
            batch = []
        if one is None:
            return
        if one.document is None:
            yield Result(place=one.place, title=one.title, voucher_id="", outcome=None, troubles=one.troubles,
                         unreadable=one.unreadable)  # fmt: skip
        elif double := _double(one, one.document, seen):
            yield double
        else:
            batch.append(one)


def _is_full(batch: Sequence[Taken]) -> bool:
    lines = sum(len(one.document.lines) for one in batch if one.document)
    return len(batch) == own.DOCUMENTS_MOST or lines >= _LINES_MOST


def _double(one: Taken, document: Document, seen: dict[tuple[str, ...], tuple[Place, bytes]]) -> Result | None:
    """What is told of a document that came before in these files; otherwise it is remembered."""
    names: dict[tuple[str, ...], str] = {("voucher_id", document.voucher_id): f"voucher {document.voucher_id}"}
    if document.header.get("document_number"):
        names[document.identity] = one.title
    digest = sha256(msgspec.json.encode(document, order="deterministic")).digest()
    for identity, name in names.items():
        place, before = seen.setdefault(identity, (one.place, digest))
        if place is not one.place and before == digest:
            return Result(place=one.place, title=one.title, voucher_id=document.voucher_id, outcome=Outcome.UNCHANGED)
        if place is not one.place:
            return _refused(one, f"{name} came before with other contents, in {place.file}, {place}")
    return None


def _write(books: SqlBooks, batch: Sequence[Taken]) -> Iterator[Result]:
    """One transaction; where the database refuses a value, one for each half, until the bad document stands alone."""
    if not batch:
        return
    there = {one.document.voucher_id: one for one in batch if one.document}
    given = [one.document for one in batch if one.document]
    try:
        with books.writing() as open_books:
            fates = own.write(open_books, given)
    except RefusedRow as error:
        if len(batch) == 1:
            yield _refused(batch[0], str(error))
            return
        half = len(batch) // 2
        yield from _write(books, batch[:half])
        yield from _write(books, batch[half:])
        return
    for voucher_id, (outcome, holder) in fates.items():
        one = there[voucher_id]
        if outcome is Outcome.REGISTERED:
            says = "it is registered, and what stands here differs: a registered document is never changed"
            yield _refused(one, says)
        elif outcome is Outcome.TAKEN:
            yield _refused(one, f"{one.title} stands in the books already, as voucher {holder}")
        else:
            yield Result(place=one.place, title=one.title, voucher_id=voucher_id, outcome=outcome, notes=one.notes)


def _refused(one: Taken, says: str) -> Result:
    assert one.document is not None
    return Result(
        place=one.place, title=one.title, voucher_id=one.document.voucher_id, outcome=None,
        troubles=(one.place.trouble(says),),
    )  # fmt: skip


def _inv01_documents(file: str, open_it: Opener) -> Iterator[Taken]:
    try:
        with open_it("rb") as stream:
            for piece in bulk.pieces(stream):
                yield _inv01_document(Place(file=file, row=piece.line), piece)
    except (BadInput, OSError) as error:
        yield _unreadable(file, error)


def _inv01_document(place: Place, piece: bulk.Piece) -> Taken:
    title = "a document that is not INV-01"
    try:
        invoice, faults = loose.read(piece.json)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Taken(place=place, title=title, troubles=[place.trouble(str(bulk.unreadable(piece, error)))])
    refused = [fault for fault in faults if fault.severity is Severity.REFUSED]
    if refused:
        number = invoice.doc_dtls.no if invoice.doc_dtls else None
        troubles = [place.trouble(fault.says, fault.path) for fault in refused]
        return Taken(place=place, title=number or title, troubles=troubles)
    notes = [place.trouble(fault.says, fault.path) for fault in faults]
    taken = documents.of_invoice(place, invoice)
    return replace(taken, notes=[*taken.notes, *notes]) if notes else taken

"""Documents of files of any kind, as they stand there: INV-01 JSON, CSV and XLSX."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from irnflow.errors import BadInput
from irnflow.files import bulk, documents
from irnflow.files.documents import Place, Taken, Trouble
from irnflow.gst import loose
from irnflow.gst.faults import Severity

if TYPE_CHECKING:
    from irnflow.files.assembly import Assembly

_FIRST_BYTES: Final = 4096
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
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
    kinds = [_kind(file, open_it, kind) for file, open_it in files]
    with ExitStack() as closing:
        of_tables: Mapping[str, Iterable[Taken]] = {}
        if not {Kind.CSV, Kind.XLSX}.isdisjoint(found for found in kinds if isinstance(found, Kind)):
            from irnflow.files.assembly import Assembly

            assembly = closing.enter_context(Assembly())
            kinds = [_add(assembly, *file, found) for file, found in zip(files, kinds, strict=True)]
            of_tables = assembly.taken()
        for (file, open_it), found in zip(files, kinds, strict=True):
            if isinstance(found, Taken):
                yield found
            if found is Kind.JSON:
                yield from of_inv01(file, open_it)
            else:
                yield from of_tables.get(file, ())


def _kind(file: str, open_it: Opener, kind: Kind | None) -> Kind | Taken:
    """The kind of a file, or the reason why it can't be read."""
    try:
        with open_it("rb") as stream:
            return kind or kind_of(stream)
    except (BadInput, OSError) as error:
        return _unreadable(file, error)


def _add(assembly: "Assembly", file: str, open_it: Opener, kind: Kind | Taken) -> Kind | Taken:
    """Add the rows of a table. Returns its kind, or the reason why it can't be read to its end."""
    if isinstance(kind, Taken) or kind is Kind.JSON:
        return kind
    from irnflow.files import tables

    add = tables.add_csv if kind is Kind.CSV else tables.add_xlsx
    try:
        with open_it("rb") as stream:
            add(assembly, file, stream)
    except (BadInput, OSError) as error:
        assembly.forget(file)
        return _unreadable(file, error)
    return kind


def _unreadable(file: str, error: BadInput | OSError) -> Taken:
    says, fix = str(error), ""
    if isinstance(error, OSError):
        says, fix = error.strerror or says, "Check the name of the file."
    trouble = Trouble(file=file, says=says)
    return Taken(place=Place(file=file), title="", troubles=(trouble,), unreadable=True, fix=fix)


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

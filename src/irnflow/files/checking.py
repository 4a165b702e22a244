"""Judge documents as the pipeline would, from INV-01 JSON or from the books: nothing is sent, nothing is kept.

A finding is a fault with the file it is in; its path leads there from the top of the file: `[3].ItemList[0].HsnCd` in
a list, `Invoices[3].ItemList[0].HsnCd` in a list within an object. Of a voucher the file is `books:NAME:VOUCHER`.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from irnflow.books.rows import Voucher
from irnflow.errors import BadInput
from irnflow.files import bulk
from irnflow.gst import hindi, loose
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.invoice import Invoice

UNREADABLE: Final = "file.unreadable"
NOT_FOUND: Final = "books.not_found"  # as data_fetch says it
UNREADABLE_ROW: Final = "books.unreadable_row"


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


def judge_file(file: str, stream: BinaryIO, facts: Facts) -> Iterator[Judged]:
    """Each document of a file; what can't be read is told, and ends the file where nothing more can be made out."""
    try:
        for piece in bulk.pieces(stream):
            yield _judge_piece(file, piece, facts)
    except BadInput as error:
        yield unreadable(file, str(error))


def judge_vouchers(books: str, vouchers: Iterable[tuple[str, Voucher | None]], facts: Facts) -> Iterator[Judged]:
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
        findings = [replace(each, fix=hindi.fix_of(each.code) or each.fix) for each in one.findings]
        yield replace(one, findings=findings) if findings else one


def unreadable(file: str, says: str, fix: str = "Mend the file, or make it anew.", *, code: str = UNREADABLE,
               path: str = "") -> Judged:  # fmt: skip
    """What can't be read at all."""
    finding = Finding(file=file, code=code, portal_code=None, path=path, says=says, fix=fix, severity=Severity.REFUSED)
    return Judged(file=file, place=path, title="can't be read", findings=[finding], unreadable=True)


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

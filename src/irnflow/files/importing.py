"""Files into the books: documents as they are read, a batch at a time, each whole or not at all.

The same file again changes nothing: what stands there already is skipped. A document that changed takes the place of
what was there while it has no IRN; one that is registered is refused.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import Final

import msgspec

from irnflow.books import own
from irnflow.books.document import Document
from irnflow.books.own import Outcome
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.files.documents import Place, Taken, Trouble

_LINES_MOST: Final = 1_000  # of a batch: what bounds its memory


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


def prepare(books: SqlBooks) -> None:
    """Make the tables of the books where they aren't there. Raises BadInput for books of another layout."""
    own.require_own(books.source)
    with books.writing() as open_books:
        own.make(open_books.connection)


def take_in(books: SqlBooks, taken: Iterable[Taken]) -> Iterator[Result]:
    """Write documents into the books, and tell what became of each, file by file."""
    seen: dict[str, tuple[Place, bytes]] = {}
    batch: list[Taken] = []
    lines = 0
    for one in chain(taken, (None,)):
        is_full = len(batch) == own.DOCUMENTS_MOST or lines >= _LINES_MOST
        if batch and (one is None or is_full or one.place.file != batch[0].place.file):
            yield from _write(books, batch)
            batch, lines = [], 0
        if one is None:
            return
        if one.document is None:
            yield Result(place=one.place, title=one.title, voucher_id="", outcome=None, troubles=one.troubles,
                         unreadable=one.unreadable)  # fmt: skip
        elif double := _double(one, one.document, seen):
            yield double
        else:
            batch.append(one)
            lines += len(one.document.lines)


def _double(one: Taken, document: Document, seen: dict[str, tuple[Place, bytes]]) -> Result | None:
    """What is told of a document that came before in these files; otherwise it is remembered."""
    names = {document.voucher_id: f"voucher {document.voucher_id}"}
    if document.header.get("document_number"):
        names.setdefault("/".join(document.identity), one.title)  # most often the voucher id
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

"""Documents that come as they are: judged without being sent, or taken into the books."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from irnflow.api import resources
from irnflow.api.endpoint import Call, Endpoint, Raw
from irnflow.api.problem import Place, Refused
from irnflow.books.catalogue import Source
from irnflow.books.sql import SqlBooks
from irnflow.errors import BadInput
from irnflow.files import checking, importing, reading
from irnflow.files.checking import Finding
from irnflow.files.importing import Imported
from irnflow.files.reading import Kind
from irnflow.gst import dates
from irnflow.gst.facts import TURNOVER_NOT_SAID, Facts
from irnflow.store import accounts
from irnflow.store.database import Database

FINDINGS_MAX: Final = 10_000  # that one answer tells
TROUBLES_MAX: Final = 10_000
_BODY: Final = "body"  # the file's name in a finding
_INV01: Final = {"oneOf": [{"type": "object"}, {"type": "array"}]}  # what lies below is told as findings

_WORKBOOK: Final = {"type": "string", "format": "binary"}
# By media type. A browser on Windows calls a CSV file one of Excel, so what such a body is shows in itself.
_FILES: Final[Mapping[str, Mapping[str, Any]]] = {
    Kind.CSV: {"type": "string"},
    "text/tab-separated-values": {"type": "string"},
    Kind.XLSX: _WORKBOOK,
    "application/vnd.ms-excel": _WORKBOOK,
    Kind.JSON: _INV01,
}
_KINDS: Final = {each: each for each in Kind} | {"text/tab-separated-values": Kind.CSV}


class Documents:
    """The endpoints that take documents."""

    def __init__(self, store: Database, *, now: Callable[[], datetime], books: Callable[[], Sequence[Source]]) -> None:
        self._store = store
        self._now = now
        self._books = books
        self._importing = asyncio.Semaphore(1)  # a workbook may unpack to far more than its body: one at a time

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST", path="/api/v1/check", name="check",
                says="What the portal would say of documents; nothing is sent",
                handle=self.check, query=resources.CheckFacts, raw=_FILES,
                gives=resources.Checked, problems=("malformed-json", "unreadable-file"),
            ),
            Endpoint(
                method="POST", path="/api/v1/imports", name="importFile",
                says="Invoices of a file into the books; a document that can't be read is left out whole",
                handle=self.take_in, query=resources.ImportInto, raw=_FILES,
                gives=Imported, problems=("unknown-books", "books-not-named", "books-not-ours", "unreadable-file"),
            ),
        ]  # fmt: skip

    async def check(self, call: Call) -> resources.Checked:
        asked: resources.CheckFacts = call.query
        sent: Raw = call.body
        facts = Facts(
            day=_day(asked.day) if asked.day else dates.in_india(self._now()),
            turnover_crore=TURNOVER_NOT_SAID if asked.turnover is None else Decimal(asked.turnover),
            sez_gstins=_gstins(asked.sez) or None,
            sez_developers=_gstins(asked.sez_developer),
            sent_by=asked.operator and asked.operator.upper(),
            lines_max=asked.lines_max,
            accept_sandbox_gstins=asked.sandbox_gstins,
        )
        return await asyncio.to_thread(checked, sent.content, facts, asked.lang, _KINDS.get(sent.media_type))

    async def take_in(self, call: Call) -> Imported:
        asked: resources.ImportInto = call.query
        sent: Raw = call.body
        source = await self._source(call, asked.books)
        async with self._importing:
            done = await asyncio.to_thread(imported, source, sent.content, _KINDS.get(sent.media_type))
        if done.unreadable and not (done.added or done.updated or done.unchanged or done.refused):
            raise Refused("unreadable-file", done.troubles[0].says)
        return done

    async def _source(self, call: Call, name: str | None) -> Source:
        """The books meant, which are the account's. Raises Refused."""
        assert call.account is not None
        own = await accounts.books_of(self._store, call.account.account_id)
        if name is None and len(own) != 1:
            raise Refused("books-not-named", "Say in `books` which: the account has none or several.")
        meant = name or own[0]
        there = {each.name: each for each in self._books()} if meant in own else {}
        if meant not in there:
            raise Refused("unknown-books", f"The account has no books named {meant!r}, or irn_service can't open them.")
        return there[meant]


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        says = f"{written} is no day of the calendar."
        raise Refused("invalid-query", says, [Place(pointer="?day", detail=says)]) from error


def _gstins(said: str | None) -> frozenset[str]:
    return frozenset(said.upper().split(",")) if said else frozenset()


def imported(source: Source, content: bytes, kind: Kind | None, *, most: int = TROUBLES_MAX) -> Imported:
    """Take a body into the books. Raises Refused for books of another layout, Unavailable when they don't answer."""
    books = SqlBooks(source)
    try:
        importing.prepare(books)
        taken = reading.read(_BODY, lambda mode: BytesIO(content), kind)
        return Imported.of(importing.take_in(books, taken), troubles_most=most)
    except BadInput as error:
        raise Refused("books-not-ours", f"{error}.") from error
    finally:
        books.close()


def checked(
    content: bytes, facts: Facts, lang: str, kind: Kind | None = Kind.JSON, *, most: int = FINDINGS_MAX
) -> resources.Checked:
    """What is found in a body, at most so many findings told. Raises Refused when it can't be read."""
    documents = refused = found = 0
    told: list[Finding] = []
    judged = checking.judge_files([(_BODY, lambda mode: BytesIO(content))], facts, kind)
    for one in checking.in_hindi(judged) if lang == "hi" else judged:
        if one.unreadable and kind is Kind.JSON:
            raise Refused("malformed-json", f"The body can't be read as JSON: {one.findings[0].says}.")
        if one.unreadable and one.findings[0].code == checking.UNREADABLE:
            raise Refused("unreadable-file", one.findings[0].says)
        documents += 1
        refused += one.refused
        found += len(one.findings)
        told += one.findings[: most - len(told)]
    return resources.Checked(documents=documents, refused=refused, findings=told, left_out=found - len(told))

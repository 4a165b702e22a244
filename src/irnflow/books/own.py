"""Books laid out as schema.sql: make their tables, and write documents into them.

A document is added, or takes the place of an earlier reading of it while that has no IRN. What irnflow writes about a
registration is never touched, and a registered voucher not at all. Each statement writes all documents of a batch.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from types import NoneType
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from irnflow.books.catalogue import Source, default_statements, own_sql
from irnflow.books.columns import VOUCHER_ID
from irnflow.books.document import Document, Row, as_read, identity_of
from irnflow.books.sql import OpenBooks
from irnflow.errors import BadInput

DOCUMENTS_MOST: Final = 500  # in one call of `write`
_LINES_AT_ONCE: Final = 5_000
_PARTY: Final = ("gstin", "legal_name", "trade_name", "address_1", "address_2", "place", "pin", "state", "phone",
                 "email")  # fmt: skip
# How each party is named in the columns of the books, and in the voucher's table.
_PARTIES: Final = {"seller": "seller", "buyer": "buyer", "dispatch": "dispatched_from", "ship_to": "shipped_to"}
_COLUMN: Final = re.compile(r"    (\w+) +(\w+(?:\(.*?\))?)")


class Outcome(StrEnum):
    """What became of a document."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REGISTERED = "registered"  # it has an IRN and other contents: nothing was written
    TAKEN = "taken"  # it stands there under another voucher id: nothing was written


def require_own(source: Source) -> None:
    """Raises BadInput for books that are laid out otherwise: nobody but their owner knows how to write there."""
    if source.statements != default_statements(source.url):
        raise BadInput(
            f"books {source.name} have a layout of their own, and irnflow writes into books laid out as its schema.sql "
            "only: import into such (a table [books.NAME] with nothing but a URL), or use the program that keeps these"
        )


def statements(file: str) -> list[str]:
    """The statements of one of our SQL files."""
    text = (files("irnflow.books") / file).read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]


def make(connection: sa.Connection) -> None:
    """Make the tables where they aren't there, and the columns that older ones lack."""
    schema = None if connection.dialect.name == "sqlite" else "books"
    there = sa.inspect(connection)
    tables = {name: {c["name"] for c in there.get_columns(name, schema)} for name in there.get_table_names(schema)}
    if all(columns.keys() <= tables.get(table, set()) for table, columns in _tables().items()):
        return
    for table, columns in _tables().items():
        for name in columns.keys() - tables.get(table, columns.keys()):
            _run(connection, f"alter table books.{table} add column {name} {columns[name]}")
    for statement in statements("schema.sql"):
        if schema or "create schema" not in statement:
            _run(connection, statement)


def write(books: OpenBooks, documents: Sequence[Document]) -> dict[str, tuple[Outcome, str]]:
    """Write at most DOCUMENTS_MOST documents with ids and identities of their own; gives what became of each, and
    of one that is taken the voucher that has its number. Raises BadInput when the books change meanwhile.
    """
    ids = [document.voucher_id for document in documents]
    _lock(books.connection, ids)
    there = books.read(ids)
    wanted = as_read([document for document in documents if document.voucher_id in there])
    holders = _holders(books.connection, documents)
    fates: dict[str, tuple[Outcome, str]] = {}
    for document in documents:
        voucher_id, found = document.voucher_id, there.get(document.voucher_id)
        holder = holders.get(document.identity, voucher_id)
        if found and found.invoice == wanted[voucher_id]:
            fates[voucher_id] = Outcome.UNCHANGED, ""
        elif found and found.irn:
            fates[voucher_id] = Outcome.REGISTERED, ""
        elif holder != voucher_id:
            fates[voucher_id] = Outcome.TAKEN, holder
        else:
            fates[voucher_id] = (Outcome.UPDATED if found else Outcome.ADDED), ""
    _put(books.connection, [one for one in documents if fates[one.voucher_id][0] in (Outcome.ADDED, Outcome.UPDATED)])
    return fates


# -- what is written -------------------------------------------------------------------------------------------------


def _put(connection: sa.Connection, documents: Sequence[Document]) -> None:
    if not documents:
        return
    parties: dict[str, dict[str, Any]] = {}
    headers = [_voucher(document, parties) for document in documents]
    lines = [{VOUCHER_ID: each.voucher_id, **line} for each in documents for line in each.filled_lines]
    _insert(connection, "party", ["party_id", *_PARTY], list(parties.values()), "on conflict do nothing")
    columns = [name for name in _tables()["voucher"] if name not in _WRITTEN_BY_US]
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    # A voucher that has got its IRN since it was read is not reached, and the whole is undone.
    conflict = f"on conflict (voucher_id) do update set {replaced} where t.irn is null"
    if _insert(connection, "voucher", columns, headers, conflict) != len(documents):
        raise BadInput("vouchers were registered while they were written; nothing of this batch was: import it again")
    delete = sa.text(own_sql("delete from books.line where voucher_id in :ids", connection.engine.url))
    ids = [each.voucher_id for each in documents]
    connection.execute(delete.bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids})
    for start in range(0, len(lines), _LINES_AT_ONCE):
        _insert(connection, "line", list(_tables()["line"]), lines[start : start + _LINES_AT_ONCE], "")


_WRITTEN_BY_US: Final = ("einvoice_status", "irn", "ack_no", "ack_dt", "signed_qr")


def _voucher(document: Document, parties: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The row of table `voucher`; its parties are added to those that there are."""
    left = dict(document.filled)
    row: dict[str, Any] = {VOUCHER_ID: document.voucher_id}
    for reference, columns in _PARTY_COLUMNS.items():
        party = tuple([left.pop(column, None) for column in columns])
        if reference in ("seller", "buyer") or any(party):
            row[reference] = _party_id(party)
            parties[row[reference]] = {"party_id": row[reference], **dict(zip(_PARTY, party, strict=True))}
    return row | left


def _party_column(prefix: str, name: str) -> str:
    return "dispatch_name" if (prefix, name) == ("dispatch", "legal_name") else f"{prefix}_{name}"


_PARTY_COLUMNS: Final = {
    reference: tuple(_party_column(prefix, name) for name in _PARTY) for prefix, reference in _PARTIES.items()
}


@lru_cache(maxsize=1024)
def _party_id(party: tuple[Any, ...]) -> str:
    """The same for the same party: rows of others are never changed, for other vouchers may stand on them."""
    return "file-" + sha256(msgspec.json.encode(party)).hexdigest()[:24]


def _insert(connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> int:
    """All rows in one statement; gives how many were written."""
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        sql = f"insert into books.{table} as t ({names}) values ({', '.join('?' * len(columns))}) {conflict}"  # noqa: S608 (our own names)
        # It has neither decimals nor dates: both are kept as texts, decimals in columns that read them as numbers.
        values = [
            tuple([value if (value := row.get(name)).__class__ in _BOUND else str(value) for name in columns])
            for row in rows
        ]
        return connection.exec_driver_sql(own_sql(sql, connection.engine.url), values).rowcount
    source = f"jsonb_populate_recordset(null::books.{table}, cast(:rows as jsonb))"
    sql = f"insert into books.{table} as t ({names}) select {names} from {source} {conflict}"  # noqa: S608 (our own names)
    return _run(connection, sql, {"rows": msgspec.json.encode(rows).decode()}).rowcount


_BOUND: Final = frozenset({NoneType, str, int, bool})  # what SQLite takes as it is


# -- what is there ---------------------------------------------------------------------------------------------------


def _lock(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Whoever registers one of these vouchers waits for us; SQLite has one writer at a time anyway."""
    if connection.dialect.name != "sqlite":
        sql = sa.text("select 1 from books.voucher where voucher_id in :ids for update")
        connection.execute(sql.bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids})


_HOLDERS: Final = """
select v.voucher_id, s.gstin, v.document_date, v.document_type, v.document_number
from books.voucher v join books.party s on s.party_id = v.seller
where upper(v.document_number) in :numbers
"""


def _holders(connection: sa.Connection, documents: Sequence[Document]) -> dict[tuple[str, ...], str]:
    """Which voucher has the number of each of these, where one has."""
    numbers = [document.identity[-1] for document in documents]
    sql = sa.text(own_sql(_HOLDERS, connection.engine.url)).bindparams(sa.bindparam("numbers", expanding=True))
    found: dict[tuple[str, ...], str] = {}
    for voucher_id, gstin, dated, typ, number in connection.execute(sql, {"numbers": numbers}):
        day = date.fromisoformat(dated) if isinstance(dated, str) else dated  # SQLite keeps texts
        found[identity_of(gstin, day, typ, number)] = voucher_id
    return found


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    """The columns of each table and their types, as schema.sql has them."""
    text = (files("irnflow.books") / "schema.sql").read_text(encoding="utf-8")
    tables = re.findall(r"create table if not exists books\.(\w+) \((.*?)\n\);", text, re.DOTALL)
    return {name: {c: t for c, t in _COLUMN.findall(body) if c != "primary"} for name, body in tables}


def _run(connection: sa.Connection, sql: str, values: Any = None) -> sa.CursorResult[Any]:
    return connection.execute(sa.text(own_sql(sql, connection.engine.url)), values)

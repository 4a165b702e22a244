"""One company's books in an SQL database: read vouchers, write what became of them. Blocking: `shelf` has the threads.

What goes wrong has three kinds: `Unavailable` (nobody answers, or the database refuses the statement itself: held for
all, until it is mended), `RefusedRow` (the database refuses a value: some voucher of several is bad), and what can't be
read of one voucher, which is a value (`Voucher.unreadable`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from irnflow.books.catalogue import Source
from irnflow.books.rows import Voucher, key, vouchers
from irnflow.errors import BadInput, Permanent, SomeUnavailable

REGISTERED: Final = "eInvoice Registered"
CANCELLED: Final = "eInvoice Cancelled"
IDS_MAX: Final = 500  # in one query
_STATEMENT_MS: Final = 60_000  # a statement that takes longer holds everybody up
_WRITES: Final = "irnflow_writes"

# What gives two queries the same picture. SQL Server keeps its share locks until the end; SNAPSHOT must be switched on.
_ISOLATION: Final[Mapping[str, Any]] = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "mssql": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
}


class RefusedRow(Permanent):
    """The database refused a value of some voucher. Halve the vouchers until it stands alone."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What the books are to say of a registered voucher."""

    voucher_id: str
    irn: str
    ack_no: str
    ack_dt: str  # yyyy-mm-dd hh:mm:ss, IST
    signed_qr: str


class OpenBooks:
    """Books within one transaction."""

    def __init__(self, connection: sa.Connection, source: Source) -> None:
        self.connection = connection
        self.source = source

    def read(self, ids: Sequence[str]) -> dict[str, Voucher]:
        """The vouchers with these ids, by id; one that isn't there is absent."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Voucher] = {}
        for start in range(0, len(wanted), IDS_MAX):
            found |= self._read(wanted[start : start + IDS_MAX])
        return {voucher_id: found[key(voucher_id)] for voucher_id in wanted if key(voucher_id) in found}

    def registered(self, marks: Sequence[Mark]) -> set[str]:
        """Write these; gives the ids of those that the statement did not reach."""
        return self._write(self.source.statements.registered, marks, REGISTERED)

    def cancelled(self, marks: Sequence[Mark]) -> set[str]:
        """Say of these that their IRN is cancelled; gives the ids of those that the statement did not reach."""
        return self._write(self.source.statements.cancelled, marks, CANCELLED)

    def probe(self) -> None:
        """Ask for no voucher: raises what any reading would."""
        self._read([None])  # null is in no list

    def _read(self, ids: Sequence[str | None]) -> dict[str, Voucher]:
        headers = self._rows(self.source.statements.headers, ids)
        lines = self._rows(self.source.statements.lines, ids)
        return vouchers(*headers, *lines)

    def _rows(self, sql: str, ids: Sequence[str | None]) -> tuple[Sequence[sa.Row[Any]], tuple[str, ...]]:
        query = sa.text(sql).bindparams(sa.bindparam("ids", expanding=True))
        result = self.connection.execute(query, {"ids": ids})
        names = tuple(map(str.lower, result.keys()))  # Oracle gives them in capitals
        return result.fetchall(), names

    def _write(self, sql: str, marks: Sequence[Mark], status: str) -> set[str]:
        if not marks:
            return set()
        rows = [{"status": status, **msgspec.structs.asdict(mark)} for mark in marks]
        result = self.connection.execute(sa.text(sql), rows)
        if result.rowcount == len(rows):
            return set()
        # Fewer rows than vouchers, or a driver that doesn't count: look which.
        found = self.read([mark.voucher_id for mark in marks])
        return {mark.voucher_id for mark in marks if not _says(found.get(mark.voucher_id), mark.irn, status)}


class SqlBooks:
    """Books that can be read and written; `close` when done."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.engine = _engine(source)

    @contextmanager
    def reading(self) -> Iterator[OpenBooks]:
        """One consistent picture. Raises Unavailable, RefusedRow."""
        with self._begin(postgresql_readonly=True) as open_books:
            yield open_books

    @contextmanager
    def writing(self) -> Iterator[OpenBooks]:
        """One transaction that commits when the block ends well. Raises Unavailable, RefusedRow."""
        with self._begin(**{_WRITES: True}) as open_books:
            yield open_books

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _begin(self, **options: Any) -> Iterator[OpenBooks]:
        try:
            with self.engine.connect() as connection, connection.execution_options(**options).begin():
                yield OpenBooks(connection, self.source)
        except (sa.exc.DataError, sa.exc.IntegrityError) as error:
            raise RefusedRow(f"the database refused a value: {_words(error)}") from error
        except sa.exc.SQLAlchemyError as error:
            raise SomeUnavailable(f"books {self.source.name} can't be used: {_words(error)}") from error
        except BadInput as error:  # columns of a query: a person mends it, and no voucher fails for it
            raise SomeUnavailable(f"books {self.source.name} can't be used: {error}") from error


def _engine(source: Source) -> sa.Engine:
    backend = source.url.get_backend_name()
    options = {"isolation_level": _ISOLATION[backend]} if backend in _ISOLATION else {}
    try:
        engine = sa.create_engine(source.url, pool_pre_ping=True, pool_size=2, max_overflow=0, pool_timeout=10,
                                  hide_parameters=True, connect_args=_connect_args(source.url), **options)  # fmt: skip
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadInput(f"books {source.name}: {error}. Drivers for more databases: irnflow[erp]") from error
    if backend == "sqlite":
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_args(url: sa.URL) -> dict[str, Any]:
    """Limits on waiting, where the URL doesn't set its own."""
    if url.get_backend_name() != "postgresql":
        return {}
    limits = {"connect_timeout": 10, "options": f"-c statement_timeout={_STATEMENT_MS}"}
    return {name: value for name, value in limits.items() if name not in url.query}


def _begin_sqlite(connection: sa.Connection) -> None:
    """sqlite3 itself begins at the first write only: two queries would see two pictures."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _says(voucher: Voucher | None, irn: str, status: str) -> bool:
    return voucher is not None and voucher.irn == irn and voucher.einvoice_status in (None, status)


def _words(error: sa.exc.SQLAlchemyError) -> str:
    """The driver's own words, in one line, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error)
    return " ".join(said.split())[:500]

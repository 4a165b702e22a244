"""What is registered: one row an IRN, in SQLite.

Nothing of it is told before `commit`: callers handle any number of requests, commit once, then answer them all. In
a file a commit is on the disk when it returns (WAL, synchronous=FULL), so a kill -9 or a power cut keeps what was
told. One process holds the file at a time.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

IN_MEMORY: Final = Path(":memory:")
_FIRST_ACK_NO: Final = 162_610_000_000_001  # 15 digits, shaped like the portal's 162010000001700


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A registered document. Times are aware, in UTC."""

    ack_no: int
    irn: str
    gstin: str  # the supplier's
    doc_type: str
    doc_no: str  # in upper case
    doc_dt: str  # dd/mm/yyyy
    made_at: datetime
    signed_invoice: str
    signed_qr: str
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    cancel_remark: str | None = None
    duplicates: int = 0  # generate calls for it after the one that made it

    @property
    def status(self) -> str:
        """ACT or CNL, as the portal says."""
        return "CNL" if self.cancelled_at else "ACT"


_COLUMNS: Final = ", ".join(Entry.__struct_fields__)
_PLACES: Final = ", ".join("?" * len(Entry.__struct_fields__))


class Register:
    """The register in `file`, made if it isn't there; IN_MEMORY forgets it at the end.

    Raises RuntimeError when another process holds the file.
    """

    def __init__(self, file: Path = IN_MEMORY) -> None:
        self._database = sqlite3.connect(file, timeout=1)
        self._database.row_factory = sqlite3.Row
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript((Path(__file__).parent / "register.sql").read_text(encoding="utf-8"))
        except sqlite3.OperationalError as cause:
            self._database.close()
            raise RuntimeError(f"cannot open {file}: {cause}; does another sandbox use its folder?") from cause

    def close(self) -> None:
        """What was not committed is gone."""
        self._database.close()

    @property
    def has_uncommitted(self) -> bool:
        """Whether something was written that a crash would undo."""
        return self._database.in_transaction

    def commit(self) -> None:
        """Make everything written so far last. When it raises, all of it is undone."""
        try:
            self._database.commit()
        except sqlite3.Error:
            self._database.rollback()
            raise

    def next_ack_no(self) -> int:
        (last,) = self._database.execute("SELECT max(ack_no) FROM invoice").fetchone()
        return last + 1 if last else _FIRST_ACK_NO

    def add(self, entry: Entry) -> None:
        """Register a document. Raises sqlite3.IntegrityError when its IRN is already there."""
        row = [_stored(getattr(entry, name)) for name in Entry.__struct_fields__]
        self._database.execute(f"INSERT INTO invoice ({_COLUMNS}) VALUES ({_PLACES})", row)  # noqa: S608

    def by_irn(self, irn: str) -> Entry | None:
        return self._one("irn = ?", irn)

    def by_document(self, gstin: str, doc_type: str, doc_no: str, doc_dt: str) -> Entry | None:
        return self._one("gstin = ? AND doc_no = ? AND doc_type = ? AND doc_dt = ?", gstin, doc_no, doc_type, doc_dt)

    def count_duplicate(self, irn: str) -> None:
        """Remember that somebody asked for it again."""
        self._database.execute("UPDATE invoice SET duplicates = duplicates + 1 WHERE irn = ?", [irn])

    def cancel(self, irn: str, *, at: datetime, reason: str, remark: str | None) -> None:
        self._database.execute(
            "UPDATE invoice SET cancelled_at = ?, cancel_reason = ?, cancel_remark = ? WHERE irn = ?",
            [_stored(at), reason, remark, irn],
        )

    def counts(self) -> dict[str, int]:
        """active, cancelled, documents (distinct), duplicates (generate calls for what was already there)."""
        row = self._database.execute(
            "SELECT count(*) - count(cancelled_at) AS active, count(cancelled_at) AS cancelled,"
            " coalesce(sum(duplicates), 0) AS duplicates FROM invoice"
        ).fetchone()
        (documents,) = self._database.execute(
            "SELECT count(*) FROM (SELECT DISTINCT gstin, doc_type, doc_no, doc_dt FROM invoice)"
        ).fetchone()
        return dict(row) | {"documents": documents}

    def page(self, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Entries in the order of their AckNo, above `after`."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM invoice WHERE ack_no > ? ORDER BY ack_no LIMIT ?",  # noqa: S608
            [after, limit],
        )
        return [_entry(row) for row in rows]

    def clear(self) -> None:
        """Forget everything, also what was cancelled."""
        self._database.execute("DELETE FROM invoice")

    def _one(self, condition: str, *values: str) -> Entry | None:
        row = self._database.execute(f"SELECT {_COLUMNS} FROM invoice WHERE {condition}", values).fetchone()  # noqa: S608
        return _entry(row) if row else None


def _entry(row: sqlite3.Row) -> Entry:
    return msgspec.convert(dict(row), Entry, strict=False)


def _stored(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value

"""What is registered, and which e-way bills were made: in SQLite, for both portals.

Nothing of it is told before `commit`: callers handle any number of requests, commit once, then answer them all. In
a file a commit is on the disk when it returns (WAL, synchronous=FULL), so a kill -9 or a power cut keeps what was
told. One process holds the file at a time.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from irnflow.errors import BadInput

PortalName = Literal["NIC1", "NIC2"]
PORTALS: Final[tuple[PortalName, ...]] = get_args(PortalName)

IN_MEMORY: Final = Path(":memory:")
_FIRST_ACK_NO: Final = 162_610_000_000_001  # 15 digits, shaped like the portal's 162010000001700
# 12 digits, like 681008686014; the third says which e-way bill portal issued it: 1 to 7 the first, 8 or 9 the second.
_FIRST_EWB_NO: Final[dict[PortalName, int]] = {"NIC1": 681_000_000_001, "NIC2": 688_000_000_001}
_EWB_NOS: Final = 1_000_000_000  # of one portal


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A registered document. Times are aware, in UTC."""

    ack_no: int
    portal: PortalName = "NIC1"
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
    contested: bool = False  # the other portal had it, and the de-duplication didn't say so
    rejected_at: datetime | None = None  # when a contested one lost

    @property
    def status(self) -> str:
        """ACT, CNL or REJ, as the portal says."""
        return "REJ" if self.rejected_at else "CNL" if self.cancelled_at else "ACT"


class EwayBill(msgspec.Struct, frozen=True, kw_only=True):
    """An e-way bill. Times are aware, in UTC."""

    ewb_no: int
    portal: PortalName
    irn: str
    gstin: str  # who asked for it
    made_at: datetime
    valid_till: datetime | None  # None: Part A only
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    cancel_remark: str | None = None

    @property
    def status(self) -> str:
        """ACT or CNL."""
        return "CNL" if self.cancelled_at else "ACT"


class Register:
    """The register in `file`, made if it isn't there; IN_MEMORY forgets it at the end.

    Raises BadInput when another process holds the file.
    """

    def __init__(self, file: Path = IN_MEMORY) -> None:
        self._database = sqlite3.connect(file, timeout=1)
        self._database.row_factory = sqlite3.Row
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._make()
        except sqlite3.OperationalError as cause:
            self._database.close()
            raise BadInput(f"cannot open {file}: {cause}; does another sandbox use its folder?") from cause

    def _make(self) -> None:
        """The tables; what an older version registered becomes NIC1's."""
        columns = [row["name"] for row in self._database.execute("PRAGMA table_info(invoice)")]
        before = after = ""
        if columns and "portal" not in columns:
            names = ", ".join(columns)
            before = "DROP INDEX invoice_document; ALTER TABLE invoice RENAME TO invoice_of_one;"
            copy = f"INSERT INTO invoice (portal, {names}) SELECT 'NIC1', {names} FROM invoice_of_one;"  # noqa: S608
            after = f"{copy} DROP TABLE invoice_of_one;"
        tables = (Path(__file__).parent / "register.sql").read_text(encoding="utf-8")
        self._database.executescript(f"BEGIN; {before} {tables} {after} COMMIT")

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

    def clear(self) -> None:
        """Forget everything, also what was cancelled."""
        self._database.execute("DELETE FROM invoice")
        self._database.execute("DELETE FROM eway_bill")

    # -- documents ---------------------------------------------------------------------------------------------------

    def next_ack_no(self) -> int:
        (last,) = self._database.execute("SELECT max(ack_no) FROM invoice").fetchone()
        return last + 1 if last else _FIRST_ACK_NO

    def add(self, entry: Entry) -> None:
        """Register a document. Raises sqlite3.IntegrityError when its IRN is already at that portal."""
        self._insert("invoice", entry)

    def by_irn(self, irn: str, portal: PortalName = "NIC1") -> Entry | None:
        """What one portal has."""
        return self._entry("irn = ? AND portal = ?", irn, portal)

    def all_of_irn(self, irn: str) -> list[Entry]:
        """What the portals have, the first registered first."""
        return self._entries("irn = ? ORDER BY ack_no", irn)

    def by_document(
        self, gstin: str, doc_type: str, doc_no: str, doc_dt: str, portal: PortalName = "NIC1"
    ) -> Entry | None:
        return self._entry(
            "gstin = ? AND doc_no = ? AND doc_type = ? AND doc_dt = ? AND portal = ?",
            gstin, doc_no, doc_type, doc_dt, portal,
        )  # fmt: skip

    def count_duplicate(self, irn: str, portal: PortalName = "NIC1") -> None:
        """Remember that somebody asked for it again."""
        self._database.execute(
            "UPDATE invoice SET duplicates = duplicates + 1 WHERE irn = ? AND portal = ?", [irn, portal]
        )

    def cancel(
        self, irn: str, *, at: datetime, reason: str, remark: str | None, portal: PortalName = "NIC1"
    ) -> None:  # fmt: skip
        self._database.execute(
            "UPDATE invoice SET cancelled_at = ?, cancel_reason = ?, cancel_remark = ? WHERE irn = ? AND portal = ?",
            [_stored(at), reason, remark, irn, portal],
        )

    def contested(self) -> list[Entry]:
        """Those of which it is not settled yet whether they stand."""
        return self._entries("contested ORDER BY ack_no")

    def settle(self, ack_no: int, *, rejected_at: datetime | None) -> None:
        """A contested one stands (None), or has lost."""
        self._database.execute(
            "UPDATE invoice SET contested = 0, rejected_at = ? WHERE ack_no = ?", [_stored(rejected_at), ack_no]
        )

    def rejected(self, gstin: str, portal: PortalName, *, since: datetime, before: datetime) -> list[Entry]:
        """A supplier's that lost in that time."""
        return self._entries(
            "gstin = ? AND portal = ? AND rejected_at >= ? AND rejected_at < ? ORDER BY ack_no",
            gstin, portal, _stored(since), _stored(before),
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """active, cancelled, rejected, documents (distinct), duplicates (generate calls for what was there)."""
        row = self._database.execute(
            "SELECT count(*) FILTER (WHERE cancelled_at IS NULL AND rejected_at IS NULL) AS active,"
            " count(cancelled_at) AS cancelled, count(rejected_at) AS rejected,"
            " coalesce(sum(duplicates), 0) AS duplicates FROM invoice"
        ).fetchone()
        (documents,) = self._database.execute(
            "SELECT count(*) FROM (SELECT DISTINCT gstin, doc_type, doc_no, doc_dt FROM invoice)"
        ).fetchone()
        return dict(row) | {"documents": documents}

    def page(self, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Entries in the order of their AckNo, above `after`."""
        return self._entries("ack_no > ? ORDER BY ack_no LIMIT ?", after, limit)

    # -- e-way bills -------------------------------------------------------------------------------------------------

    def next_ewb_no(self, portal: PortalName = "NIC1") -> int:
        """A number of the e-way bill portal that goes with this one."""
        first = _FIRST_EWB_NO[portal]
        numbers = "SELECT max(ewb_no) FROM eway_bill WHERE ewb_no >= ? AND ewb_no < ?"
        (last,) = self._database.execute(numbers, [first, first + _EWB_NOS]).fetchone()
        return last + 1 if last else first

    @staticmethod
    def issuer_of(ewb_no: int) -> PortalName:
        """The portal whose e-way bill portal issued a number."""
        return "NIC2" if str(ewb_no)[2] in "89" else "NIC1"

    def add_bill(self, bill: EwayBill) -> None:
        """Raises sqlite3.IntegrityError when the document has an active one."""
        self._insert("eway_bill", bill)

    def bill(self, ewb_no: int) -> EwayBill | None:
        return next(iter(self._bills("ewb_no = ?", ewb_no)), None)

    def last_bill_of(self, irn: str) -> EwayBill | None:
        """The active one, else the one that was cancelled last."""
        return next(
            iter(self._bills("irn = ? ORDER BY cancelled_at IS NULL DESC, made_at DESC, ewb_no DESC LIMIT 1", irn)),
            None,
        )

    def active_bill_of(self, irn: str) -> EwayBill | None:
        return next(iter(self._bills("irn = ? AND cancelled_at IS NULL", irn)), None)

    def cancel_bill(self, ewb_no: int, *, at: datetime, reason: str, remark: str | None) -> None:
        self._database.execute(
            "UPDATE eway_bill SET cancelled_at = ?, cancel_reason = ?, cancel_remark = ? WHERE ewb_no = ?",
            [_stored(at), reason, remark, ewb_no],
        )

    def bill_page(self, *, after: int = 0, limit: int = 1000) -> list[EwayBill]:
        """E-way bills in the order of their numbers, above `after`."""
        return self._bills("ewb_no > ? ORDER BY ewb_no LIMIT ?", after, limit)

    # -- rows --------------------------------------------------------------------------------------------------------

    def _insert(self, table: str, value: Entry | EwayBill) -> None:
        names = value.__struct_fields__
        places = ", ".join("?" * len(names))
        row = [_stored(getattr(value, name)) for name in names]
        self._database.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", row)  # noqa: S608

    def _entry(self, condition: str, *values: object) -> Entry | None:
        return next(iter(self._entries(condition, *values)), None)

    def _entries(self, condition: str, *values: object) -> list[Entry]:
        return [msgspec.convert(row, Entry, strict=False) for row in self._rows("invoice", Entry, condition, values)]

    def _bills(self, condition: str, *values: object) -> list[EwayBill]:
        rows = self._rows("eway_bill", EwayBill, condition, values)
        return [msgspec.convert(row, EwayBill, strict=False) for row in rows]

    def _rows(self, table: str, kind: Any, condition: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        names = ", ".join(kind.__struct_fields__)
        found = self._database.execute(f"SELECT {names} FROM {table} WHERE {condition}", values)  # noqa: S608
        return [dict(row) for row in found]


def _stored(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from irnflow.errors import BadInput
from irnflow.sandbox.register import Entry, EwayBill, Register
from tests.sandbox.conftest import NOW


def entry(number: int, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "ack_no": 162610000000000 + number,
        "irn": f"{number:064x}",
        "gstin": "27AAPFU0939F1ZV",
        "doc_type": "INV",
        "doc_no": f"INV-{number}",
        "doc_dt": "20/11/2026",
        "made_at": NOW.astimezone(UTC),
        "signed_invoice": "a.b.c",
        "signed_qr": "d.e.f",
    }
    return Entry(**(values | changes))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "register.sqlite"


@pytest.fixture
def register(file: Path) -> Iterator[Register]:
    with closing(Register(file)) as opened:
        yield opened


def test_what_was_committed_is_there_after_a_restart(file: Path) -> None:
    with closing(Register(file)) as register:
        register.add(entry(1))
        register.cancel(entry(1).irn, at=NOW, reason="2", remark=None)
        register.commit()

    with closing(Register(file)) as register:
        assert register.by_irn(entry(1).irn) == entry(1, cancelled_at=NOW.astimezone(UTC), cancel_reason="2")
        assert register.next_ack_no() == entry(2).ack_no


def test_what_was_not_committed_is_gone(file: Path) -> None:
    with closing(Register(file)) as register:
        register.add(entry(1))
        assert register.has_uncommitted

    with closing(Register(file)) as register:
        assert register.by_irn(entry(1).irn) is None


def test_an_irn_is_registered_once_a_portal(register: Register) -> None:
    register.add(entry(1))

    with pytest.raises(sqlite3.IntegrityError, match="irn"):
        register.add(entry(2, irn=entry(1).irn))


def test_a_document_is_found_by_all_of_its_details(register: Register) -> None:
    register.add(entry(1))

    assert register.by_document("27AAPFU0939F1ZV", "INV", "INV-1", "20/11/2026") == entry(1)
    assert register.by_document("27AAPFU0939F1ZV", "INV", "INV-1", "21/11/2026") is None


def test_pages_go_on_after_the_last_ack_number(register: Register) -> None:
    for number in (1, 2, 3):
        register.add(entry(number))

    first = register.page(limit=2)
    second = register.page(after=first[-1].ack_no, limit=2)

    assert [each.doc_no for each in first + second] == ["INV-1", "INV-2", "INV-3"]


def test_counts_are_of_irns_documents_and_duplicates(register: Register) -> None:
    register.add(entry(1))
    register.add(entry(2))
    register.cancel(entry(2).irn, at=NOW, reason="1", remark="twice")
    register.count_duplicate(entry(1).irn)

    assert register.counts() == {"active": 1, "cancelled": 1, "rejected": 0, "documents": 2, "duplicates": 1}


def test_two_cannot_hold_one_file(register: Register, file: Path) -> None:
    register.add(entry(1))
    register.commit()

    with pytest.raises(BadInput, match="does another sandbox use its folder"):
        Register(file)


def test_the_register_of_an_older_version_becomes_that_of_nic1(file: Path) -> None:
    with closing(sqlite3.connect(file)) as older:
        older.executescript(
            "CREATE TABLE invoice (ack_no INTEGER PRIMARY KEY, irn TEXT NOT NULL UNIQUE, gstin TEXT NOT NULL,"
            " doc_type TEXT NOT NULL, doc_no TEXT NOT NULL, doc_dt TEXT NOT NULL, made_at TEXT NOT NULL,"
            " signed_invoice TEXT NOT NULL, signed_qr TEXT NOT NULL, cancelled_at TEXT, cancel_reason TEXT,"
            " cancel_remark TEXT, duplicates INTEGER NOT NULL DEFAULT 0) STRICT;"
            "CREATE INDEX invoice_document ON invoice (gstin, doc_no, doc_type);"
        )
        row = (1, "f" * 64, "27AAPFU0939F1ZV", "INV", "INV-1", "20/11/2026", NOW.isoformat(), "a.b.c", "d.e.f")
        older.execute("INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, 3)", row)
        older.commit()

    with closing(Register(file)) as register:
        register.add(entry(2, irn="f" * 64, portal="NIC2"))
        register.commit()

    with closing(Register(file)) as register:
        kept = register.by_irn("f" * 64)
        assert kept == entry(1, ack_no=1, irn="f" * 64, duplicates=3)
        assert [each.portal for each in register.all_of_irn("f" * 64)] == ["NIC1", "NIC2"]


def test_a_document_has_one_active_e_way_bill(register: Register) -> None:
    register.add_bill(bill(1))

    with pytest.raises(sqlite3.IntegrityError, match="irn"):
        register.add_bill(bill(2))

    register.cancel_bill(bill(1).ewb_no, at=NOW, reason="2", remark=None)
    register.add_bill(bill(2))
    assert [each.status for each in register.bill_page()] == ["CNL", "ACT"]


def bill(number: int) -> EwayBill:
    return EwayBill(
        ewb_no=681000000000 + number, portal="NIC1", irn=entry(1).irn, gstin="27AAPFU0939F1ZV",
        made_at=NOW.astimezone(UTC), valid_till=None,
    )  # fmt: skip

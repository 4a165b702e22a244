import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from irnflow.sandbox.register import Entry, Register
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


def test_an_irn_is_registered_once(register: Register) -> None:
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

    assert register.counts() == {"active": 1, "cancelled": 1, "documents": 2, "duplicates": 1}


def test_two_cannot_hold_one_file(register: Register, file: Path) -> None:
    register.add(entry(1))
    register.commit()

    with pytest.raises(RuntimeError, match="does another sandbox use its folder"):
        Register(file)

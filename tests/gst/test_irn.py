"""The IRN: published ones recompute, and upper case counts from 2025-26."""

import json
from datetime import date
from pathlib import Path

import pytest

from irnflow.gst.irn import financial_year, irn

VECTORS = json.loads((Path(__file__).parent / "irn_vectors.json").read_text(encoding="utf-8"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["doc_no"] for vector in VECTORS])
def test_published_irns_recompute(vector: dict[str, str]) -> None:
    computed = irn(vector["supplier_gstin"], vector["financial_year"], vector["doc_type"], vector["doc_no"])

    assert computed == vector["irn"]


def test_capitals_make_no_difference_from_2025_26() -> None:
    assert irn("29AAFCC9980M1ZR", "2025-26", "INV", "inv/1a") == irn("29AAFCC9980M1ZR", "2025-26", "INV", "INV/1A")


def test_capitals_made_a_difference_up_to_2024_25() -> None:
    assert irn("29AAFCC9980M1ZR", "2024-25", "INV", "inv/1a") != irn("29AAFCC9980M1ZR", "2024-25", "INV", "INV/1A")


def test_an_invoice_and_a_credit_note_may_share_a_number() -> None:
    assert irn("29AAFCC9980M1ZR", "2026-27", "INV", "1") != irn("29AAFCC9980M1ZR", "2026-27", "CRN", "1")


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2025, 3, 31), "2024-25"),
        (date(2025, 4, 1), "2025-26"),
        (date(2026, 11, 22), "2026-27"),
        (date(2026, 1, 1), "2025-26"),
        (date(2099, 12, 31), "2099-00"),
    ],
)
def test_the_financial_year_runs_from_april_to_march(day: date, year: str) -> None:
    assert financial_year(day) == year

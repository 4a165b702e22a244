"""The IRN: published ones recompute, and upper case counts from 2025-26."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from irnflow.gst.dates import financial_year
from irnflow.gst.irn import irn, registered_as

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


AS_GIVEN, CAPITALS = "blr/117", "BLR/117"


@pytest.mark.parametrize(
    ("dated", "registered", "numbers"),
    [
        (date(2025, 5, 10), date(2025, 5, 10), [AS_GIVEN]),
        (date(2025, 4, 1), date(2025, 5, 31), [AS_GIVEN]),
        (date(2025, 5, 31), date(2025, 6, 1), [CAPITALS]),
        (date(2025, 6, 1), date(2025, 6, 1), [CAPITALS]),
        (date(2025, 5, 31), None, [CAPITALS, AS_GIVEN]),
        (date(2025, 6, 1), None, [CAPITALS]),
        (date(2024, 5, 10), date(2024, 5, 12), [AS_GIVEN]),
        (date(2024, 5, 10), None, [CAPITALS, AS_GIVEN]),
        (date(2025, 3, 31), date(2025, 6, 2), [CAPITALS, AS_GIVEN]),
        (date(2026, 11, 22), date(2026, 11, 22), [CAPITALS]),
    ],
)
def test_small_letters_count_until_31_may_2025(dated: date, registered: date | None, numbers: list[str]) -> None:
    hashed = [f"29AAFCC9980M1ZR{financial_year(dated)}INV{number}" for number in numbers]

    assert registered_as("29AAFCC9980M1ZR", dated, "INV", AS_GIVEN, registered) == [
        sha256(text.encode()).hexdigest() for text in hashed
    ]


def test_a_number_in_capitals_has_one_irn() -> None:
    assert registered_as("29AAFCC9980M1ZR", date(2025, 5, 10), "INV", CAPITALS, None) == [
        irn("29AAFCC9980M1ZR", "2025-26", "INV", CAPITALS)
    ]

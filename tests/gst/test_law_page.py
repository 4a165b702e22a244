"""docs/law.md tells of every rule, and of the rules as they are."""

from pathlib import Path

from irnflow.gst.law_page import page
from irnflow.gst.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "law.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "renew it: python -m irnflow.gst.law_page > docs/law.md"


def test_every_rule_has_its_row() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == len(RULES)


def test_every_row_has_its_eight_cells() -> None:
    tables = page().replace("\\|", "").partition("## What changed when")[0]
    rows = [line for line in tables.splitlines() if line.startswith("|")]

    assert {row.count("|") for row in rows} == {9}


def test_the_page_tells_what_changed_when() -> None:
    changes = page().partition("## What changed when")[2]

    assert "| 2025-09-21 | a rate of 40 %, by the date of the document |" in changes
    assert "| 2025-02-06 | `eway_bill.gold` |" in changes
    assert "| 2026-07-29 | `ship_to.gstin_missing` is on hold: not applied |" in changes
    assert "| financial year 2025-26 | " in changes

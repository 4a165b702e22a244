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
    rows = [line.replace("\\|", "") for line in page().splitlines() if line.startswith("|")]

    assert {row.count("|") for row in rows} == {9}

"""docs/codes.md tells of every code, and of the catalogue as it is."""

from pathlib import Path

from irnflow.gst.codes_page import page
from irnflow.gst.portal_codes import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "codes.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "renew it: python -m irnflow.gst.codes_page > docs/codes.md"


def test_every_code_has_its_row() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == len(catalogue())


def test_every_row_has_its_five_cells() -> None:
    rows = [line.replace("\\|", "") for line in page().splitlines() if line.startswith("|")]

    assert {row.count("|") for row in rows} == {6}

"""Cells as spreadsheets and people write them: what can be made good is, what can't is told with what to do."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from irnflow.files import cells

HEADER, LINE = cells.readers()
DAY = date(2026, 11, 22)

READ: list[tuple[str, Any, Any]] = [
    ("document_number", "  INV/1 ", "INV/1"),
    ("document_number", 117.0, "117"),
    ("document_number", "0117", "0117"),
    ("seller_phone", 9876543210.0, "9876543210"),
    ("remarks", "   ", None),
    ("document_date", DAY, DAY),
    ("document_date", datetime(2026, 11, 22, 13, 0), DAY),  # noqa: DTZ001  as a spreadsheet has it
    ("document_date", "22/11/2026", DAY),
    ("document_date", "22-11-2026", DAY),
    ("document_date", "2026-11-22", DAY),
    ("document_date", "22-Nov-2026", DAY),
    ("document_date", "5.4.2026", date(2026, 4, 5)),
    ("seller_state", 7.0, "07"),
    ("seller_state", "7", "07"),
    ("seller_state", "29 Karnataka", "29"),
    ("seller_pin", "560001", 560001),
    ("seller_pin", 560001.0, 560001),
    ("reverse_charge", "yes", True),
    ("reverse_charge", 0.0, False),
    ("reverse_charge", True, True),
    ("taxable_value", 0.1, Decimal("0.1")),
    ("taxable_value", 118.00000000000001, Decimal("118")),  # the noise of a formula
    ("taxable_value", "1,23,456.50", Decimal("123456.50")),
    ("taxable_value", "123,456.50", Decimal("123456.50")),
    ("taxable_value", " 12.30 ", Decimal("12.30")),
    ("taxable_value", "99999999999999.99", Decimal("99999999999999.99")),
    ("taxable_value", 12345678901.25, Decimal("12345678901.25")),
]


@pytest.mark.parametrize(("column", "cell", "value"), READ)
def test_a_cell_is_read_without_losing_a_digit(column: str, cell: Any, value: Any) -> None:
    assert HEADER[column](cell) == value


TOLD: list[tuple[str, Any, str]] = [
    ("document_number", date(2026, 2, 1), "a spreadsheet has made the date 2026-02-01 of it"),
    ("payee_account", 1234567890123456789.0, "a spreadsheet keeps 15 digits of a number, and this has more"),
    ("payee_account", "1.23457E+15", "a spreadsheet has written a long number as 1.23457E+15"),
    ("document_number", True, "True is not text"),
    ("document_number", "a\0b", "it holds a character that no text has"),
    ("document_number", 1.5, "1.5 is not a whole number"),
    ("document_date", "31/02/2026", "'31/02/2026' is not a date: 22/11/2026 is, and 2026-11-22"),
    ("document_date", "11/22/2026", "is not a date"),
    ("document_date", 46348.0, "46348.0 is a number: format the cell as a date"),
    ("seller_state", "Karnataka", "'Karnataka' is not a state code of two digits, such as 29"),
    ("seller_pin", "56OOO1", "'56OOO1' is not a number"),
    ("seller_pin", date(2026, 1, 1), "the date 2026-01-01 is not a number"),
    ("seller_pin", 10.0**12, "is more than an invoice can hold"),
    ("reverse_charge", "perhaps", "'perhaps' is neither yes nor no"),
    ("taxable_value", "1,5", "'1,5' is not a number"),
    ("taxable_value", "12.345", "12.345 has more than 2 decimals: round it, =ROUND(...,2) in a sheet"),
    ("taxable_value", "1E+20", "is more than the 99999999999999.99 that can stand there"),
    ("taxable_value", "NaN", "is not a number"),
]


@pytest.mark.parametrize(("column", "cell", "says"), TOLD)
def test_what_can_not_be_read_for_certain_is_told(column: str, cell: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        HEADER[column](cell)


def test_quantities_have_three_decimals_and_rates_an_end() -> None:
    assert LINE["quantity"]("1.125") == Decimal("1.125")
    with pytest.raises(ValueError, match=r"more than the 999\.999 that can stand there"):
        LINE["gst_rate"]("1800")


@pytest.mark.parametrize(
    ("cell", "hsn"),
    [("1012100", "01012100"), (1012100.0, "01012100"), ("101", "0101"), (94036000.0, "94036000"), ("9983", "9983")],
)
def test_the_leading_zero_of_an_hsn_is_put_back(cell: Any, hsn: str) -> None:
    assert cells.with_leading_zero(cell) == hsn

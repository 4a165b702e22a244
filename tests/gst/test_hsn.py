"""HSN and SAC."""

from datetime import date
from decimal import Decimal

import pytest

from irnflow.gst import hsn


@pytest.mark.parametrize(("code", "service"), [("998314", True), ("9983", True), ("94036000", False), ("0901", False)])
def test_services_start_with_99(code: str, service: bool) -> None:
    assert hsn.is_service(code) is service


@pytest.mark.parametrize(("crore", "digits"), [("0", 4), ("5", 4), ("5.01", 6), ("500", 6)])
def test_digits_depend_on_turnover(crore: str, digits: int) -> None:
    assert hsn.digits_at_least(Decimal(crore)) == digits


@pytest.mark.parametrize("code", ["9403", "94036000", "998314", "21069020"])
def test_codes_of_the_tariff_are_listed(code: str) -> None:
    assert hsn.is_listed(code)


@pytest.mark.parametrize("code", ["94039999", "9984999", "", "99"])
def test_other_codes_are_not(code: str) -> None:
    assert not hsn.is_listed(code)


@pytest.mark.parametrize("code", ["21069020", "2401", "24012010", "24022010", "24039910", "24041100", "24041900"])
def test_tobacco_and_pan_masala_are_priced_at_retail(code: str) -> None:
    assert hsn.is_retail_priced(code, date(2026, 2, 1))


@pytest.mark.parametrize("code", ["21069099", "24041200", "2404", "94036000"])
def test_other_goods_are_not(code: str) -> None:
    assert not hsn.is_retail_priced(code, date(2026, 2, 1))


def test_nor_were_tobacco_and_pan_masala_before_february_2026() -> None:
    assert not hsn.is_retail_priced("24022010", date(2026, 1, 31))

"""Units, rates, ports, countries, currencies."""

from datetime import date
from decimal import Decimal

import pytest

from irnflow.gst import codes, countries, currencies, ports, rates, units


@pytest.mark.parametrize(
    ("written", "code"),
    [("kgs", "KGS"), ("Kg.", "KGS"), ("kilograms", "KGS"), ("nos", "NOS"), ("Number", "NOS"), ("pieces", "PCS"),
     ("Litre", "LTR"), ("metric tonne", "MTS"), ("NOS", "NOS"), ("fathom", "FATHOM")],
)  # fmt: skip
def test_a_unit_is_known_by_its_spellings(written: str, code: str) -> None:
    assert units.code_of(written) == code


def test_every_spelling_leads_to_a_unit_of_the_list() -> None:
    led_to = {row["code"] for row in codes.rows("unit_spellings.csv")}

    assert {code for code in led_to if not units.is_listed(code)} == set()


def test_no_spelling_is_a_unit_itself() -> None:
    assert {row["written"] for row in codes.rows("unit_spellings.csv")} & codes.column("units.csv") == set()


@pytest.mark.parametrize("percent", ["0", "0.1", "0.25", "1", "1.5", "3", "5", "6", "7.5", "12", "18", "28", "40"])
def test_the_rates_of_today_hold_however_they_are_written(percent: str) -> None:
    today = date(2026, 11, 22)

    assert rates.is_in_force(Decimal(percent), today)
    assert rates.is_in_force(Decimal(percent).quantize(Decimal("0.001")), today)


@pytest.mark.parametrize("percent", ["0.5", "17", "9", "14", "-5", "100"])
def test_other_rates_do_not(percent: str) -> None:
    assert not rates.is_in_force(Decimal(percent), date(2026, 11, 22))


def test_40_percent_came_in_september_2025() -> None:
    assert not rates.is_in_force(Decimal(40), date(2025, 9, 20))
    assert rates.is_in_force(Decimal(40), date(2025, 9, 21))


def test_ports_countries_and_currencies_are_listed() -> None:
    assert ports.is_listed("INBOM4")
    assert countries.is_listed("AE")
    assert currencies.is_listed("AED")


def test_made_up_ones_are_not() -> None:
    assert not ports.is_listed("INXXX9")
    assert not countries.is_listed("QQ")
    assert not currencies.is_listed("QQQ")

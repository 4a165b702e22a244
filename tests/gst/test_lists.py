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


@pytest.mark.parametrize(
    ("percent", "dated", "code", "since"),
    [
        ("12", date(2025, 9, 21), "84137010", None),
        ("12", date(2025, 9, 22), "84137010", date(2025, 9, 22)),
        ("12", date(2026, 11, 10), "68151100", None),
        ("12", date(2026, 11, 10), "69010010", None),
        ("12", date(2026, 11, 10), "6901", None),  # of fewer digits: may be those bricks
        ("12", date(2026, 11, 10), "69010090", date(2025, 9, 22)),
        ("12", date(2026, 11, 10), "69041000", None),
        ("12", date(2026, 11, 10), "69051000", None),
        ("12.000", date(2026, 11, 10), "69059000", date(2025, 9, 22)),
        ("28", date(2025, 9, 22), "87032291", date(2025, 9, 22)),
        ("28", date(2026, 1, 31), "24022010", None),
        ("28", date(2026, 1, 31), "21069020", None),
        ("28", date(2026, 1, 31), "210690", None),
        ("28", date(2026, 2, 1), "24022010", date(2026, 2, 1)),
        ("28", date(2026, 11, 10), "87032291", date(2025, 9, 22)),
        ("18", date(2026, 11, 10), "87032291", None),
        ("40", date(2026, 11, 10), "87032291", None),
    ],
)
def test_a_rate_ends_for_goods_on_its_day(percent: str, dated: date, code: str, since: date | None) -> None:
    assert rates.ended(Decimal(percent), dated, code) == since


@pytest.mark.parametrize(
    ("dated", "code", "since"),
    [
        (date(2025, 9, 21), "87032291", None),
        (date(2025, 9, 22), "87032291", date(2025, 9, 22)),
        (date(2026, 1, 31), "24022010", None),
        (date(2026, 1, 31), "21069020", None),
        (date(2026, 2, 1), "24022010", date(2026, 2, 1)),
        (date(2026, 11, 10), "27011200", date(2025, 9, 22)),
    ],
)
def test_compensation_cess_ends_for_goods_on_its_day(dated: date, code: str, since: date | None) -> None:
    assert rates.cess_ended(dated, code) == since


def test_nothing_ended_before_the_first_end() -> None:
    ends = [date.fromisoformat(row["since"]) for row in codes.rows("ended_levies.csv")]

    assert min(ends) == rates.FIRST_END


def test_ports_countries_and_currencies_are_listed() -> None:
    assert ports.is_listed("INBOM4")
    assert [code for code in ("AE", "XK") if not countries.is_listed(code)] == []
    assert [code for code in ("AED", "ZWG", "XCG", "SLE", "VED") if not currencies.is_listed(code)] == []


def test_made_up_ones_are_not() -> None:
    assert not ports.is_listed("INXXX9")
    assert not countries.is_listed("QQ")
    assert not currencies.is_listed("QQQ")

"""Rounding, and the portal's tolerance."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst.money import agrees, rounded, written

AMOUNTS = st.decimals(min_value=0, max_value=Decimal(10) ** 12, places=4)


@pytest.mark.parametrize(
    ("due", "least", "most"),
    [("2345.34", "2344", "2347"), ("2345.04", "2344", "2347"), ("10241.00", "10240", "10242"),
     ("10241.61", "10240", "10243"), ("0", "-1", "1")],
)  # fmt: skip
def test_the_tolerance_is_that_of_the_published_examples(due: str, least: str, most: str) -> None:
    paisa = Decimal("0.01")

    assert agrees(Decimal(least), Decimal(due))
    assert agrees(Decimal(most), Decimal(due))
    assert not agrees(Decimal(least) - paisa, Decimal(due))
    assert not agrees(Decimal(most) + paisa, Decimal(due))


@given(due=AMOUNTS, given_paise=st.integers(-300, 300))
def test_the_tolerance_is_floor_less_one_to_ceiling_and_one(due: Decimal, given_paise: int) -> None:
    given_amount = due.quantize(Decimal("0.01")) + Decimal(given_paise) / 100
    low, high = due // 1 - 1, -(-due // 1) + 1 if due == due // 1 else due // 1 + 2

    assert agrees(given_amount, due) == (low <= given_amount <= high)


@pytest.mark.parametrize(("exact", "paise"), [("0.005", "0.01"), ("0.015", "0.02"), ("0.0149", "0.01")])
def test_halves_are_rounded_away_from_zero(exact: str, paise: str) -> None:
    assert rounded(Decimal(exact)) == Decimal(paise)


@pytest.mark.parametrize(
    ("number", "decimals", "shown"),
    [("1800.9000000", 2, "1800.90"), ("10005", 2, "10005.00"), ("1.3333333", 2, "1.3333333"), ("-0.00", 2, "0.00"),
     ("4E+1", 0, "40"), ("0.250", 0, "0.25"), ("18.000", 0, "18"), ("1E-7", 2, "0.0000001"), ("0E+3", 0, "0"),
     ("NaN", 2, "NaN"), ("1E+999999", 2, "a number of 1000000 digits")],
)  # fmt: skip
def test_a_number_is_shown_without_exponent_and_idle_zeros(number: str, decimals: int, shown: str) -> None:
    assert written(Decimal(number), decimals) == shown

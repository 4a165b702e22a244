"""Rounding, and the portal's tolerance."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst.money import agrees, rounded

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

"""Document numbers: their form, and capitals on both sides of June 2025."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst import fields
from irnflow.gst.document_number import as_hashed, is_sound


@pytest.mark.parametrize(
    "number", ["1", "A", "INV/1", "2019-20/KA/1", "BLR/2026/117", "a-b/C", "A000", "1234567890123456", "A/-/-/"]
)
def test_letters_digits_slash_and_hyphen_make_a_number(number: str) -> None:
    assert is_sound(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "0",
        "0117",
        "/1",
        "-1",
        "INV 1",
        "INV_1",
        "INV.1",
        "INV\\1",
        "12345678901234567",
        "INV/1\n",
        "बिल/1",
        "INV/१",
    ],
)
def test_nothing_else_does(number: str) -> None:
    assert not is_sound(number)


@given(number=st.text(alphabet="aA09/-_ ", max_size=18))
def test_the_schema_says_the_same(number: str) -> None:
    fits = fields.table()["DocDtls.No"].fits

    assert fits is not None
    assert is_sound(number) == bool(fits(number))


@pytest.mark.parametrize(
    ("year", "hashed"),
    [("2023-24", "inv/1a"), ("2024-25", "inv/1a"), ("2025-26", "INV/1A"), ("2026-27", "INV/1A")],
)
def test_capitals_count_up_to_2024_25_and_no_more_from_2025_26(year: str, hashed: str) -> None:
    assert as_hashed("inv/1a", year) == hashed

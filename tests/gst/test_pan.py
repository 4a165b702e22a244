"""PANs."""

import pytest

from irnflow.gst.pan import is_sound


@pytest.mark.parametrize("pan", ["AAFCC9980M", "AAPFU0939F", "ABCPE1234F", "ZZZCS1111A", "AABCT1332L"])
def test_five_letters_four_digits_and_a_letter_make_a_pan(pan: str) -> None:
    assert is_sound(pan)


@pytest.mark.parametrize(
    "pan",
    ["", "AAFCC9980", "AAFCC9980MM", "AAFC99980M", "AAFCCC980M", "AAFCC99801", "aafcc9980m", "AAFCC9980M\n",
     "AAFCC९९८०M", "BLRE12345A"],  # a TAN
)  # fmt: skip
def test_nothing_else_does(pan: str) -> None:
    assert not is_sound(pan)

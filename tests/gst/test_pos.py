"""States and places of supply."""

import pytest

from irnflow.gst import pos


@pytest.mark.parametrize("code", ["01", "26", "29", "37", "38", "97", "96"])
def test_states_territories_and_abroad_are_places_of_supply(code: str) -> None:
    assert pos.is_place_of_supply(code)


@pytest.mark.parametrize("code", ["25", "28", "99", "00", "39", "9", "", "KA"])
def test_withdrawn_and_unknown_codes_are_none(code: str) -> None:
    assert not pos.is_place_of_supply(code)


@pytest.mark.parametrize("code", ["25", "28", "99"])
def test_codes_of_old_gstins_are_known_all_the_same(code: str) -> None:
    assert code in pos.states()


def test_abroad_is_not_in_india() -> None:
    assert not pos.is_in_india("96")
    assert pos.is_in_india("97")

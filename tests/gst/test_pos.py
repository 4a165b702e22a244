"""States, places of supply, PINs."""

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


@pytest.mark.parametrize(
    ("pin", "states"),
    [
        (560001, {"29"}),
        (605001, {"33", "34"}),  # Puducherry within Tamil Nadu
        (396210, {"24", "26"}),  # Daman within Gujarat
        (194101, {"01", "38"}),  # Leh
        (999999, {"96", "97"}),
        (100000, None),
        (1, None),
    ],
)
def test_the_first_three_digits_tell_the_states(pin: int, states: set[str] | None) -> None:
    assert pos.states_of_pin(pin) == states


def test_territories_have_pins_and_offices_have_none() -> None:
    assert pos.has_pins("38")
    assert not pos.has_pins("96")
    assert not pos.has_pins("97")
    assert not pos.has_pins("28")


def test_every_state_of_the_pin_list_is_a_state() -> None:
    states = {state for prefix in range(1000) for state in pos.states_of_pin(prefix * 1000) or ()}

    assert states <= set(pos.states())
    assert len(states) == 36

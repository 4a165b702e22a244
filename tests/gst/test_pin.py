"""PINs and the states they lie in."""

import pytest

from irnflow.gst import pin, pos


@pytest.mark.parametrize(
    ("number", "states"),
    [
        (110001, {"07"}),
        (560001, {"29"}),
        (400001, {"27"}),
        (744101, {"35"}),
        (682555, {"31", "32"}),  # Lakshadweep's post comes by Kochi
        (605001, {"33", "34"}),  # Puducherry within Tamil Nadu
        (396210, {"24", "26"}),  # Daman within Gujarat
        (194101, {"01", "38"}),  # Leh
        (781101, {"17", "18"}),  # Byrnihat in Meghalaya, by Guwahati
        (782411, {"17", "18"}),
        (507114, {"36", "37"}),  # mandals that moved in 2014
        (802131, {"09", "10"}),
        (818001, {"20"}),
        (999999, {"96", "97"}),
        (999998, None),
        (100000, None),
        (1, None),
        (0, None),
        (-560001, None),
    ],
)
def test_the_first_three_digits_tell_the_states(number: int, states: set[str] | None) -> None:
    assert pin.states_of(number) == states


@pytest.mark.parametrize("state", ["07", "26", "29", "37", "38"])
def test_pins_belong_to_territories_of_today(state: str) -> None:
    assert pin.belong_to(state)


@pytest.mark.parametrize("state", ["96", "97", "25", "28", "99", "45"])
def test_and_to_nothing_else(state: str) -> None:
    assert not pin.belong_to(state)


def test_every_state_of_today_has_pins_and_every_prefix_a_state() -> None:
    states = {state for prefix in range(999) for state in pin.states_of(prefix * 1000) or ()}

    assert states == {state for state in pos.states() if pin.belong_to(state)}

"""Places: states and union territories, the place of supply, and the PINs that lie in each.

Codes: `codes/states.csv`, `codes/pin_prefixes.csv`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from irnflow.gst import codes

OTHER_COUNTRIES: Final = "96"
OTHER_TERRITORY: Final = "97"
PIN_ABROAD: Final = 999999
# 25 was merged into 26; 28, undivided Andhra Pradesh, lives on in old GSTINs only; 99 is an office, not a territory.
_NO_PLACE_OF_SUPPLY: Final = frozenset({"25", "28", "99"})
_ABROAD: Final = frozenset({OTHER_COUNTRIES, OTHER_TERRITORY})  # 97 may use the PIN of abroad


@cache
def states() -> Mapping[str, str]:
    """Name by code; 96 is Other Countries."""
    return {row["code"]: row["state"] for row in codes.rows("states.csv")}


def is_place_of_supply(code: str) -> bool:
    """Whether a supply can be made there: a state or union territory of today, 96 or 97."""
    return code in states() and code not in _NO_PLACE_OF_SUPPLY


def is_in_india(code: str) -> bool:
    """Whether it is a place of supply and not abroad."""
    return is_place_of_supply(code) and code != OTHER_COUNTRIES


@cache
def _states_by_prefix() -> Mapping[int, frozenset[str]]:
    return {int(row["pin3"]): frozenset(row["state_codes"].split()) for row in codes.rows("pin_prefixes.csv")}


def states_of_pin(pin: int) -> frozenset[str] | None:
    """The states that a PIN may lie in, by its first three digits; None for a prefix that our list lacks.

    The portal holds it the same way for PINs that its own master lacks.
    """
    if pin == PIN_ABROAD:
        return _ABROAD
    return _states_by_prefix().get(pin // 1000)


def has_pins(state: str) -> bool:
    """Whether the PINs of this state can be told: it is a territory of today."""
    return is_place_of_supply(state) and state not in _ABROAD

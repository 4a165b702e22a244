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
# 25 was merged into 26; 28, undivided Andhra Pradesh, lives on in old GSTINs only. Nothing is supplied there any more.
_GONE: Final = frozenset({"25", "28"})
# Codes whose PINs our list can't tell: not a territory, or one that was divided or merged.
_WITHOUT_PINS: Final = _GONE | {OTHER_COUNTRIES, OTHER_TERRITORY, "99"}


@cache
def states() -> Mapping[str, str]:
    """Name by code; 96 is Other Countries."""
    return {row["code"]: row["state"] for row in codes.rows("states.csv")}


def is_place_of_supply(code: str) -> bool:
    """Whether a supply can be made there: a state or union territory of today, 96 or 97."""
    return code in states() and code not in _GONE


@cache
def _states_by_prefix() -> Mapping[int, frozenset[str]]:
    return {int(row["pin3"]): frozenset(row["state_codes"].split()) for row in codes.rows("pin_prefixes.csv")}


def pin_is_of(pin: int, state: str) -> bool | None:
    """Whether a PIN lies in a state, by its first three digits; None where our list can't tell.

    The portal holds it the same way for PINs that its own master lacks.
    """
    if state in _WITHOUT_PINS:
        return None
    there = _states_by_prefix().get(pin // 1000)
    return None if there is None else state in there

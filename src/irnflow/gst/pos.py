"""Places: states and union territories, and which of them can be a place of supply.

Codes: `codes/states.csv`. The list is closed: a state that it lacks is refused.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from irnflow.gst import codes

OTHER_COUNTRIES: Final = "96"
OTHER_TERRITORY: Final = "97"
# 25 was merged into 26; 28, undivided Andhra Pradesh, lives on in old GSTINs only; 99 is an office, not a territory.
_NO_PLACE_OF_SUPPLY: Final = frozenset({"25", "28", "99"})


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

"""PIN: the postal code of a place in India, 6 digits, the first not 0. 999999 stands for abroad.

The first three digits tell the state; some prefixes lie in two, for post offices serve places across a border (605 in
Tamil Nadu and Puducherry) and states were divided (194 in Ladakh, once Jammu and Kashmir). The portal holds a PIN that
its own master lacks to its first three digits in the same way.
Codes: `codes/pin_prefixes.csv`. Our snapshot may be older than the portal's master.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from irnflow.gst import codes, pos

ABROAD: Final = 999999
_NOT_IN_A_STATE: Final = frozenset({pos.OTHER_COUNTRIES, pos.OTHER_TERRITORY})  # 97 may use the PIN of abroad


def states_of(pin: int) -> frozenset[str] | None:
    """The states that it may lie in; None for a prefix that our list lacks.

    >>> sorted(states_of(605001))
    ['33', '34']
    """
    return _NOT_IN_A_STATE if pin == ABROAD else _states_by_prefix().get(pin // 1000)


def belong_to(state: str) -> bool:
    """Whether the PINs of this state can be told: it is a territory of today."""
    return pos.is_place_of_supply(state) and state not in _NOT_IN_A_STATE


@cache
def _states_by_prefix() -> Mapping[int, frozenset[str]]:
    return {int(row["pin3"]): frozenset(row["state_codes"].split()) for row in codes.rows("pin_prefixes.csv")}

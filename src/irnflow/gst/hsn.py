"""HSN and SAC: what is supplied, 4, 6 or 8 digits; those that start with 99 are services (SAC).

Codes: `codes/hsn4.txt`, `hsn6.txt` and `hsn8.txt`, by number of digits; lines that left the tariff:
`codes/hsn_dropped.csv`. Our snapshot may be older than the portal's master.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final

import msgspec

from irnflow.gst import codes

# Notification 78/2020, held by the portal since 15 December 2023: 6 digits above 5 crore, 4 up to that.
SIX_DIGITS_ABOVE_CRORE: Final = Decimal(5)
# Notification 90/2020 asks for 8 digits of 49 chemicals, whatever the turnover. Whether the portal does is not known,
# and only a part of the list is: 29313100, 29313200, 29313300, 29313500 to 29313800, 38249100. The six digits of these
# are unlisted, so `hsn.unlisted` warns of them and names the eight; there is no rule for the others.
# Goods valued by their retail sale price (GSTN advisory of 23 January 2026): the tax is RSP * rate / (100 + rate),
# so it can't be told from the taxable value.
RETAIL_PRICED_SINCE: Final = date(2026, 2, 1)
RETAIL_PRICED_LINES: Final = ("21069020", "24041100", "24041900")
_RETAIL_PRICED: Final = (*RETAIL_PRICED_LINES, "2401", "2402", "2403")
# Notifications 19 and 20/2025-Central Tax of 31 December 2025: biris are taxed on the transaction value.
_BIRIS: Final = ("24031921", "24031929")
# Leaves are taxed on their value, other unmanufactured tobacco on its retail price; the description tells them apart.
_TOBACCO: Final = "2401"
_CHILDREN_SHOWN: Final = 3


class Dropped(msgspec.Struct, frozen=True):
    """A line that left the tariff."""

    since: date
    instead: tuple[str, ...]


def is_service(code: str) -> bool:
    """Whether it is an accounting code of services (SAC)."""
    return code.startswith("99")


def digits_at_least(turnover_crore: Decimal) -> int:
    """How many digits a supplier of this turnover must give."""
    return 6 if turnover_crore > SIX_DIGITS_ABOVE_CRORE else 4


def is_retail_priced(code: str, dated: date) -> bool:
    """Whether its tax on a document of this date follows from the retail sale price instead of the taxable value."""
    return code.startswith(_RETAIL_PRICED) and dated >= RETAIL_PRICED_SINCE and code not in _BIRIS


def may_be_taxed_on_value(code: str) -> bool:
    """Whether it covers leaves or biris, taxed on their value, beside other tobacco, taxed on its retail price."""
    return code.startswith(_TOBACCO) or (len(code) < 8 and code.startswith("24") and _BIRIS[0].startswith(code))


def retail_priced_within(code: str) -> tuple[str, ...]:
    """The lines valued by retail price that a code of fewer digits includes beside others.

    >>> retail_priced_within("210690")
    ('21069020',)
    """
    if len(code) == 8:
        return ()
    return tuple(line for line in RETAIL_PRICED_LINES if line.startswith(code))


@lru_cache(maxsize=4096)
def is_listed(code: str) -> bool:
    """Whether our snapshot of the master has it, or had it before it was dropped."""
    if len(code) not in {4, 6, 8} or not code.isdigit():
        return False
    return code == _at(len(code), _place(code, len(code)))


@lru_cache(maxsize=1024)
def dropped_on(dated: date) -> Mapping[str | None, Dropped]:
    """The lines that documents of this date can't bear any more."""
    return {code: line for code, line in _dropped().items() if dated >= line.since}


@lru_cache(maxsize=1024)
def nearest(code: str) -> tuple[str, tuple[str, ...]]:
    """The longest beginning of a code that whole codes of our snapshot share, and these; its heading, if none do."""
    heads = [code[:digits] for digits in (8, 6, 4) if digits <= len(code)]
    return next(((head, found) for head in heads if (found := children(head))), (code[:4], ()))


def children(head: str) -> tuple[str, ...]:
    """The whole codes that begin with these digits: of eight digits, or six for services."""
    digits = 6 if is_service(head) else 8
    found: list[str] = []
    place = _place(head, digits)
    while (code := _at(digits, place + len(found))).startswith(head) and code:
        found.append(code)
    return tuple(found)


def some(lines: Sequence[str]) -> str:
    """A few codes as a sentence names them.

    >>> some(("85371010", "85371090"))
    '85371010, 85371090'
    """
    more = len(lines) - _CHILDREN_SHOWN
    return ", ".join(lines[:_CHILDREN_SHOWN]) + (f" and {more} more" if more > 0 else "") or "none"


def _place(code: str, digits: int) -> int:
    """Where it stands, or would stand, among the codes of so many digits."""
    listed, width = _listed(digits), digits + 1
    places = range(0, len(listed), width)
    return bisect_left(places, code, key=lambda start: listed[start : start + digits])


def _at(digits: int, place: int) -> str:
    start = place * (digits + 1)
    return _listed(digits)[start : start + digits]


@cache
def _listed(digits: int) -> str:
    """The codes of so many digits in their order, one a line: a tenth of the memory that a set of them takes."""
    return codes.text(f"hsn{digits}.txt")


@cache
def _dropped() -> Mapping[str, Dropped]:
    return {
        row["code"]: Dropped(date.fromisoformat(row["since"]), tuple(row["instead"].split()))
        for row in codes.rows("hsn_dropped.csv")
    }

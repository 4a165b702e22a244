"""Rates: the percentages of GST there are, each with the days of document it holds for.

List: `codes/rates.csv`. A rate is the full one: of IGST, or CGST and SGST together.
Rates and cess that goods of today bear no more, but which the portal keeps for supplies of before (CGST s. 14):
`codes/ended_levies.csv`.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final

import msgspec

from irnflow.gst import codes

CESS: Final = "cess"
FIRST_END: Final = date(2025, 9, 22)  # nothing had ended before


class _End(msgspec.Struct, frozen=True):
    since: date
    still_for: tuple[str, ...]  # how the HSN starts of goods that bear it on


def is_in_force(percent: Decimal, dated: date) -> bool:
    """Whether documents of this date can bear this rate."""
    return percent in _in_force(dated)


def introduced() -> list[tuple[date, Decimal]]:
    """Rates that documents could not always bear, with the first date on which they can."""
    return [(since, percent) for percent, since, _ in _all() if since > date.min]


@lru_cache(maxsize=1024)
def ending(dated: date) -> tuple[Decimal, ...]:
    """The rates that some goods bear no more, on documents of this date: the first thing to ask of a rate."""
    return tuple(rate for rate, ends in _ends().items() if isinstance(rate, Decimal) and dated >= ends[0].since)


def ended(percent: Decimal, dated: date, code: str) -> date | None:
    """Since when goods of this HSN bear this rate no more, on documents of this date; None: they may bear it."""
    return _ended(_ends().get(percent, ()), dated, code)


def cess_ended(dated: date, code: str) -> date | None:
    """Since when goods of this HSN bear no compensation cess, on documents of this date; None: they may bear it."""
    return _ended(_ends()[CESS], dated, code)


def _ended(ends: tuple[_End, ...], dated: date, code: str) -> date | None:
    """A short code may be that of a line within it, so it is let pass with it."""
    for end in ends:
        if dated >= end.since and not any(code.startswith(kept) or kept.startswith(code) for kept in end.still_for):
            return end.since
    return None


@cache
def _ends() -> Mapping[Decimal | str, tuple[_End, ...]]:
    """By rate, and that of cess; each in the order of its days."""
    ends: dict[Decimal | str, tuple[_End, ...]] = {}
    for row in codes.rows("ended_levies.csv"):
        levy = CESS if row["levy"] == CESS else Decimal(row["levy"])
        ends[levy] = (*ends.get(levy, ()), _End(_day(row["since"], date.min), tuple(row["still_for"].split())))
    return ends


@cache
def _all() -> tuple[tuple[Decimal, date, date], ...]:
    return tuple(
        (Decimal(row["percent"]), _day(row["since"], date.min), _day(row["until"], date.max))
        for row in codes.rows("rates.csv")
    )


@cache
def _in_force(dated: date) -> frozenset[Decimal]:
    return frozenset(percent for percent, since, until in _all() if since <= dated <= until)


def _day(written: str, otherwise: date) -> date:
    return date.fromisoformat(written) if written else otherwise

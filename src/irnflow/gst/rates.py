"""Rates: the percentages of GST there are, each with the days of document it holds for.

List: `codes/rates.csv`. A rate is the full one: of IGST, or CGST and SGST together.
"""

from datetime import date
from decimal import Decimal
from functools import cache

from irnflow.gst import codes


def is_in_force(percent: Decimal, dated: date) -> bool:
    """Whether documents of this date can bear this rate."""
    return percent in _in_force(dated)


def introduced() -> list[tuple[date, Decimal]]:
    """Rates that documents could not always bear, with the first date on which they can."""
    return [(since, percent) for percent, since, _ in _all() if since > date.min]


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

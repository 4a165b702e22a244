"""HSN and SAC: what is supplied, 4, 6 or 8 digits; those that start with 99 are services (SAC).

Codes: `codes/hsn.txt`. Our snapshot may be older than the portal's master.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from irnflow.gst import codes

# Notification 78/2020, held by the portal since 15 December 2023: 6 digits above 5 crore, 4 up to that.
SIX_DIGITS_ABOVE_CRORE: Final = Decimal(5)
# Goods valued by their retail sale price (GSTN advisory of 23 January 2026): the tax is RSP * rate / (100 + rate),
# so it can't be told from the taxable value.
RETAIL_PRICED_SINCE: Final = date(2026, 2, 1)
_RETAIL_PRICED: Final = ("21069020", "2401", "2402", "2403", "24041100", "24041900")


def is_service(code: str) -> bool:
    """Whether it is an accounting code of services (SAC)."""
    return code.startswith("99")


def digits_at_least(turnover_crore: Decimal) -> int:
    """How many digits a supplier of this turnover must give."""
    return 6 if turnover_crore > SIX_DIGITS_ABOVE_CRORE else 4


def is_retail_priced(code: str, dated: date) -> bool:
    """Whether its tax on a document of this date follows from the retail sale price instead of the taxable value."""
    return dated >= RETAIL_PRICED_SINCE and code.startswith(_RETAIL_PRICED)


def is_listed(code: str) -> bool:
    """Whether our snapshot of the master has it."""
    return code in _listed()


@cache
def _listed() -> frozenset[str]:
    return frozenset(codes.lines("hsn.txt"))

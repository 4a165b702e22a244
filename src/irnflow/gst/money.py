"""Rupees: how they are rounded, and how far the portal lets a given amount stray from the calculated one."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

ZERO: Final = Decimal(0)
NOTHING: Final = Decimal("0.00")  # an amount of nothing, as it is written
ONE: Final = Decimal(1)
PAISA: Final = Decimal("0.01")
PERCENT: Final = Decimal("0.01")
_DIGITS_SHOWN: Final = 40  # no number of an invoice has more


def rounded(amount: Decimal) -> Decimal:
    """To the paisa, halves away from zero: the only rounding of money there is here. Never -0.00."""
    return amount.quantize(PAISA, ROUND_HALF_UP) + NOTHING


def progressively(amounts: Iterable[Decimal]) -> list[Decimal]:
    """Each to the paisa, what rounding left over carried on to the next: so they add up to their sum, rounded.

    >>> progressively([Decimal("0.334"), Decimal("0.333"), Decimal("0.333")])
    [Decimal('0.33'), Decimal('0.34'), Decimal('0.33')]
    """
    carried, written = ZERO, []
    for amount in amounts:
        exact = amount + carried
        written.append(rounded(exact))
        carried = exact - written[-1]
    return written


def written(number: Decimal, decimals: int = 2) -> str:
    """A number for people: no exponent, at least so many decimals, and no zeros beyond them. Rupees have two.

    >>> written(Decimal("1800.9000000")), written(Decimal("4E+1"), 0)
    ('1800.90', '40')
    """
    if not number.is_finite():
        return str(number)
    if abs(number.adjusted()) > _DIGITS_SHOWN:
        return f"a number of {abs(number.adjusted()) + 1} digits"
    whole, _, fraction = f"{number or ZERO:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def agrees(given: Decimal, due: Decimal) -> bool:
    """Whether the portal takes `given` for a calculated value of `due`: within [floor(due) - 1, ceil(due) + 1].

    So 2345.34 allows 2344.00 to 2347.00, and 10241.00 allows 10240.00 to 10242.00.
    Source: Masters India's API document, section 13; ClearTax's validations chapter.
    """
    if given == due or -ONE <= given - due <= ONE:  # always inside, and nearly always so
        return True
    return due.to_integral_value(ROUND_FLOOR) - ONE <= given <= due.to_integral_value(ROUND_CEILING) + ONE

"""What is supplied, line by line: number, HSN, quantity, unit, rate, taxable value."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from irnflow.sandbox.law.case import Case, Rule, Values, agrees, amount, is_service
from irnflow.sandbox.law.masters import HSN, UNITS

# Notification 78/2020, held by the portal since 15 Dec 2023: 6 digits of HSN above 5 crore of turnover.
SIX_DIGITS_ABOVE_CRORE: Final = Decimal(5)
SIX_DIGITS_SINCE: Final = date(2023, 12, 15)

# Percent, with the day from which it is accepted; 0.5 is withdrawn, 40 came with the rates of September 2025.
RATES: Final = {
    Decimal(rate): since
    for since, rates in {
        date(2017, 7, 1): "0 0.1 0.25 1 1.5 3 5 6 7.5 12 18 28",
        date(2025, 9, 21): "40",
    }.items()
    for rate in rates.split()
}


def _repeated_serial_numbers(case: Case) -> Iterator[Values]:
    numbers = [int(item["SlNo"]) for item in case.items]
    if len(set(numbers)) < len(numbers):
        yield ()


def _no_such_hsn(case: Case) -> Iterator[Values]:
    short = case.turnover_crore > SIX_DIGITS_ABOVE_CRORE and case.today >= SIX_DIGITS_SINCE
    for item in case.items:
        hsn = item["HsnCd"]
        if hsn not in HSN or is_service(item) != hsn.startswith("99") or (short and len(hsn) < 6):
            yield (hsn,)


def _unknown_units(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not is_service(item) and item.get("Unit") and item["Unit"].upper() not in UNITS:
            yield (item["Unit"],)


def _goods_without_quantity(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not is_service(item) and item.get("Qty") is None:
            yield (item["HsnCd"],)


def _goods_without_unit(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not is_service(item) and not item.get("Unit"):
            yield (item["HsnCd"],)


def _unknown_rates(case: Case) -> Iterator[Values]:
    for item in case.items:
        if RATES.get(amount(item, "GstRt"), date.max) > case.dated:
            yield (item["HsnCd"],)


def _taxable_value_off(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not agrees(amount(item, "AssAmt"), amount(item, "TotAmt") - amount(item, "Discount")):
            yield item["HsnCd"], item["SlNo"]


RULES: Final = (
    Rule("2233", "Serial numbers are unique.", _repeated_serial_numbers),
    Rule("2176", "HSN is in the master, long enough, and of chapter 99 for services only.", _no_such_hsn),
    Rule("2177", "The unit of goods is one of the unit quantity codes.", _unknown_units),
    Rule("2238", "Goods have a quantity.", _goods_without_quantity),
    Rule("2239", "Goods have a unit.", _goods_without_unit),
    Rule("2240", "The rate is one of the GST rates of the document's day.", _unknown_rates),
    Rule("2193", "AssAmt = TotAmt - Discount.", _taxable_value_off),
)

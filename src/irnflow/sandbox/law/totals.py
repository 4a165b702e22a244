"""How items and document add up."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from irnflow.sandbox.law.case import Case, Rule, Section, Values, agrees, amount

_GST: Final = ("IgstAmt", "CgstAmt", "SgstAmt")
_CESS: Final = ("CesAmt", "CesNonAdvlAmt")
_STATE_CESS: Final = ("StateCesAmt", "StateCesNonAdvlAmt")


def _item_total_off(case: Case) -> Iterator[Values]:
    for item in case.items:
        value = amount(item, "AssAmt") + amount(item, "OthChrg")
        cess = _sum(item, _CESS + _STATE_CESS)
        totals = [value + _sum(item, _GST) + cess]
        if case.reverse_charge or case.supply == "EXPWP":  # the total may include or leave out tax
            totals += [value + cess, value]
        if not any(agrees(amount(item, "TotItemVal"), total) for total in totals):
            yield (item["HsnCd"],)


def _sum(section: Section, names: tuple[str, ...]) -> Decimal:
    return sum((amount(section, name) for name in names), Decimal())


def _total_off(total: str, *parts: str) -> Callable[[Case], Iterator[Values]]:
    """A finder: ValDtls' `total` is the sum of the items' `parts`."""

    def finds(case: Case) -> Iterator[Values]:
        if not agrees(amount(case.totals, total), sum((_sum(item, parts) for item in case.items), Decimal())):
            yield ()

    return finds


def _invoice_value_off(case: Case) -> Iterator[Values]:
    items = sum((amount(item, "TotItemVal") for item in case.items), Decimal())
    charges = amount(case.totals, "OthChrg") + amount(case.totals, "RndOffAmt") - amount(case.totals, "Discount")
    if not agrees(amount(case.totals, "TotInvVal"), items + charges):
        yield ()


def _discount_of_all(case: Case) -> Iterator[Values]:
    discount = amount(case.totals, "Discount")
    if discount and discount >= amount(case.totals, "TotInvVal"):
        yield ()


RULES: Final = (
    Rule("2194", "TotItemVal = AssAmt + taxes + cesses + OthChrg.", _item_total_off),
    Rule("2182", "AssVal is the sum of the items.", _total_off("AssVal", "AssAmt")),
    Rule("2183", "SgstVal is the sum of the items.", _total_off("SgstVal", "SgstAmt")),
    Rule("2184", "CgstVal is the sum of the items.", _total_off("CgstVal", "CgstAmt")),
    Rule("2185", "IgstVal is the sum of the items.", _total_off("IgstVal", "IgstAmt")),
    Rule("2186", "CesVal is the sum of the items, ad valorem or not.", _total_off("CesVal", *_CESS)),
    Rule("2187", "StCesVal is the sum of the items, ad valorem or not.", _total_off("StCesVal", *_STATE_CESS)),
    Rule("2189", "TotInvVal = items - Discount + OthChrg + RndOffAmt.", _invoice_value_off),
    Rule("2220", "The discount is less than the invoice.", _discount_of_all),
)

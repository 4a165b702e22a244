"""The portal's business rules, as rows: code, sentence, the function that finds the places. Pure.

Written from NIC's published validations (schema 1.03, release notes 2020 to 2025, Masters India's API document),
not from irnflow's own rules: what both read wrongly in the same way would pass both. A document comes here only in
the shape of INV-01 (`shape`). The text of a code is in `codes`; what a finder yields fills its places.
"""

import math
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from irnflow.sandbox.codes import error
from irnflow.sandbox.shape import ERRORS_MAX, calendar_date
from irnflow.sandbox.taxpayers import UNREGISTERED, Taxpayers

Section = dict[str, Any]
Values = tuple[str, ...]  # fill {0}, {1} of the code's text

EXPORTS: Final = frozenset({"EXPWP", "EXPWOP"})
TO_SEZ: Final = frozenset({"SEZWP", "SEZWOP"})
WITHOUT_PAYMENT: Final = frozenset({"EXPWOP", "SEZWOP"})  # of tax: IGST may be 0
OTHER_COUNTRIES: Final = "96"
NO_PLACE_OF_SUPPLY: Final = frozenset({"25", "96", "99"})  # 25 was merged into 26 and is withdrawn as POS

# Percent, with the day from which it is accepted; 0.5 is withdrawn, 40 came with the rates of September 2025.
RATES: Final = {
    Decimal(rate): since
    for since, rates in {
        date(2017, 7, 1): "0 0.1 0.25 1 1.5 3 5 6 7.5 12 18 28",
        date(2025, 9, 21): "40",
    }.items()
    for rate in rates.split()
}

# GSTN advisory of 23 Jan 2026: tax on the retail sale price, so tax no longer follows from the taxable value.
RETAIL_PRICED: Final = ("21069020", "2401", "2402", "2403", "24041100", "24041900")
RETAIL_PRICED_SINCE: Final = date(2026, 2, 1)


_ZERO: Final = Decimal(0)
_HUNDRED: Final = Decimal(100)  # to divide by: int by int would be a float
_TWO_HUNDRED: Final = Decimal(200)


def _codes_in(name: str) -> frozenset[str]:
    return frozenset((Path(__file__).parent / "data" / name).read_text(encoding="ascii").split())


STATES: Final = _codes_in("states.txt")
UNITS: Final = _codes_in("units.txt")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A document before the rules, with what else they look at."""

    supply: str  # SupTyp in upper case
    kind: str  # Typ in upper case
    dated: date
    today: date  # in India
    transaction: Section
    seller: Section
    buyer: Section
    ship_to: Section | None
    export: Section
    items: list[Section]
    totals: Section
    seller_state: str  # two digits, as are all states here
    buyer_state: str
    pos: str
    taxpayers: Taxpayers

    @property
    def is_domestic(self) -> bool:
        """B2B or deemed export: taxed by where supplier and place of supply are."""
        return self.supply not in EXPORTS | TO_SEZ

    @property
    def is_intra_state(self) -> bool:
        """Taxed with CGST and SGST."""
        return self.is_domestic and self.seller_state == self.pos and not self.igst_on_intra

    @property
    def igst_on_intra(self) -> bool:
        return self.transaction.get("IgstOnIntra") == "Y"

    @property
    def reverse_charge(self) -> bool:
        return self.transaction.get("RegRev") == "Y"

    @property
    def is_note(self) -> bool:
        return self.kind in {"CRN", "DBN"}


class Rule(msgspec.Struct, frozen=True):
    """One row of the law."""

    code: str
    says: str
    finds: Callable[[Case], Iterator[Values]]


def case_of(document: Section, *, today: date, taxpayers: Taxpayers) -> Case:
    """The document as the rules look at it."""
    return Case(
        supply=document["TranDtls"]["SupTyp"].upper(),
        kind=document["DocDtls"]["Typ"].upper(),
        dated=calendar_date(document["DocDtls"]["Dt"]),
        today=today,
        transaction=document["TranDtls"],
        seller=document["SellerDtls"],
        buyer=document["BuyerDtls"],
        ship_to=document.get("ShipDtls"),
        export=document.get("ExpDtls") or {},
        items=document["ItemList"],
        totals=document["ValDtls"],
        seller_state=document["SellerDtls"]["Stcd"].zfill(2),
        buyer_state=document["BuyerDtls"]["Stcd"].zfill(2),
        pos=document["BuyerDtls"]["Pos"].zfill(2),
        taxpayers=taxpayers,
    )


def breaches(case: Case) -> list[dict[str, str]]:
    """ErrorDetails for every breach of every rule, each said once, at most ERRORS_MAX; empty when all hold."""
    found = dict.fromkeys((rule.code, values) for rule in RULES for values in rule.finds(case))
    return [error(code, *values) for code, values in islice(found, ERRORS_MAX)]


def amount(section: Section, name: str) -> Decimal:
    """A number of the document, an int where it was sent without decimals; 0 when it was left out."""
    return section.get(name) or _ZERO


def agrees(given: Decimal, calculated: Decimal) -> bool:
    """The portal's tolerance: from floor(calculated) - 1 to ceil(calculated) + 1 (Masters India section 13).

    >>> agrees(Decimal("2347.00"), Decimal("2345.34")), agrees(Decimal("2347.01"), Decimal("2345.34"))
    (True, False)
    """
    return math.floor(calculated) - 1 <= given <= math.ceil(calculated) + 1


# -- parties and place -----------------------------------------------------------------------------------------------


def _unknown_gstins(case: Case) -> Iterator[Values]:
    for gstin in _gstins(case):
        if not case.taxpayers.find(gstin):
            yield (gstin,)


def _inactive_gstins(case: Case) -> Iterator[Values]:
    for gstin in _gstins(case):
        taxpayer = case.taxpayers.find(gstin)
        if taxpayer and taxpayer.status != "ACT":
            yield (gstin,)


def _gstins(case: Case) -> list[str]:
    ship_to = (case.ship_to or {}).get("Gstin")
    given = (case.seller["Gstin"], case.buyer["Gstin"], ship_to, case.transaction.get("EcmGstin"))
    return [gstin for gstin in given if gstin and gstin != UNREGISTERED]


def _sold_to_oneself(case: Case) -> Iterator[Values]:
    if case.seller["Gstin"] == case.buyer["Gstin"]:
        yield ()


def _unknown_seller_state(case: Case) -> Iterator[Values]:
    if case.seller_state not in STATES - {OTHER_COUNTRIES}:
        yield ()


def _unknown_buyer_state(case: Case) -> Iterator[Values]:
    if case.buyer_state not in STATES:
        yield ()


def _seller_state_of_another_gstin(case: Case) -> Iterator[Values]:
    if case.seller["Gstin"][:2] != case.seller_state:
        yield ()


def _buyer_state_of_another_gstin(case: Case) -> Iterator[Values]:
    if not _is_unregistered(case) and case.supply not in EXPORTS and case.buyer["Gstin"][:2] != case.buyer_state:
        yield ()


def _unregistered_buyer(case: Case) -> Iterator[Values]:
    if _is_unregistered(case) and case.supply not in EXPORTS | {"DEXP"}:
        yield (case.supply,)


def _unregistered_buyer_of_deemed_export(case: Case) -> Iterator[Values]:
    if _is_unregistered(case) and case.supply == "DEXP":
        yield ()


def _registered_buyer_of_export(case: Case) -> Iterator[Values]:
    if not _is_unregistered(case) and case.supply in EXPORTS:
        yield ()


def _is_unregistered(case: Case) -> bool:
    return bool(case.buyer["Gstin"] == UNREGISTERED)


def _export_to_a_buyer_in_india(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and case.buyer_state != OTHER_COUNTRIES:
        yield (case.supply,)


def _export_supplied_in_india(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and case.pos != OTHER_COUNTRIES:
        yield (case.supply,)


def _export_without_country(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and not case.export.get("CntCode"):
        yield ()


def _domestic_supply_abroad(case: Case) -> Iterator[Values]:
    if case.supply not in EXPORTS and case.pos == OTHER_COUNTRIES:
        yield (case.supply,)


def _no_place_of_supply(case: Case) -> Iterator[Values]:
    if case.supply not in EXPORTS and case.pos != OTHER_COUNTRIES and case.pos not in STATES - NO_PLACE_OF_SUPPLY:
        yield (case.supply,)


def _sez_buyer_of_another_supply(case: Case) -> Iterator[Values]:
    if case.is_domestic and case.taxpayers.kind_listed(case.buyer["Gstin"]) == "SEZ":
        yield (case.supply,)


def _buyer_not_in_a_sez(case: Case) -> Iterator[Values]:
    if case.supply in TO_SEZ and case.taxpayers.kind_listed(case.buyer["Gstin"]) not in {"SEZ", None}:
        yield (case.supply,)


def _buyer_without_pin(case: Case) -> Iterator[Values]:
    if case.buyer.get("Pin") is None:
        yield (case.supply,)


def _shipped_elsewhere(case: Case) -> Iterator[Values]:
    if case.supply == "B2B" and case.ship_to and case.ship_to["Stcd"].zfill(2) != case.pos:
        yield ()


def _reverse_charge_elsewhere(case: Case) -> Iterator[Values]:
    if case.reverse_charge and case.supply not in TO_SEZ | {"B2B"}:
        yield ()


def _igst_on_intra_between_states(case: Case) -> Iterator[Values]:
    if case.igst_on_intra and case.seller_state != case.pos:
        yield ()


# -- document --------------------------------------------------------------------------------------------------------


def _dated_in_the_future(case: Case) -> Iterator[Values]:
    if case.dated > case.today:
        yield ()


# -- items -----------------------------------------------------------------------------------------------------------


def _repeated_serial_numbers(case: Case) -> Iterator[Values]:
    numbers = [int(item["SlNo"]) for item in case.items]
    if len(set(numbers)) < len(numbers):
        yield ()


def _goods_as_service_or_reverse(case: Case) -> Iterator[Values]:
    for item in case.items:
        if _is_service(item) != item["HsnCd"].startswith("99"):
            yield (item["HsnCd"],)


def _unknown_units(case: Case) -> Iterator[Values]:
    for item in case.items:
        if item.get("Unit") and item["Unit"].upper() not in UNITS:
            yield (item["Unit"],)


def _goods_without_quantity(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not _is_service(item) and item.get("Qty") is None:
            yield (item["HsnCd"],)


def _goods_without_unit(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not _is_service(item) and not item.get("Unit"):
            yield (item["HsnCd"],)


def _is_service(item: Section) -> bool:
    return bool(item["IsServc"] == "Y")


def _unknown_rates(case: Case) -> Iterator[Values]:
    for item in case.items:
        if RATES.get(amount(item, "GstRt"), date.max) > case.dated:
            yield (item["HsnCd"],)


def _taxable_value_off(case: Case) -> Iterator[Values]:
    for item in case.items:
        if not agrees(amount(item, "AssAmt"), amount(item, "TotAmt") - amount(item, "Discount")):
            yield item["HsnCd"], item["SlNo"]


# -- tax -------------------------------------------------------------------------------------------------------------


def _igst_within_a_state(case: Case) -> Iterator[Values]:
    for item in case.items:
        if case.is_intra_state and amount(item, "IgstAmt"):
            yield (item["SlNo"],)


def _halves_between_states(case: Case) -> Iterator[Values]:
    for item in case.items:
        if case.is_domestic and not case.is_intra_state and _has_halves(item):
            yield (item["SlNo"],)


def _halves_in_export(case: Case) -> Iterator[Values]:
    for item in case.items:
        if case.supply in EXPORTS and _has_halves(item):
            yield (item["SlNo"],)


def _halves_to_a_sez(case: Case) -> Iterator[Values]:
    for item in case.items:
        if case.supply in TO_SEZ and _has_halves(item):
            yield (item["HsnCd"],)


def _has_halves(item: Section) -> bool:
    return bool(amount(item, "CgstAmt") or amount(item, "SgstAmt"))


def _unequal_halves(case: Case) -> Iterator[Values]:
    for item in case.items:
        if amount(item, "CgstAmt") != amount(item, "SgstAmt"):
            yield (item["HsnCd"],)


def _missing_halves(case: Case) -> Iterator[Values]:
    for item in _rated_items(case):
        if case.is_intra_state and not _has_halves(item) and not agrees(_ZERO, _half_of_tax(item)):
            yield (item["HsnCd"],)


def _halves_off(case: Case) -> Iterator[Values]:
    for item in _rated_items(case):
        half = _half_of_tax(item)
        if case.is_intra_state and _has_halves(item) and not (
            agrees(amount(item, "CgstAmt"), half) and agrees(amount(item, "SgstAmt"), half)
        ):  # fmt: skip
            yield (item["HsnCd"],)


def _half_of_tax(item: Section) -> Decimal:
    return amount(item, "AssAmt") * amount(item, "GstRt") / _TWO_HUNDRED


def _igst_off(case: Case) -> Iterator[Values]:
    for item in _rated_items(case):
        igst = amount(item, "IgstAmt")
        if case.is_intra_state or (case.supply in WITHOUT_PAYMENT and not igst):
            continue
        if not agrees(igst, _share(item, "GstRt")):
            yield (item["HsnCd"],)


def _cess_off(case: Case) -> Iterator[Values]:
    for item in _rated_items(case):
        if not agrees(amount(item, "CesAmt"), _share(item, "CesRt")):
            yield (item["HsnCd"],)


def _state_cess_off(case: Case) -> Iterator[Values]:
    for item in _rated_items(case):
        if not agrees(amount(item, "StateCesAmt"), _share(item, "StateCesRt")):
            yield (item["HsnCd"],)


def _share(item: Section, rate: str) -> Decimal:
    return amount(item, "AssAmt") * amount(item, rate) / _HUNDRED


def _rated_items(case: Case) -> list[Section]:
    """Those whose tax must follow from value and rate: not on notes, not where it follows from the retail price."""
    if case.is_note:
        return []
    retail = RETAIL_PRICED if case.dated >= RETAIL_PRICED_SINCE else ()
    return [item for item in case.items if not item["HsnCd"].startswith(retail)]


# -- totals ----------------------------------------------------------------------------------------------------------

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
    Rule("3028", "Every GSTIN is in the master: form, check digit, listed.", _unknown_gstins),
    Rule("3029", "Every GSTIN is active.", _inactive_gstins),
    Rule("2211", "Supplier and recipient are two.", _sold_to_oneself),
    Rule("2259", "The supplier's state is one of India.", _unknown_seller_state),
    Rule("2260", "The recipient's state has a code.", _unknown_buyer_state),
    Rule("2258", "The supplier's state is that of its GSTIN.", _seller_state_of_another_gstin),
    Rule("2265", "The recipient's state is that of its GSTIN, exports apart.", _buyer_state_of_another_gstin),
    Rule("2212", "B2C is not accepted: a recipient without GSTIN only at exports.", _unregistered_buyer),
    Rule("2171", "The recipient of a deemed export has a GSTIN.", _unregistered_buyer_of_deemed_export),
    Rule("2248", "The recipient of an export is URP.", _registered_buyer_of_export),
    Rule("2261", "The recipient of an export is in other countries, 96.", _export_to_a_buyer_in_india),
    Rule("2232", "The place of supply of an export is 96.", _export_supplied_in_india),
    Rule("2208", "An export names its country.", _export_without_country),
    Rule("2242", "Only exports are supplied in other countries.", _domestic_supply_abroad),
    Rule("2243", "The place of supply is a state; 25 is withdrawn.", _no_place_of_supply),
    Rule("2246", "A recipient in a SEZ is supplied as SEZWP or SEZWOP.", _sez_buyer_of_another_supply),
    Rule("2247", "SEZWP and SEZWOP are for recipients in a SEZ.", _buyer_not_in_a_sez),
    Rule("2244", "The recipient has a PIN code, whatever the schema says.", _buyer_without_pin),
    Rule("2245", "B2B goods are shipped to the place of supply.", _shipped_elsewhere),
    Rule("2162", "Reverse charge is for B2B and SEZ.", _reverse_charge_elsewhere),
    Rule("2262", "IGST on intra needs supplier and supply in one state.", _igst_on_intra_between_states),
    Rule("2163", "No document is dated after today, in India.", _dated_in_the_future),
    Rule("2233", "Serial numbers are unique.", _repeated_serial_numbers),
    Rule("2176", "Services have codes of chapter 99, goods have not.", _goods_as_service_or_reverse),
    Rule("2177", "A unit is one of the unit quantity codes.", _unknown_units),
    Rule("2238", "Goods have a quantity.", _goods_without_quantity),
    Rule("2239", "Goods have a unit.", _goods_without_unit),
    Rule("2240", "The rate is one of the GST rates of the document's day.", _unknown_rates),
    Rule("2193", "AssAmt = TotAmt - Discount.", _taxable_value_off),
    Rule("2172", "Within a state there is no IGST.", _igst_within_a_state),
    Rule("2174", "Between states there is no CGST and SGST.", _halves_between_states),
    Rule("2180", "Exports have no CGST and SGST.", _halves_in_export),
    Rule("2237", "Supplies to a SEZ have no CGST and SGST.", _halves_to_a_sez),
    Rule("2227", "CGST = SGST.", _unequal_halves),
    Rule("2241", "Within a state there are CGST and SGST.", _missing_halves),
    Rule("2234", "CGST = SGST = AssAmt * GstRt / 200.", _halves_off),
    Rule("2235", "IGST = AssAmt * GstRt / 100; 0 without payment.", _igst_off),
    Rule("2266", "CesAmt = AssAmt * CesRt / 100.", _cess_off),
    Rule("2267", "StateCesAmt = AssAmt * StateCesRt / 100.", _state_cess_off),
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

"""Which tax a line bears, and how much."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from irnflow.sandbox.law.case import EXPORTS, TO_SEZ, WITHOUT_PAYMENT, ZERO, Case, Rule, Section, Values, agrees, amount

# GSTN advisory of 23 Jan 2026: tax on the retail sale price, so tax no longer follows from the taxable value.
RETAIL_PRICED: Final = ("21069020", "2401", "2402", "2403", "24041100", "24041900")
RETAIL_PRICED_SINCE: Final = date(2026, 2, 1)
# Notification 19/2025-Central Tax (Rate), 31 Dec 2025: biris stay at 18 % of the transaction value.
BIRIS: Final = frozenset({"24031921", "24031929"})

_HUNDRED: Final = Decimal(100)  # to divide by: int by int would be a float
_TWO_HUNDRED: Final = Decimal(200)


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
        if case.is_intra_state and not _has_halves(item) and not agrees(ZERO, _half_of_tax(item)):
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
    return [item for item in case.items if item["HsnCd"] in BIRIS or not item["HsnCd"].startswith(retail)]


RULES: Final = (
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
)

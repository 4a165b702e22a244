"""How lines and document add up, with the portal's tolerance."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from irnflow.gst import supply
from irnflow.gst.calculate import SUMS
from irnflow.gst.faults import Severity
from irnflow.gst.invoice import Item
from irnflow.gst.money import ZERO, agrees, rounded
from irnflow.gst.rules.case import Case, Line
from irnflow.gst.rules.row import Finder, Place, Rule, at, in_each_line

_BUSINESS: Final = "NIC business validations; tolerance of Masters India section 13 and ClearTax"


def _gross_off(line: Line) -> Place | None:
    item = line.item
    if item.qty is None or item.unit_price is None or item.tot_amt is None or not line.adds_up:
        return None
    due = item.qty * item.unit_price
    return None if agrees(item.tot_amt, due) else at(line.path + "TotAmt", found=item.tot_amt, due=rounded(due))


def _taxable_value_off(line: Line) -> Place | None:
    item = line.item
    if item.ass_amt is None or item.tot_amt is None or not line.adds_up:
        return None
    due = item.tot_amt - (item.discount or ZERO)
    return None if agrees(item.ass_amt, due) else at(line.path + "AssAmt", found=item.ass_amt, due=rounded(due))


def _line_total_off(line: Line) -> Place | None:
    item, case = line.item, line.case
    if item.ass_amt is None or item.tot_item_val is None or not line.adds_up:
        return None
    untaxed, cesses = item.ass_amt + (item.oth_chrg or ZERO), _cesses(item)
    due = untaxed + _gst(item) + cesses
    if agrees(item.tot_item_val, due):
        return None
    # Whether cess is tax here no source says, so both are taken.
    if supply.may_leave_out_tax(case.transaction) and (
        agrees(item.tot_item_val, untaxed) or agrees(item.tot_item_val, untaxed + cesses)
    ):
        return None
    return at(line.path + "TotItemVal", found=item.tot_item_val, due=rounded(due))


def _gst(item: Item) -> Decimal:
    return (item.igst_amt or ZERO) + (item.cgst_amt or ZERO) + (item.sgst_amt or ZERO)


def _cesses(item: Item) -> Decimal:
    return _sum((item.ces_amt, item.ces_non_advl_amt, item.state_ces_amt, item.state_ces_non_advl_amt))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum(filter(None, amounts), ZERO)


def _sum_off(name: str, inv01_name: str) -> Finder:
    """A total of the document that isn't the sum of its lines."""
    path = f"ValDtls.{inv01_name}"

    def finds(case: Case) -> Iterator[Place]:
        if path in case.ill or not case.adds_up:
            return
        given = getattr(case.totals, name) or ZERO
        due = sum([_sum(case.columns[part]) for part in SUMS[name]], ZERO)
        if not agrees(given, due):
            yield at(path, found=given, due=rounded(due))

    return finds


def _invoice_value_off(case: Case) -> Iterator[Place]:
    totals = case.totals
    if totals.tot_inv_val is None or not case.adds_up or any(path.startswith("ValDtls.") for path in case.ill):
        return
    amounts = case.columns["tot_item_val"]
    if None in amounts:
        return
    due = _sum(amounts) - (totals.discount or ZERO) + (totals.oth_chrg or ZERO) + (totals.rnd_off_amt or ZERO)
    if not agrees(totals.tot_inv_val, due):
        yield at("ValDtls.TotInvVal", found=totals.tot_inv_val, due=rounded(due))


def _discount_of_all(case: Case) -> Iterator[Place]:
    discount, total = case.totals.discount, case.totals.tot_inv_val
    if (
        discount
        and total is not None
        and not case.ill & {"ValDtls.Discount", "ValDtls.TotInvVal"}
        and discount >= total
    ):
        yield at("ValDtls.Discount", found=discount, total=total)


def _over_nothing(case: Case) -> Iterator[Place]:
    total = case.totals.tot_inv_val
    if case.is_note and total is not None and not total and not any(line.item.ass_amt for line in case.lines):
        yield at("ValDtls.TotInvVal", what="credit" if case.document.typ == "CRN" else "debit")


def _sum_rule(code: str, what: str, name: str, inv01_name: str, portal_code: str) -> Rule:
    return Rule(
        code=code,
        says=f"The total {what} is {{found}}; the lines add up to {{due}}.",
        fix="Correct the total, or the line that is wrong.",
        fix_hi="योग, या जो मद गलत है उसे ठीक करें।",
        source=_BUSINESS,
        finds=_sum_off(name, inv01_name),
        portal_code=portal_code,
    )


ROWS: Final = (
    Rule(
        code="line.gross",
        says="The line's gross amount is {found}; quantity times price is {due}.",
        fix="Look whether quantity, price and amount belong together.",
        fix_hi="देखें कि मात्रा, मूल्य और राशि आपस में मेल खाते हैं या नहीं।",
        source=_BUSINESS + "; reported as withdrawn for the time being",
        finds=in_each_line(_gross_off),
        portal_code="2192",
        severity=Severity.WARNING,
    ),
    Rule(
        code="line.taxable_value",
        says="The line's taxable value is {found}; gross amount less discount is {due}.",
        fix="Correct the taxable value, the gross amount or the discount.",
        fix_hi="कर योग्य मूल्य, सकल राशि या छूट ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_taxable_value_off),
        portal_code="2193",
    ),
    Rule(
        code="line.total",
        says="The line's total is {found}; taxable value, taxes, cesses and other charges add up to {due}.",
        fix="Correct the total, or the amount that is wrong.",
        fix_hi="योग, या जो राशि गलत है उसे ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_line_total_off),
        portal_code="2194",
    ),
    _sum_rule("totals.taxable_value", "taxable value", "ass_val", "AssVal", "2182"),
    _sum_rule("totals.sgst", "SGST", "sgst_val", "SgstVal", "2183"),
    _sum_rule("totals.cgst", "CGST", "cgst_val", "CgstVal", "2184"),
    _sum_rule("totals.igst", "IGST", "igst_val", "IgstVal", "2185"),
    _sum_rule("totals.cess", "cess", "ces_val", "CesVal", "2186"),
    _sum_rule("totals.state_cess", "state cess", "st_ces_val", "StCesVal", "2187"),
    Rule(
        code="totals.invoice_value",
        says="The invoice value is {found}; lines - discount + other charges + round-off are {due}.",
        fix="Correct the invoice value, or the amount that is wrong.",
        fix_hi="इनवॉइस का कुल मूल्य, या जो राशि गलत है उसे ठीक करें।",
        source=_BUSINESS,
        finds=_invoice_value_off,
        portal_code="2189",
    ),
    Rule(
        code="totals.discount",
        says="The discount of {found} is no less than the invoice value, {total}.",
        fix="Correct the discount, or give it line by line.",
        fix_hi="छूट ठीक करें, या उसे हर मद में अलग से दें।",
        source=_BUSINESS,
        finds=_discount_of_all,
        portal_code="2220",
    ),
    Rule(
        code="totals.nothing",
        says="The {what} note is over nothing: its lines and its total are 0.",
        fix="Give the amount by which the price changes as unit price, with a quantity that is not 0.",
        fix_hi="मूल्य में जितना बदलाव हुआ है उसे इकाई मूल्य में लिखें, और मात्रा 0 न रखें।",
        source="CGST Act, section 34: a note is over an amount; no code of the portal is published",
        finds=_over_nothing,
        severity=Severity.WARNING,
    ),
)

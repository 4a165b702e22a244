"""Which tax a line bears, and how much."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from irnflow.gst import hsn, supply
from irnflow.gst.money import PERCENT, ZERO, agrees, rounded
from irnflow.gst.rules.case import Case, Line
from irnflow.gst.rules.row import Clock, Finder, Place, Rule, at, in_each_line
from irnflow.gst.supply import Tax

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"
_RETAIL_PRICE: Final = "GSTN advisory of 23 January 2026 on goods valued by retail sale price"
_HALF_PERCENT: Final = PERCENT / 2


def _halves(line: Line) -> bool:
    return bool(line.item.cgst_amt or line.item.sgst_amt)


def _halves_where(applies: Callable[[Case], bool]) -> Finder:
    """CGST or SGST on supplies that bear IGST only."""

    def find(line: Line) -> Place | None:
        if not _halves(line) or not line.adds_up or not applies(line.case):
            return None
        return at(line.path + ("CgstAmt" if line.item.cgst_amt else "SgstAmt"), sl_no=line.number)

    return in_each_line(find)


def _between_states(case: Case) -> bool:
    return case.tax is Tax.IGST and not case.is_export and case.sup_typ not in supply.TO_SEZ


def _igst_within_a_state(line: Line) -> Place | None:
    if line.case.tax is not Tax.CGST_SGST or not line.item.igst_amt or not line.adds_up:
        return None
    return at(line.path + "IgstAmt", found=line.item.igst_amt, sl_no=line.number)


def _half(line: Line) -> Decimal | None:
    """CGST due, and SGST, each; None where that can't be told."""
    if line.case.tax is not Tax.CGST_SGST or line.base is None:
        return None
    return line.base * (line.item.gst_rt or ZERO) * _HALF_PERCENT


def _missing_halves(line: Line) -> Place | None:
    due = _half(line)
    if due is None or _halves(line) or line.item.igst_amt or agrees(ZERO, due):
        return None
    return at(line.path + "CgstAmt", sl_no=line.number, due=rounded(due))


def _unequal_halves(line: Line) -> Place | None:
    item = line.item
    cgst, sgst = item.cgst_amt or ZERO, item.sgst_amt or ZERO
    if line.case.tax is not Tax.CGST_SGST or not line.adds_up or cgst == sgst:
        return None
    return at(line.path + "SgstAmt", cgst=cgst, sgst=sgst, sl_no=line.number)


def _halves_off(line: Line) -> Place | None:
    due, cgst = _half(line), line.item.cgst_amt
    if due is None or not cgst or cgst != line.item.sgst_amt or agrees(cgst, due):
        return None
    return at(line.path + "CgstAmt", found=cgst, due=rounded(due), sl_no=line.number)


def _igst_off(line: Line) -> Place | None:
    if line.case.tax is not Tax.IGST or line.base is None or _halves(line):
        return None
    igst, due = line.item.igst_amt or ZERO, line.base * (line.item.gst_rt or ZERO) * PERCENT
    if agrees(igst, due) or (not igst and line.case.sup_typ in supply.WITHOUT_PAYMENT):
        return None
    return at(line.path + "IgstAmt", found=igst, due=rounded(due), sl_no=line.number)


def _retail_priced_without_tax(line: Line) -> Place | None:
    item = line.item
    if line.case.tax is None or not item.gst_rt or not hsn.is_retail_priced(item.hsn_cd or "", line.case.judged):
        return None
    given = (item.igst_amt, item.cgst_amt, item.sgst_amt)
    if line.case.sup_typ in supply.WITHOUT_PAYMENT or any(amount is not None for amount in given):
        return None
    path = "IgstAmt" if line.case.tax is Tax.IGST else "CgstAmt"
    return at(line.path + path, hsn=item.hsn_cd)


def _cess_off(line: Line) -> Place | None:
    return _off(line, "CesAmt", line.item.ces_amt, line.item.ces_rt)


def _state_cess_off(line: Line) -> Place | None:
    return _off(line, "StateCesAmt", line.item.state_ces_amt, line.item.state_ces_rt)


def _off(line: Line, name: str, given: Decimal | None, rate: Decimal | None) -> Place | None:
    if line.base is None or not (given or rate):
        return None
    found, due = given or ZERO, line.base * (rate or ZERO) * PERCENT
    return None if agrees(found, due) else at(line.path + name, found=found, due=rounded(due), sl_no=line.number)


ROWS: Final = (
    Rule(
        code="tax.halves_between_states",
        says="Line {sl_no} has CGST or SGST, but the supply is between states.",
        fix="Charge IGST instead, or correct the place of supply.",
        fix_hi="इसकी जगह IGST लगाएँ, या आपूर्ति का स्थान ठीक करें।",
        source=_BUSINESS,
        finds=_halves_where(_between_states),
        portal_code="2174",
    ),
    Rule(
        code="tax.halves_on_export",
        says="Line {sl_no} has CGST or SGST, but it is exported.",
        fix="Charge IGST instead, or none under bond or LUT.",
        fix_hi="इसकी जगह IGST लगाएँ; बॉन्ड या LUT पर कोई कर नहीं।",
        source=_BUSINESS,
        finds=_halves_where(lambda case: case.is_export),
        portal_code="2180",
    ),
    Rule(
        code="tax.halves_to_sez",
        says="Line {sl_no} has CGST or SGST, but a supply to an SEZ is always one between states.",
        fix="Charge IGST instead, or none under bond or LUT.",
        fix_hi="इसकी जगह IGST लगाएँ; बॉन्ड या LUT पर कोई कर नहीं।",
        source=_BUSINESS,
        finds=_halves_where(lambda case: case.sup_typ in supply.TO_SEZ),
        portal_code="2237",
    ),
    Rule(
        code="tax.igst_within_a_state",
        says="Line {sl_no} has IGST of {found}, but supplier and place of supply are in one state.",
        fix="Charge CGST and SGST instead, correct the place of supply, or say that it is IGST on intra.",
        fix_hi="इसकी जगह CGST और SGST लगाएँ, आपूर्ति का स्थान ठीक करें, या राज्य के भीतर IGST (IgstOnIntra) को Y करें।",
        source=_BUSINESS,
        finds=in_each_line(_igst_within_a_state),
        portal_code="2172",
    ),
    Rule(
        code="tax.halves_missing",
        says="Line {sl_no} lacks CGST and SGST of {due} each.",
        fix="Fill both in.",
        fix_hi="दोनों भरें।",
        source=_BUSINESS,
        finds=in_each_line(_missing_halves),
        portal_code="2241",
    ),
    Rule(
        code="tax.halves_unequal",
        says="Line {sl_no} has CGST of {cgst}, but SGST of {sgst}.",
        fix="Both are half of the tax, to the paisa.",
        fix_hi="दोनों को कर का ठीक आधा रखें, पैसे तक बराबर।",
        source=_BUSINESS,
        finds=in_each_line(_unequal_halves),
        portal_code="2227",
    ),
    Rule(
        code="tax.halves_amount",
        says="Line {sl_no} has CGST and SGST of {found} each; taxable value times half the rate is {due}.",
        fix="Correct the tax, the rate or the taxable value.",
        fix_hi="कर, दर या कर योग्य मूल्य ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_halves_off),
        portal_code="2234",
    ),
    Rule(
        code="tax.igst_amount",
        says="Line {sl_no} has IGST of {found}; taxable value times rate is {due}.",
        fix="Correct the tax, the rate or the taxable value.",
        fix_hi="कर, दर या कर योग्य मूल्य ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_igst_off),
        portal_code="2235",
    ),
    Rule(
        code="tax.retail_price",
        says="HSN {hsn} is taxed on its retail sale price, so the tax can't be worked out here, and none is given.",
        fix="Fill in the tax: retail sale price * rate / (100 + rate).",
        fix_hi="कर भरें: खुदरा बिक्री मूल्य * दर / (100 + दर)।",
        source=_RETAIL_PRICE,
        finds=in_each_line(_retail_priced_without_tax),
        since=hsn.RETAIL_PRICED_SINCE,
        clock=Clock.DATED,
    ),
    Rule(
        code="cess.amount",
        says="Line {sl_no} has cess of {found}; taxable value times its rate is {due}.",
        fix="Correct the cess or its rate; cess by quantity goes into CesNonAdvlAmt.",
        fix_hi="उपकर या उसकी दर ठीक करें; मात्रा पर लगने वाला उपकर CesNonAdvlAmt में लिखें।",
        source=_BUSINESS,
        finds=in_each_line(_cess_off),
        portal_code="2266",
    ),
    Rule(
        code="state_cess.amount",
        says="Line {sl_no} has state cess of {found}; taxable value times its rate is {due}.",
        fix="Correct the state cess or its rate; cess by quantity goes into StateCesNonAdvlAmt.",
        fix_hi="राज्य उपकर या उसकी दर ठीक करें; मात्रा पर लगने वाला उपकर StateCesNonAdvlAmt में लिखें।",
        source=_BUSINESS,
        finds=in_each_line(_state_cess_off),
        portal_code="2267",
    ),
)

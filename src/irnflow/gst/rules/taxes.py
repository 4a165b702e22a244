"""Which tax a line bears, and how much."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from irnflow.gst import dates, hsn, rates, supply
from irnflow.gst.faults import Severity
from irnflow.gst.money import PAISA, PERCENT, ZERO, agrees, rounded
from irnflow.gst.rules.case import Case, Line
from irnflow.gst.rules.row import Clock, Finder, Place, Rule, at, in_each_line
from irnflow.gst.supply import Tax

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"
_RETAIL_PRICE: Final = "GSTN advisory of 23 January 2026 on goods valued by retail sale price"
_HALF_PERCENT: Final = PERCENT / 2
_RATE_OF_TOBACCO: Final = Decimal(40)  # leaves and biris never bear it


def _halves(line: Line) -> bool:
    return bool(line.item.cgst_amt or line.item.sgst_amt)


def _halves_where(applies: Callable[[Case], bool]) -> Finder:
    """CGST or SGST on supplies that bear IGST only."""

    def find(line: Line) -> Place | None:
        if not _halves(line) or not line.adds_up:
            return None
        return at(line.path + ("CgstAmt" if line.item.cgst_amt else "SgstAmt"), sl_no=line.number)

    return in_each_line(find, where=applies)


def _bears_igst(case: Case) -> bool:
    return case.tax is Tax.IGST


def _bears_halves(case: Case) -> bool:
    return case.tax is Tax.CGST_SGST


def _between_states(case: Case) -> bool:
    return case.tax is Tax.IGST and not case.is_export and case.sup_typ not in supply.TO_SEZ


def _igst_within_a_state(line: Line) -> Place | None:
    if not line.item.igst_amt or not line.adds_up:
        return None
    return at(line.path + "IgstAmt", found=line.item.igst_amt, sl_no=line.number)


def _half(line: Line) -> Decimal | None:
    """CGST due, and SGST, each; None where that can't be told."""
    if line.base is None:
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
    if not line.adds_up or cgst == sgst:
        return None
    return at(line.path + "SgstAmt", cgst=cgst, sgst=sgst, sl_no=line.number)


def _halves_off(line: Line) -> Place | None:
    due, cgst = _half(line), line.item.cgst_amt
    if due is None or not cgst or cgst != line.item.sgst_amt or agrees(cgst, due):
        return None
    return at(line.path + "CgstAmt", found=cgst, due=rounded(due), sl_no=line.number)


def _igst_off(line: Line) -> Place | None:
    if line.base is None or _halves(line):
        return None
    igst, due = line.item.igst_amt or ZERO, line.base * (line.item.gst_rt or ZERO) * PERCENT
    if agrees(igst, due) or (not igst and line.case.sup_typ in supply.WITHOUT_PAYMENT):
        return None
    return at(line.path + "IgstAmt", found=igst, due=rounded(due), sl_no=line.number)


def _retail_priced_without_tax(case: Case) -> Iterator[Place]:
    if case.tax is None or case.judged < hsn.RETAIL_PRICED_SINCE or case.sup_typ in supply.WITHOUT_PAYMENT:
        return
    name = "IgstAmt" if case.tax is Tax.IGST else "CgstAmt"
    for line in case.lines:
        item = line.item
        taxes = (item.igst_amt, item.cgst_amt, item.sgst_amt)
        untaxed = not any(taxes) and (taxes == (None, None, None) or bool(item.ass_amt and not case.is_note))
        if untaxed and item.gst_rt and hsn.is_retail_priced(item.hsn_cd or "", case.judged):
            yield at(line.path + name, hsn=item.hsn_cd)


def _value_or_retail_price(case: Case) -> Iterator[Place]:
    """Leaves or biris whose tax is not that of their value: it is right only if they are other tobacco."""
    for line in case.lines if not case.is_note else ():
        item = line.item
        if not hsn.may_be_taxed_on_value(item.hsn_cd or "") or item.ass_amt is None or not line.rate_holds:
            continue
        given = (item.igst_amt or ZERO) + (item.cgst_amt or ZERO) + (item.sgst_amt or ZERO)
        due = item.ass_amt * (item.gst_rt or ZERO) * PERCENT
        unpaid = not given and case.sup_typ in supply.WITHOUT_PAYMENT
        if item.gst_rt != _RATE_OF_TOBACCO and not unpaid and not agrees(given, due):
            yield at(line.path + "AssAmt", found=given, due=due.quantize(PAISA), hsn=item.hsn_cd, sl_no=line.number)


def _cess_ended(case: Case) -> Iterator[Place]:
    """A note bears the cess of the supply that it corrects, which may be one of before."""
    for line in case.lines if not case.is_note else ():
        item = line.item
        if not (item.ces_rt or item.ces_amt or item.ces_non_advl_amt) or not line.adds_up:
            continue
        since = rates.cess_ended(case.judged, item.hsn_cd or "missing")
        if since:
            name = "CesRt" if item.ces_rt else "CesAmt" if item.ces_amt else "CesNonAdvlAmt"
            yield at(line.path + name, sl_no=line.number, since=dates.write(since))


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
        finds=in_each_line(_igst_within_a_state, where=_bears_halves),
        portal_code="2172",
    ),
    Rule(
        code="tax.halves_missing",
        says="Line {sl_no} lacks CGST and SGST of {due} each.",
        fix="Fill both in.",
        fix_hi="दोनों भरें।",
        source=_BUSINESS,
        finds=in_each_line(_missing_halves, where=_bears_halves),
        portal_code="2241",
    ),
    Rule(
        code="tax.halves_unequal",
        says="Line {sl_no} has CGST of {cgst}, but SGST of {sgst}.",
        fix="Both are half of the tax, to the paisa.",
        fix_hi="दोनों को कर का ठीक आधा रखें, पैसे तक बराबर।",
        source=_BUSINESS,
        finds=in_each_line(_unequal_halves, where=_bears_halves),
        portal_code="2227",
    ),
    Rule(
        code="tax.halves_amount",
        says="Line {sl_no} has CGST and SGST of {found} each; taxable value times half the rate is {due}.",
        fix="Correct the tax, the rate or the taxable value.",
        fix_hi="कर, दर या कर योग्य मूल्य ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_halves_off, where=_bears_halves),
        portal_code="2234",
    ),
    Rule(
        code="tax.igst_amount",
        says="Line {sl_no} has IGST of {found}; taxable value times rate is {due}.",
        fix="Correct the tax, the rate or the taxable value.",
        fix_hi="कर, दर या कर योग्य मूल्य ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_igst_off, where=_bears_igst),
        portal_code="2235",
    ),
    Rule(
        code="tax.retail_price",
        says="HSN {hsn} is taxed on its retail sale price, so the tax can't be worked out here, and none is given.",
        fix="Fill in the tax: retail sale price * rate / (100 + rate).",
        fix_hi="कर भरें: खुदरा बिक्री मूल्य * दर / (100 + दर)।",
        source=_RETAIL_PRICE,
        finds=_retail_priced_without_tax,
        since=hsn.RETAIL_PRICED_SINCE,
        clock=Clock.DATED,
    ),
    Rule(
        code="tax.tobacco_leaves",
        says="Line {sl_no}, HSN {hsn}, has tax of {found}; taxable value times rate is {due}.",
        fix="Tobacco leaves and biris are taxed on their value: correct the tax if the goods are these. Other tobacco "
        "is taxed on its retail sale price.",
        fix_hi="तंबाकू के पत्तों और बीड़ी पर कर उनके मूल्य पर लगता है: माल ऐसा हो तो कर ठीक करें। अन्य तंबाकू पर कर खुदरा बिक्री मूल्य पर "
        "लगता है।",
        source="Notifications 19 and 20/2025-Central Tax of 31 December 2025",
        finds=_value_or_retail_price,
        severity=Severity.WARNING,
        since=hsn.RETAIL_PRICED_SINCE,
        clock=Clock.DATED,
    ),
    Rule(
        code="cess.ended",
        says="Line {sl_no} has compensation cess, which ended for these goods on {since}.",
        fix="Leave the cess out. It is right only for a supply made before that day; a cess of the state has its own "
        "fields.",
        fix_hi="उपकर हटा दें। यह केवल उस दिन से पहले की आपूर्ति के लिए सही है; राज्य के उपकर के लिए अलग फ़ील्ड हैं।",
        source="Notification 2/2025-Compensation Cess (Rate): nil from 22 September 2025 but for tobacco and pan "
        "masala; 3/2025: nil for all from 1 February 2026",
        finds=_cess_ended,
        severity=Severity.WARNING,
        since=rates.FIRST_END,
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

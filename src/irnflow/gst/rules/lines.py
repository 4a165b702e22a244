"""What each line is about: serial number, HSN, quantity, unit, rate."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from irnflow.gst import countries, dates, hsn, rates, supply, units
from irnflow.gst.faults import Severity
from irnflow.gst.money import written
from irnflow.gst.rules.case import Case, Line
from irnflow.gst.rules.row import Clock, Place, Rule, at, in_each_line

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"
_TARIFF_OF_2024: Final = date(2024, 10, 1)
_RATE_OF_RETAIL_PRICED: Final = Decimal(40)
_TAXED: Final = supply.DOMESTIC | {"SEZWP", "EXPWP"}


def _repeated_serial_numbers(case: Case) -> Iterator[Place]:
    seen: set[str] = set()
    for line in case.lines:
        number = line.item.sl_no
        if number in seen:
            yield at(line.path + "SlNo", found=number)
        elif number is not None:
            seen.add(number)


def _short_hsn(line: Line) -> Place | None:
    code = line.item.hsn_cd
    if code is None or len(code) not in {4, 6, 8}:
        return None
    least = hsn.digits_at_least(line.case.facts.turnover_crore)
    return at(line.path + "HsnCd", found=code, least=least) if len(code) < least else None


def _service_or_goods(line: Line) -> Place | None:
    code, is_servc = line.item.hsn_cd, line.item.is_servc
    if code is None or is_servc not in {"Y", "N"} or hsn.is_service(code) == (is_servc == "Y"):
        return None
    return at(line.path + "IsServc", found=is_servc, hsn=code, kind="a service" if hsn.is_service(code) else "goods")


def _unlisted_hsn(line: Line) -> Place | None:
    code = line.item.hsn_cd
    if code is None or hsn.is_listed(code) or len(code) not in {4, 6, 8}:
        return None
    head, lines = hsn.nearest(code)
    return at(line.path + "HsnCd", found=code, head=head, lines=hsn.some(lines))


def _dropped_hsn(case: Case) -> Iterator[Place]:
    dropped = hsn.dropped_on(case.judged)
    for line in case.lines:
        code = line.item.hsn_cd
        if code in dropped:
            since, instead = dates.write(dropped[code].since), hsn.some(dropped[code].instead)
            yield at(line.path + "HsnCd", found=code, since=since, instead=instead)


def _short_of_retail_priced(case: Case) -> Iterator[Place]:
    """A head of retail-priced goods and others, at their rate."""
    for line in case.lines:
        code = line.item.hsn_cd
        if code and len(code) < 8 and line.rate_holds and line.item.gst_rt == _RATE_OF_RETAIL_PRICED:
            within = hsn.retail_priced_within(code)
            if within:
                yield at(line.path + "HsnCd", found=code, lines=hsn.some(within))


def _goods_without_quantity(line: Line) -> Place | None:
    if line.item.is_servc != "N" or line.item.qty is not None:
        return None
    return at(line.path + "Qty", hsn=line.item.hsn_cd or "missing")


def _goods_without_unit(line: Line) -> Place | None:
    if line.item.is_servc != "N" or line.item.unit is not None:
        return None
    return at(line.path + "Unit", hsn=line.item.hsn_cd or "missing")


def _unlisted_unit(line: Line) -> Place | None:
    item = line.item
    if item.unit is None or item.is_servc == "Y" or units.is_listed(item.unit) or line.path + "Unit" in line.case.ill:
        return None
    return at(line.path + "Unit", found=item.unit)


def _unlisted_unit_of_a_service(case: Case) -> Iterator[Place]:
    for line in case.lines:
        unit = line.item.unit
        if line.item.is_servc != "Y" or unit is None or units.is_listed(unit) or line.path + "Unit" in case.ill:
            continue
        yield at(line.path + "Unit", found=unit)


def _unlisted_origin(line: Line) -> Place | None:
    code = line.item.org_cntry
    if code is None or countries.is_listed(code) or line.path + "OrgCntry" in line.case.ill:
        return None
    return at(line.path + "OrgCntry", found=code)


def _no_rate(line: Line) -> Place | None:
    rate = line.item.gst_rt
    if rate is None or line.rate_holds or not line.adds_up:
        return None
    return at(line.path + "GstRt", found=written(rate, 0), dated=line.case.document.dt)


def _ended_rate(case: Case) -> Iterator[Place]:
    """A note bears the rate of the supply that it corrects, which may be one of before."""
    ending = rates.ending(case.judged) if not case.is_note else ()
    for line in case.lines:
        rate, code = line.item.gst_rt, line.item.hsn_cd or "missing"
        if rate is not None and line.rate_holds and rate in ending and line.item.is_servc != "Y":
            since = rates.ended(rate, case.judged, code)
            if since:
                yield at(line.path + "GstRt", found=written(rate, 0), hsn=code, since=dates.write(since))


def _wholly_exempt(case: Case) -> Iterator[Place]:
    if case.lines and case.sup_typ in _TAXED and all(_is_nil(line) for line in case.lines):
        yield at("ItemList")


def _nil_without_payment(case: Case) -> Iterator[Place]:
    """One warning for all: where nobody filled in the rates, none is filled in."""
    nil = [line for line in case.lines if _is_nil(line)] if case.sup_typ in supply.WITHOUT_PAYMENT else []
    if nil:
        yield at(nil[0].path + "GstRt", count=len(nil), lines=len(case.lines))


def _is_nil(line: Line) -> bool:
    return line.adds_up and line.item.gst_rt is not None and not line.item.gst_rt


ROWS: Final = (
    Rule(
        code="line.number_repeated",
        says="Serial number {found} stands on more than one line.",
        fix="Number the lines 1, 2, 3 ...",
        fix_hi="मदों को 1, 2, 3 ... क्रमांक दें।",
        source=_BUSINESS,
        finds=_repeated_serial_numbers,
        portal_code="2233",
    ),
    Rule(
        code="hsn.digits",
        says="HSN {found} has too few digits; above 5 crore of turnover it needs {least}.",
        fix="Give the HSN with 6 or 8 digits.",
        fix_hi="HSN 6 या 8 अंकों में दें।",
        source="Notification 78/2020; held by the portal since 15 December 2023 (GSTN advisory)",
        finds=in_each_line(_short_hsn),
        portal_code="2176",
        since=date(2023, 12, 15),
    ),
    Rule(
        code="hsn.service",
        says="HSN {hsn} is {kind}, but IsServc is {found}.",
        fix="Codes that start with 99 are services (Y), all others goods (N).",
        fix_hi="99 से शुरू होने वाले कोड सेवा (Y) हैं, बाकी सब माल (N); उसी के अनुसार IsServc या HSN ठीक करें।",
        source=_BUSINESS,
        finds=in_each_line(_service_or_goods),
        portal_code="2176",
    ),
    Rule(
        code="hsn.unlisted",
        says="Our list has no HSN {found}. Of {head} it has: {lines}.",
        fix="Use the code that fits the goods, as the tariff has it. The portal refuses a code that its list has only "
        "as the beginning of longer ones, and may refuse others.",
        fix_hi="टैरिफ़ के अनुसार माल का सही कोड लिखें। जो कोड पोर्टल की सूची में केवल लंबे कोडों की शुरुआत के रूप में है, उसे पोर्टल "
        "अस्वीकार करता है; दूसरे कोड भी अस्वीकार हो सकते हैं।",
        source=_BUSINESS + "; refusals of 521211, 630411 and 391520 in May and July 2025",
        finds=in_each_line(_unlisted_hsn),
        portal_code="2176",
        severity=Severity.WARNING,
    ),
    Rule(
        code="hsn.dropped",
        says="HSN {found} left the tariff on {since}; in its place there are: {instead}.",
        fix="Use the new code that fits the goods. The portal may refuse the old one.",
        fix_hi="माल के अनुसार नया कोड लिखें। पोर्टल पुराना कोड अस्वीकार कर सकता है।",
        source="Finance (No. 2) Act 2024, tariff lines from 1 October 2024",
        finds=_dropped_hsn,
        portal_code="2176",
        severity=Severity.WARNING,
        since=_TARIFF_OF_2024,
        clock=Clock.DATED,
    ),
    Rule(
        code="hsn.retail_priced_short",
        says="HSN {found} at 40 % may stand for goods taxed on their retail sale price; their codes are {lines}.",
        fix="Write pan masala as 21069020, and tobacco goods of 2404 as 24041100 or 24041900: with fewer digits the "
        "portal compares the tax with the taxable value.",
        fix_hi="पान मसाला 21069020 लिखें, और 2404 के तंबाकू उत्पाद 24041100 या 24041900: कम अंक हों तो पोर्टल कर को कर योग्य "
        "मूल्य से मिलाता है।",
        source="GSTN advisory of 23 January 2026 on goods valued by retail sale price",
        finds=_short_of_retail_priced,
        severity=Severity.WARNING,
        since=hsn.RETAIL_PRICED_SINCE,
        clock=Clock.DATED,
    ),
    Rule(
        code="quantity.missing",
        says="Goods (HSN {hsn}) without a quantity.",
        fix="Fill in the quantity.",
        fix_hi="मात्रा भरें।",
        source=_BUSINESS,
        finds=in_each_line(_goods_without_quantity),
        portal_code="2238",
    ),
    Rule(
        code="unit.missing",
        says="Goods (HSN {hsn}) without a unit.",
        fix="Fill in the unit, as NOS or KGS; OTH for units that have no code.",
        fix_hi="इकाई भरें, जैसे NOS या KGS; जिस इकाई का कोड नहीं है उसके लिए OTH।",
        source=_BUSINESS,
        finds=in_each_line(_goods_without_unit),
        portal_code="2239",
    ),
    Rule(
        code="unit.unlisted",
        says="{found} is not a unit of the portal's list.",
        fix="Use a unit quantity code, as NOS or KGS; OTH for units that have none.",
        fix_hi="मानक इकाई कोड लिखें, जैसे NOS या KGS; जिस इकाई का कोड नहीं है उसके लिए OTH।",
        source=_BUSINESS,
        finds=in_each_line(_unlisted_unit),
        portal_code="2177",
    ),
    Rule(
        code="unit.unlisted_service",
        says="{found} is not a unit of the portal's list.",
        fix="Leave the unit of a service out, or use OTH. The portal may refuse another.",
        fix_hi="सेवा की इकाई खाली छोड़ें, या OTH लिखें। दूसरी इकाई को पोर्टल अस्वीकार कर सकता है।",
        source=_BUSINESS + ": the unit is asked for of goods",
        finds=_unlisted_unit_of_a_service,
        portal_code="2177",
        severity=Severity.WARNING,
    ),
    Rule(
        code="line.country_unlisted",
        says="Our list has no country {found} for goods to come from.",
        fix="Look whether it is right; the portal may refuse it.",
        fix_hi="देख लें कि यह सही है या नहीं; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=in_each_line(_unlisted_origin),
        portal_code="2202",
        severity=Severity.WARNING,
    ),
    Rule(
        code="rate.unknown",
        says="There is no GST rate of {found} % for documents dated {dated}.",
        fix="Give the full rate: that of IGST, or CGST and SGST together.",
        fix_hi="पूरी दर दें: IGST की, या CGST और SGST दोनों मिलाकर।",
        source="IRIS release note: 0, 0.1, 0.25, 1, 1.5, 3, 5, 6, 7.5, 12, 18, 28; 40 from 21 September 2025",
        finds=in_each_line(_no_rate),
        portal_code="2240",
    ),
    Rule(
        code="rate.ended",
        says="The rate of {found} % ended for goods of HSN {hsn} on {since}.",
        fix="Look up the rate of today. It is right only for a supply made before that day (CGST Act, section 14).",
        fix_hi="आज की दर देखें। यह दर केवल उस दिन से पहले की आपूर्ति के लिए सही है (CGST अधिनियम, धारा 14)।",
        source="Notification 14/2025-Central Tax (Rate): 12 % for bricks and tiles only; 28 % for tobacco and pan "
        "masala until 31 January 2026, then for nothing",
        finds=_ended_rate,
        severity=Severity.WARNING,
        since=rates.FIRST_END,
        clock=Clock.DATED,
    ),
    Rule(
        code="rate.wholly_exempt",
        says="The rate is 0 % on all lines: a wholly exempt or nil-rated supply.",
        fix="Such a supply needs a bill of supply, not an e-invoice. If it is taxable, fill in the rates: the portal "
        "would register it as it is, and report it as zero rated.",
        fix_hi="ऐसी आपूर्ति के लिए ई-इनवॉइस नहीं, बिल ऑफ़ सप्लाई बनता है। यदि यह कर योग्य है, तो दरें भरें: पोर्टल इसे ऐसे ही "
        "शून्य दर की आपूर्ति के रूप में पंजीकृत कर देगा।",
        source="frappe/erpnext #50998, india-compliance #4218: a bill of supply, which the portal takes as zero rated",
        finds=_wholly_exempt,
        severity=Severity.WARNING,
    ),
    Rule(
        code="rate.nil_without_payment",
        says="The rate is 0 % on {count} of {lines} lines, in a supply without payment of tax.",
        fix="Fill in the rate that the goods or services bear; the tax stays 0. Leave 0 % where they are exempt.",
        fix_hi="माल या सेवा की असली दर भरें; कर 0 ही रहेगा। छूट वाली मदों में 0 % रहने दें।",
        source="INV-01: the rate is that of the supply; under bond or LUT only its payment is left out",
        finds=_nil_without_payment,
        severity=Severity.WARNING,
    ),
)

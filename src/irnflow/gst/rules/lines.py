"""What each line is about: serial number, HSN, quantity, unit, rate."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from irnflow.gst import countries, hsn, units
from irnflow.gst.faults import Severity
from irnflow.gst.money import written
from irnflow.gst.rules.case import Case, Line
from irnflow.gst.rules.row import Place, Rule, at, in_each_line

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"


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
    if code is None or len(code) not in {4, 6, 8} or hsn.is_listed(code):
        return None
    return at(line.path + "HsnCd", found=code)


def _goods_without_quantity(line: Line) -> Place | None:
    if line.item.is_servc != "N" or line.item.qty is not None:
        return None
    return at(line.path + "Qty", hsn=line.item.hsn_cd)


def _goods_without_unit(line: Line) -> Place | None:
    if line.item.is_servc != "N" or line.item.unit is not None:
        return None
    return at(line.path + "Unit", hsn=line.item.hsn_cd)


def _unlisted_unit(line: Line) -> Place | None:
    unit = line.item.unit
    if unit is None or units.is_listed(unit) or line.path + "Unit" in line.case.ill:
        return None
    return at(line.path + "Unit", found=unit)


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
        says="Our list has no HSN {found}.",
        fix="Look it up in the tariff; a code cut from a longer one is often none. The portal may refuse it.",
        fix_hi="टैरिफ़ में देखें; लंबे कोड को काटकर बनाया गया कोड अक्सर मान्य नहीं होता। पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=in_each_line(_unlisted_hsn),
        portal_code="2176",
        severity=Severity.WARNING,
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
        says="{found} is no unit of the portal's list.",
        fix="Use a unit quantity code, as NOS or KGS; OTH for units that have none.",
        fix_hi="मानक इकाई कोड लिखें, जैसे NOS या KGS; जिस इकाई का कोड नहीं है उसके लिए OTH।",
        source=_BUSINESS,
        finds=in_each_line(_unlisted_unit),
        portal_code="2177",
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
)

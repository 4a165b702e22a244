"""When the document is dated, and what period it is of."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from irnflow.gst import dates
from irnflow.gst.faults import Severity
from irnflow.gst.rules.case import Case
from irnflow.gst.rules.row import FOR_EVER, Finder, Place, Rule, at


def _dated_in_the_future(case: Case) -> Iterator[Place]:
    if case.dated is not None and case.dated > case.facts.day:
        yield at("DocDtls.Dt", found=case.document.dt, day=dates.write(case.facts.day))


def _too_late(turnover_crore: Decimal) -> Finder:
    """Reported after 30 days by a supplier of at least this turnover."""

    def finds(case: Case) -> Iterator[Place]:
        if case.dated is None or case.dated < dates.OLDEST or case.facts.turnover_crore < turnover_crore:
            return
        last = dates.last_day_to_report(case.dated)
        if case.facts.day > last:
            yield at("DocDtls.Dt", found=case.document.dt, last=dates.write(last), day=dates.write(case.facts.day))

    return finds


def _too_old(case: Case) -> Iterator[Place]:
    if case.dated is not None and case.dated < dates.OLDEST:
        yield at("DocDtls.Dt", found=case.document.dt, oldest=dates.write(dates.OLDEST))


def _period_reversed(case: Case) -> Iterator[Place]:
    period = case.invoice.ref_dtls and case.invoice.ref_dtls.doc_perd_dtls
    if not period or not period.inv_st_dt or not period.inv_end_dt:
        return
    first, last = dates.parse(period.inv_st_dt), dates.parse(period.inv_end_dt)
    if first and last and first > last:
        yield at("RefDtls.DocPerdDtls.InvEndDt", first=period.inv_st_dt, last=period.inv_end_dt)


def _preceding_in_the_future(case: Case) -> Iterator[Place]:
    references = case.invoice.ref_dtls
    for number, preceding in enumerate((references and references.prec_doc_dtls) or ()):
        dated = dates.parse(preceding.inv_dt or "")
        if dated is not None and dated > case.facts.day:
            path = f"RefDtls.PrecDocDtls[{number}].InvDt"
            yield at(path, found=preceding.inv_dt, day=dates.write(case.facts.day))


def _limit_rule(code: str, turnover_crore: Decimal, source: str, since: date, until: date = FOR_EVER) -> Rule:
    return Rule(
        code=code,
        says="The document is dated {found}; it could be reported until {last}, today is {day}.",
        fix="Your turnover binds you to 30 days. Ask your tax adviser: it can't be registered with this date any more.",
        fix_hi="आपके टर्नओवर पर 30 दिन की सीमा लागू है। इस तारीख के साथ अब यह पंजीकृत नहीं हो सकता: अपने कर सलाहकार से पूछें।",
        source=source,
        finds=_too_late(turnover_crore),
        portal_code="2305",
        since=since,
        until=until,
        daily=True,
    )


ROWS: Final = (
    Rule(
        code="document.future",
        says="The document is dated {found}, after today, {day}.",
        fix="Correct the date, or send it on its day.",
        fix_hi="तारीख ठीक करें, या इसे उसी दिन भेजें।",
        source="NIC error list, 2163 in its current use",
        finds=_dated_in_the_future,
        portal_code="2163",
    ),
    _limit_rule(
        "document.too_late_100_crore",
        Decimal(100),
        "GSTN advisory of 13 September 2023: from 100 crore of turnover",
        date(2023, 11, 1),
        date(2025, 3, 31),
    ),
    _limit_rule(
        "document.too_late",
        Decimal(10),
        "GSTN advisory of 5 November 2024: from 10 crore of turnover",
        date(2025, 4, 1),
    ),
    Rule(
        code="document.too_old",
        says="The document is dated {found}, before {oldest}.",
        fix="The portal does not take documents of that age.",
        fix_hi="पोर्टल इतने पुराने दस्तावेज़ नहीं लेता; अपने कर सलाहकार से पूछें।",
        source="NIC release notes; Masters India section 13",
        finds=_too_old,
        since=dates.OLDEST,
    ),
    Rule(
        code="period.reversed",
        says="The period of the document ends on {last}, before it starts on {first}.",
        fix="Exchange or correct the two dates.",
        fix_hi="दोनों तारीखें आपस में बदलें या ठीक करें।",
        source="NIC business validations",
        finds=_period_reversed,
        portal_code="2219",
    ),
    Rule(
        code="preceding.future",
        says="The preceding document is dated {found}, after today, {day}.",
        fix="Correct the date of the document that this one refers to; the portal may refuse it.",
        fix_hi="जिस दस्तावेज़ का यह हवाला देता है उसकी तारीख ठीक करें; पोर्टल इसे अस्वीकार कर सकता है।",
        source="NIC error list, 2218",
        finds=_preceding_in_the_future,
        portal_code="2218",
        severity=Severity.WARNING,
    ),
)

"""When the document is dated, and what period it is of."""

from collections.abc import Iterator
from typing import Final

from irnflow.gst import dates
from irnflow.gst.rules.case import Case
from irnflow.gst.rules.row import Place, Rule, at


def _dated_in_the_future(case: Case) -> Iterator[Place]:
    if case.dated is not None and case.dated > case.facts.day:
        yield at("DocDtls.Dt", found=case.document.dt, day=dates.write(case.facts.day))


def _too_late(case: Case) -> Iterator[Place]:
    if case.dated is None or case.dated < dates.OLDEST:
        return
    last = dates.last_day_to_report(case.dated, case.facts.turnover_crore, case.facts.day)
    if last is not None and case.facts.day > last:
        yield at("DocDtls.Dt", found=case.document.dt, last=dates.write(last), day=dates.write(case.facts.day))


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


ROWS: Final = (
    Rule(
        code="document.future",
        says="The document is dated {found}, after today, {day}.",
        fix="Correct the date, or send it on its day.",
        source="NIC error list, 2163 in its current use",
        finds=_dated_in_the_future,
        portal_code="2163",
    ),
    Rule(
        code="document.too_late",
        says="The document is dated {found}; it could be reported until {last}, today is {day}.",
        fix="Your turnover binds you to 30 days. Ask your tax adviser: it can't be registered with this date any more.",
        source="GSTN advisories of 13 September 2023 (100 crore) and 5 November 2024 (10 crore)",
        finds=_too_late,
        portal_code="2305",
        since=dates.REPORTED_IN_TIME[0][1],
        daily=True,
    ),
    Rule(
        code="document.too_old",
        says="The document is dated {found}, before {oldest}.",
        fix="The portal does not take documents of that age.",
        source="NIC release notes; Masters India section 13",
        finds=_too_old,
        since=dates.OLDEST,
    ),
    Rule(
        code="period.reversed",
        says="The period of the document ends on {last}, before it starts on {first}.",
        fix="Exchange or correct the two dates.",
        source="NIC business validations",
        finds=_period_reversed,
        portal_code="2219",
    ),
)

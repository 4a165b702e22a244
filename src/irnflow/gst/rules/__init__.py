"""The rules of e-invoicing, each one row.

    faults = check(invoice, facts)      # all of them, refusals and warnings

The third of four passes: the invoice has been normalised and calculated. A row is dated, and says by which clock: most
changes hold from a day of sending on, whatever the date of the document; some follow the document, so that last year's
invoice is judged by last year's law. `pack` gives the rules for both days; rates are dated in a list of their own.
A rule that the portal announced and put on hold stays in the table with `on_hold`. `Facts.held_rules` applies all of
those; one that comes back loses its `on_hold` and gets its new day in `since`.
To add a rule: a row in the file it belongs to, a document that breaks it in `tests/gst/test_rules.py`, docs/law.md,
docs/agreement.md and `examples.csv` made anew, and where it is dated a line in docs/law-calendar.md.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from irnflow.gst import dates
from irnflow.gst.facts import TURNOVER_NOT_SAID, Facts
from irnflow.gst.faults import Fault
from irnflow.gst.invoice import EwayBill, Invoice
from irnflow.gst.rules import document, eway_bill, lines, parties, shape, supplies, taxes, totals
from irnflow.gst.rules.case import Case, case_of
from irnflow.gst.rules.row import ALWAYS, FOR_EVER, Clock, Rule

__all__ = [
    "CHAPTERS",
    "FAULTS_MAX",
    "RULES",
    "TURNOVER_NOT_SAID",
    "Facts",
    "Rule",
    "RulePack",
    "check",
    "check_eway_bill",
    "pack",
    "pack_for",
]

# What each file's rules are about, and its rows.
CHAPTERS: Final[tuple[tuple[str, tuple[Rule, ...]], ...]] = tuple(
    ((module.__doc__ or "").partition("\n")[0].rstrip("."), module.ROWS)
    for module in (shape, parties, supplies, document, lines, taxes, totals, eway_bill)
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for _, rows in CHAPTERS for rule in rows)
Chapter: TypeAlias = tuple[Callable[[Case], bool], tuple[Rule, ...]]  # which invoices it is about, and its rules
# Chapters that can find nothing in most invoices, and in which they can.
_CONCERNS: Final[dict[tuple[Rule, ...], Callable[[Case], bool]]] = {
    shape.ROWS: shape.concerns,
    eway_bill.ROWS: eway_bill.concerns,
}
FAULTS_MAX: Final = 1000  # told of one invoice: of a thousand lines all wrong, more would help nobody


class RulePack(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for documents of one time, sent at one time."""

    name: str  # since when exactly these hold, by day of sending and by date of document: "2025-04-01/2026-02-01"
    chapters: tuple[Chapter, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of them, in the order of the table."""
        return tuple(rule for _, rules in self.chapters for rule in rules)

    def check(self, invoice: Invoice, facts: Facts) -> list[Fault]:
        """Everything wrong or doubtful, in the order of the table; at most FAULTS_MAX. Empty for a sound invoice."""
        return _faults(self.chapters, case_of(invoice, facts))

    def check_again(self, invoice: Invoice, facts: Facts) -> list[Fault]:
        """What waiting may have broken, in an invoice that passed on an earlier day."""
        return _faults(self.chapters, case_of(invoice, facts), daily=True)


def check(invoice: Invoice, facts: Facts) -> list[Fault]:
    """Everything wrong or doubtful in an invoice, by the rules of its date and of the day it is sent on."""
    return pack_for(invoice, facts).check(invoice, facts)


def check_eway_bill(registered: Invoice, bill: EwayBill, facts: Facts) -> list[Fault]:
    """What speaks against an e-way bill that is asked for by IRN, of an invoice that is registered."""
    invoice = msgspec.structs.replace(registered, ewb_dtls=bill)
    chapters = [chapter for chapter in pack_for(invoice, facts).chapters if chapter[0] is eway_bill.concerns]
    return _faults(chapters, case_of(invoice, facts))


def pack_for(invoice: Invoice, facts: Facts) -> RulePack:
    """The rules for this invoice; one without a date is judged by those of the day it is sent on."""
    dated = invoice.doc_dtls and invoice.doc_dtls.dt and dates.parse(invoice.doc_dtls.dt)
    return pack(facts.day, dated or facts.day, held_rules=facts.held_rules)


@lru_cache(maxsize=1024)
def pack(sent: date, dated: date, *, held_rules: bool = False) -> RulePack:
    """The rules in force for a document of this date, sent on this day; on request also those that are on hold."""
    return RulePack(
        name=f"{_since(Clock.SENT, sent)}/{_since(Clock.DATED, dated)}" + ("+held" if held_rules else ""),
        chapters=tuple(
            (
                _CONCERNS.get(rows, _all),
                tuple(rule for rule in rows if rule.is_in_force(sent, dated, held_rules=held_rules)),
            )
            for _, rows in CHAPTERS
        ),
    )


def _since(clock: Clock, day: date) -> str:
    """The last change of the rules up to this day, or - when there was none yet."""
    rules = [rule for rule in RULES if rule.clock is clock and rule.on_hold is None]
    ends = [rule.until + timedelta(days=1) for rule in rules if rule.until < FOR_EVER]
    changes = [change for change in (*(rule.since for rule in rules), *ends) if ALWAYS < change <= day]
    return max(changes).isoformat() if changes else "-"


def _faults(chapters: Iterable[Chapter], case: Case, *, daily: bool = False) -> list[Fault]:
    found: list[Fault] = []
    for concerns, rules in chapters:
        for rule in rules if concerns(case) else ():
            if daily and not rule.daily:
                continue
            for path, shown in rule.finds(case):
                found.append(rule.fault(path, **shown))
                if len(found) == FAULTS_MAX:
                    return found
    case.lines.clear()  # they point back at the case: so no garbage waits for a collector
    return found


def _all(case: Case) -> bool:
    return True

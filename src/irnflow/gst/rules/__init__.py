"""The rules of e-invoicing, each one row; `pack(day)` gives those that the portal holds on a day of sending.

    faults = pack(facts.day).check(invoice, facts)      # all of them, refusals and warnings

The third of four passes: the invoice has been normalised and calculated. What changes with the date of the document
(rates) is dated in its own list; what changes with the day of sending is dated on the row. To add a rule: a row in the
file it belongs to, a document that breaks it in `tests/gst/test_rules.py`, and docs/law.md made anew.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from irnflow.gst.faults import Fault
from irnflow.gst.invoice import Invoice
from irnflow.gst.rules import document, lines, parties, shape, supplies, taxes, totals
from irnflow.gst.rules.case import TURNOVER_NOT_SAID, Facts, case_of
from irnflow.gst.rules.row import Rule

__all__ = ["CHAPTERS", "FAULTS_MAX", "RULES", "TURNOVER_NOT_SAID", "Facts", "Rule", "RulePack", "pack"]

# What each file's rules are about, and its rows.
CHAPTERS: Final[tuple[tuple[str, tuple[Rule, ...]], ...]] = tuple(
    ((module.__doc__ or "").partition("\n")[0].rstrip("."), module.ROWS)
    for module in (shape, parties, supplies, document, lines, taxes, totals)
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for _, rows in CHAPTERS for rule in rows)
FAULTS_MAX: Final = 1000  # told of one invoice: of a thousand lines all wrong, more would help nobody


class RulePack(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force on a day of sending."""

    name: str  # the day since which exactly these are in force, as "2026-08-01"
    rules: tuple[Rule, ...]

    def check(self, invoice: Invoice, facts: Facts) -> list[Fault]:
        """Everything wrong or doubtful, in the order of the table; at most FAULTS_MAX. Empty for a sound invoice."""
        return _faults(self.rules, invoice, facts)

    def check_again(self, invoice: Invoice, facts: Facts) -> list[Fault]:
        """What waiting may have broken, in an invoice that passed on an earlier day."""
        return _faults(tuple(rule for rule in self.rules if rule.daily), invoice, facts)


@lru_cache(maxsize=64)
def pack(day: date) -> RulePack:
    """The rules in force when an invoice is sent on this day."""
    in_force = tuple(rule for rule in RULES if rule.is_in_force(day))
    starts = [rule.since for rule in RULES]
    ends = [rule.until + timedelta(days=1) for rule in RULES if rule.until < date.max]
    since = max(change for change in (date.min, *starts, *ends) if change <= day)
    return RulePack(name=since.isoformat(), rules=in_force)


def _faults(rules: tuple[Rule, ...], invoice: Invoice, facts: Facts) -> list[Fault]:
    case = case_of(invoice, facts)
    found: list[Fault] = []
    for rule in rules:
        for place in rule.finds(case):
            found.append(rule.fault(place))
            if len(found) == FAULTS_MAX:
                return found
    return found

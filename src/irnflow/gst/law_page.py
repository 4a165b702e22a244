"""docs/law.md, made from the table of rules: `python -m irnflow.gst.law_page > docs/law.md`."""

import sys
from collections.abc import Iterator
from string import Formatter

from irnflow.gst.document_number import UPPER_CASE_SINCE
from irnflow.gst.faults import Severity
from irnflow.gst.rates import introduced
from irnflow.gst.rules import CHAPTERS, RULES, Rule
from irnflow.gst.rules.row import ALWAYS, FOR_EVER, Clock

_HEAD = """\
# The law that irnflow checks

Made from the table of rules by `python -m irnflow.gst.law_page > docs/law.md`; a test holds it to the table.

{refused} rules refuse an invoice, {warned} only warn. All faults of an invoice are told at once, each with its place.
Rules with a day *from* or *until* (that day included) are judged by the day of sending or, where *dated* stands beside
it, by the date of the document: last year's invoice is judged by last year's rules. {held} rules are *on hold* since
the day beside them: announced or once in force, not applied today, and kept for the day they come back.
`irnflow explain hsn.digits` shows one rule with an example. What changed when, and where to look for what changes next:
[law-calendar.md](law-calendar.md).
Words in italics stand for what is found in an invoice. *Portal* is the code that the portal would answer with.
The fields themselves, their lengths and patterns: `src/irnflow/gst/codes/inv01_fields.csv`. The code lists and their
sources: `src/irnflow/gst/codes/README.md`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    held = sum(rule.on_hold is not None for rule in RULES)
    warned = sum(rule.severity is Severity.WARNING and rule.on_hold is None for rule in RULES)
    yield _HEAD.format(refused=len(RULES) - warned - held, warned=warned, held=held).rstrip()
    for about, rows in CHAPTERS:
        yield from ("", f"## {about}", "")
        yield from (
            "| rule | portal | what is wrong | what to do | क्या करें | source | from | until |",
            "|---|---" * 4 + "|",
        )
        for rule in rows:
            yield _row(rule)
    yield from _changes()


def _changes() -> Iterator[str]:
    """What holds since a day: rules, rates, and how a number goes into the IRN; newest first."""
    rules = [(rule.since.isoformat(), f"`{rule.code}`") for rule in RULES if rule.since > ALWAYS and not rule.on_hold]
    held = [(rule.on_hold.isoformat(), f"`{rule.code}` is on hold: not applied") for rule in RULES if rule.on_hold]
    rates = [(day.isoformat(), f"a rate of {rate} %, by the date of the document") for day, rate in introduced()]
    yield from ("", "## What changed when", "", "| from | what |", "|---|---|")
    yield f"| financial year {UPPER_CASE_SINCE} | the IRN is of the number in upper case; irnflow writes it so always |"
    held.append(
        ("2026-07-29", "2324 and 4074, of e-way bills made by IRN, are on hold: only the sandbox portal has them")
    )
    for since, what in sorted(rules + held + rates, reverse=True):
        yield f"| {since} | {what} |"


def _row(rule: Rule) -> str:
    warning = " *(warning)*" if rule.severity is Severity.WARNING else ""
    clock = " dated" if rule.clock is Clock.DATED else ""
    since = "" if rule.since == ALWAYS else rule.since.isoformat() + clock
    until = "" if rule.until == FOR_EVER else rule.until.isoformat() + clock
    if rule.on_hold is not None:
        since = f"*on hold* {rule.on_hold.isoformat()}"
    cells = (
        f"`{rule.code}`{warning}", rule.portal_code or "", _sentence(rule.says), rule.fix, rule.fix_hi, rule.source,
        since, until,
    )  # fmt: skip
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _sentence(text: str) -> str:
    """With what is found in italics: `{found}` becomes *found*."""
    return "".join(literal + (f"*{name}*" if name else "") for literal, name, _, _ in Formatter().parse(text))


if __name__ == "__main__":
    sys.stdout.write(page())

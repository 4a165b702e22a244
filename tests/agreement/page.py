"""docs/agreement.md, made from the corpus."""

from collections.abc import Iterator
from itertools import groupby

from irnflow.gst.examine import Examined
from irnflow.gst.faults import Severity
from tests.agreement.corpus import BROKEN_ONES, SOUND_ONES, Entry
from tests.agreement.erpnext import DECIDED, DIFFERS, Sale, codes, sales
from tests.agreement.judges import EXPLAINED, FOLLOWS
from tests.golden import GOLDEN

_HEAD = """\
# What irnflow and the sandbox portal say of the same documents

Made by `python -m tests.agreement > docs/agreement.md`; tests hold this page and what it says.

irnflow's rules (`src/irnflow/gst/rules/`, [law.md](law.md)) and the sandbox's (`src/irnflow/sandbox/law/`) were written
apart from the same published facts and share no code, so that one mistake cannot pass both. The same documents go
before both. What irnflow passes without a remark, the sandbox registers. What the sandbox refuses, irnflow refused with
the same code, or warned of. What irnflow refuses with a code, the sandbox refuses with it.

Beside the documents below, each golden invoice is broken in every place in six ways, and invoices are made up at
random. Nothing was tried against a live portal: where the published facts are wrong, both are.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip()
    yield from ("", "## Sound documents", "")
    yield (
        f"{len(GOLDEN)} golden invoices ([examples](../examples/README.md)) and {len(SOUND_ONES) - len(GOLDEN)} of the "
        "rules' own tests: both accept every one."
    )
    yield from ("", "## Broken in one place", "")
    yield from ("| broken rule | irnflow | portal code | sandbox | the same |", "|---|---|---|---|---|")
    for rule, entries in groupby(BROKEN_ONES, key=lambda entry: entry.name):
        yield from dict.fromkeys(_row(rule, entry) for entry in entries)
    yield from ("", "## Where they differ, and why", "")
    yield from ("| rule | why |", "|---|---|")
    for rule, (_, why) in EXPLAINED.items():
        yield f"| `{rule}` | {why} |"
    yield from ("", "irnflow tells a fault once, where it is; the portal also tells what follows from it:", "")
    yield from ("| of | follows | because |", "|---|---|---|")
    for code, (others, why) in FOLLOWS.items():
        yield f"| {code} | {', '.join(sorted(others))} | {why} |"
    yield from _erpnext()


_ERPNEXT = """
## Vouchers of a real ERPNext

Sales invoices entered in ERPNext 15.71.1 with the app India Compliance 15.13.5, everything in them invented
(`tests/agreement/erpnext.json`). The app built an INV-01 of each; irnflow checks that, as `irnflow check FILE` does,
and the same voucher as irnflow reads it from ERPNext's tables, as `irnflow check --books` does. Both are checked as
sent on 30 November 2026 by a supplier of 10 crore or more. *Fields*: in how many the document that irnflow sends is not
the app's, with the reason below.

| voucher | the app's INV-01 | the voucher | fields |
|---|---|---|---|"""


def _erpnext() -> Iterator[str]:
    yield from _ERPNEXT.split("\n")
    yield from map(_sale, sales())
    yield from ("", "| finding | why |", "|---|---|")
    yield from (f"| `{code}` | {why} |" for code, why in DECIDED.items())
    yield from ("", "| fields of | why they differ |", "|---|---|")
    yield from (f"| {name} | {why} |" for name, why in DIFFERS.items())


def _sale(sale: Sale) -> str:
    app = _said(sale.of_the_app) if sale.app else "builds none"
    cells = (f"{sale.name}: {sale.shows}", app, _said(sale.of_the_books), str(len(sale.differences) or ""))
    return f"| {' | '.join(cells)} |"


def _said(examined: Examined | None) -> str:
    assert examined
    found = ", ".join(f"`{code}`" for code in codes(examined))
    return f"{'refuses' if examined.refusals else 'warns' if found else 'passes'} {found}".rstrip()


def _row(rule: str, entry: Entry) -> str:
    judged = entry.judged
    said = judged.refusals | judged.warnings
    refuses = any(fault.severity is Severity.REFUSED for fault in judged.faults)
    cells = (
        f"`{rule}`",
        "refuses" if refuses else "warns",
        ", ".join(sorted(said)),
        "refuses" if judged.codes else "no e-way bill" if judged.no_bill else "accepts",
        _verdict(rule, judged.codes | judged.no_bill, said),
    )
    return f"| {' | '.join(cells)} |"


def _verdict(rule: str, codes: frozenset[str], said: frozenset[str]) -> str:
    if rule in EXPLAINED:
        return "no, see below"
    return "yes" if codes == said else f"yes, and what follows: {', '.join(sorted(codes - said))}"

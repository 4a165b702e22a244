"""docs/agreement.md, made from the corpus."""

from collections.abc import Iterator
from itertools import groupby

from irnflow.gst.faults import Severity
from tests.agreement.corpus import BROKEN_ONES, SOUND_ONES, Entry
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

"""What irnflow passes, the sandbox portal registers; what the sandbox refuses, irnflow refused with the same code."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from examples.send import send
from irnflow.gst.examine import examine
from irnflow.gst.invoice import Invoice
from irnflow.sandbox.app import running
from tests.agreement.corpus import BROKEN_ONES, SOUND_ONES, Entry, mutations
from tests.agreement.judges import EXPLAINED, FOLLOWS, judge
from tests.agreement.page import page
from tests.golden import FOLDER, GOLDEN, Golden, a_thousand_lines, facts_of

PAGE = Path(__file__).parent.parent.parent / "docs" / "agreement.md"
UNSHOWABLE = re.compile(r"\bNone\b|\dE[+-]|\d\.\d*0{3}|\d\.\d00\b")
REGISTERED_ON = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize("entry", SOUND_ONES, ids=lambda entry: entry.name)
def test_both_accept_what_is_sound(entry: Entry) -> None:
    judged = entry.judged

    assert (judged.faults, judged.codes, judged.no_bill) == ([], set(), set())


@pytest.mark.parametrize("entry", BROKEN_ONES, ids=lambda entry: f"{entry.name}-{entry.path}")
def test_both_refuse_a_broken_rule_with_the_same_code(entry: Entry) -> None:
    assert entry.differences == []


@pytest.mark.parametrize(
    "golden", [golden for golden in GOLDEN if len(golden.document["ItemList"]) < 10], ids=lambda golden: golden.name
)
def test_both_say_the_same_of_every_change_in_a_golden_invoice(golden: Golden) -> None:
    assert list(disagreements(golden)) == []


def disagreements(golden: Golden) -> Iterator[tuple[str, list[str]]]:
    for entry in mutations(golden):
        with suppress(msgspec.ValidationError):  # no INV-01 at all: nothing that anybody could send
            if differences := entry.differences:
                yield entry.name, differences


@pytest.mark.parametrize("entry", BROKEN_ONES, ids=lambda entry: f"{entry.name}-{entry.path}")
def test_a_message_shows_numbers_as_people_write_them(entry: Entry) -> None:
    said = [fault.says for fault in entry.judged.faults]

    assert [sentence for sentence in said if UNSHOWABLE.search(sentence)] == []


@pytest.mark.parametrize("golden", GOLDEN[::5], ids=lambda golden: golden.name)
def test_so_does_one_of_a_changed_golden_invoice(golden: Golden) -> None:
    assert [sentence for sentence in told_of_mutations(golden) if UNSHOWABLE.search(sentence)] == []


def told_of_mutations(golden: Golden) -> Iterator[str]:
    for entry in mutations(golden):
        with suppress(msgspec.ValidationError):
            examined = examine(msgspec.convert(entry.document, Invoice), entry.facts)
            yield from (fault.says for fault in (*entry.judged.faults, *examined.refusals, *examined.warnings))


def test_both_accept_a_thousand_lines() -> None:
    document = a_thousand_lines()

    judged = judge(document, facts_of(document))

    assert (judged.faults, judged.codes) == ([], set())


def test_both_refuse_one_line_more() -> None:
    document = a_thousand_lines()
    document["ItemList"].append(document["ItemList"][0] | {"SlNo": "1001"})

    assert judge(document, facts_of(document)).codes == {"2173"}
    assert judge(document, facts_of(document)).differences == []


def test_both_accept_as_many_lines_as_the_portal_allows_the_supplier() -> None:
    document = a_thousand_lines()
    facts = msgspec.structs.replace(facts_of(document), lines_max=1001)
    document["ItemList"].append(document["ItemList"][0] | {"SlNo": "1001"})

    assert "2173" not in judge(document, facts).codes
    assert judge(document, facts).differences == []


def test_no_explanation_is_idle() -> None:
    broken = {entry.name: entry.judged for entry in BROKEN_ONES}

    idle = [rule for rule in EXPLAINED if broken[rule].codes == broken[rule].refusals | broken[rule].warnings
            and all(fault.portal_code for fault in broken[rule].faults)]  # fmt: skip

    assert idle == []
    assert FOLLOWS.keys() - {code for judged in broken.values() for code in judged.refusals} == set()


def test_the_page_of_agreements_is_current() -> None:
    assert page() == PAGE.read_text(encoding="utf-8")


async def test_a_running_sandbox_that_knows_their_taxpayers_registers_all_golden_invoices(tmp_path: Path) -> None:
    (tmp_path / "taxpayers.json").write_bytes((FOLDER / "taxpayers.json").read_bytes())

    async with running(tmp_path, clock=lambda: REGISTERED_ON) as address:
        told = {name: answer async for name, answer in send(address, tmp_path)}

    assert told.keys() == {golden.name for golden in GOLDEN}
    assert [answer for answer in told.items() if len(answer[1]) != 64] == []

"""What `irnflow explain` prints, and how it ends."""

import io
import json
import re
import sys
from collections.abc import Sequence

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from irnflow.cli import irnflow, main
from irnflow.gst import calculate, fold, normalise
from irnflow.gst.hindi import kinds
from irnflow.gst.portal_codes import PortalClass, catalogue
from irnflow.gst.rules import RULES
from irnflow.local import explain


def shown(*names: str) -> str:
    console = Console(file=io.StringIO(), width=400)
    found = [explain.found(name) for name in names]
    explain.show(console, [one for one in found if one is not None])
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(irnflow, ["explain", *arguments], standalone_mode=False)


def of(result: Result) -> Sequence[dict[str, object]]:
    decoded: list[dict[str, object]] = json.loads(result.stdout)
    return decoded


def test_a_code_is_told_with_the_portals_text_its_meaning_and_what_to_do() -> None:
    printed = shown("2182")

    assert "2182 · DATA" in printed
    assert "“Taxable value of all items must be equal to total taxable value”" in printed
    assert "The document's total taxable value is not the sum of its lines' taxable value." in printed
    assert "never sends these contents again" in printed
    assert "Correct the total (AssVal), or the line that is wrong (AssAmt)." in printed
    assert "कर योग्य मूल्य" in printed
    assert "find it before anything is sent: totals.taxable_value" in printed


def test_a_text_that_is_no_quotation_is_not_given_as_one() -> None:
    assert "portal says PIN code does not belong to the state; its own words are not known" in shown("3039")
    assert "portal says Supplier GSTIN should be of type Regular or SED; its own words" in shown("2300")


@pytest.mark.parametrize("pasted", ["sys_5001", " SYS_5001 ", "portal.SYS_5001"])
def test_a_code_is_found_as_people_paste_it(pasted: str) -> None:
    assert explain.found(pasted) is catalogue()["SYS_5001"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_of_ours_is_told_with_its_source_and_in_hindi_too(rule: explain.Rule) -> None:
    printed = shown(rule.code)

    assert f"{rule.code} · code of irnflow" in printed
    assert rule.source in printed
    assert rule.fix_hi in printed


def test_what_a_rule_finds_in_an_invoice_stands_in_angle_brackets() -> None:
    assert "The total taxable value is <found>; the lines add up to <due>." in shown("totals.taxable_value")


def test_a_rule_that_holds_from_a_day_on_tells_the_day_and_the_portals_code() -> None:
    printed = shown("EWAY_BILL.document_old")

    assert "in force for documents sent from 2025-01-01 on" in printed
    assert "would answer 4043: `irnflow explain 4043`" in printed


def test_a_rule_on_hold_says_so_and_since_when() -> None:
    printed = shown("ship_to.is_recipient")

    assert "irnflow does not apply this rule today" in printed
    assert (
        "in force not at present: on hold since 2026-07-29, and not applied; "
        "it was to hold for documents sent from 2026-08-01 on"
    ) in printed
    assert "why GSTN advisories of 20 May and 17 June 2026 on the ship-to GSTIN" in printed
    assert "see also docs/law-calendar.md" in printed


def test_a_code_whose_only_rule_is_on_hold_names_no_rule() -> None:
    assert "our rules" not in shown("2323")


@pytest.mark.parametrize(
    ("code", "since"),
    [
        ("hsn.digits", "for documents sent from 2023-12-15 on"),
        ("document.too_late_100_crore", "for documents sent from 2023-11-01 on until 2025-03-31"),
        ("tax.retail_price", "for documents dated from 2026-02-01 on"),
        ("ship_to.pos", "not at present: on hold since 2023-09-01, and not applied"),
        ("lines.none", "for every document"),
    ],
)
def test_a_rule_says_since_when_it_is_in_force_and_why(code: str, since: str) -> None:
    rule = next(rule for rule in RULES if rule.code == code)

    assert f"in force {since} why {rule.source}" in shown(code)


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.code)
def test_every_note_and_fault_of_ours_is_explained(kind: explain.Kind) -> None:
    printed = shown(kind.code)

    assert f"{kind.code} · code of irnflow" in printed
    assert kind.fix in printed
    assert kind.fix_hi in printed


@pytest.mark.parametrize("note", [*normalise.NOTES, *calculate.NOTES, fold.FOLDED], ids=lambda note: note.code)
def test_a_note_of_a_pass_says_that_the_invoice_is_sent(note: explain.Kind) -> None:
    assert "only warns: the invoice is sent all the same" in shown(note.code)


def test_an_example_shows_what_a_rule_says_of_a_document() -> None:
    printed = shown("hsn.digits")

    assert "for example HsnCd of line 1: HSN 9403 has too few digits; above 5 crore of turnover it needs 6." in printed


@pytest.mark.parametrize("pasted", ["ship_to", "ship_to.", "SHIP_TO.*"])
def test_what_several_codes_begin_with_lists_them_with_their_sentences(pasted: str) -> None:
    printed = shown(pasted)

    assert re.search(r"ship_to · \d+ codes of irnflow", printed)
    assert "ship_to.pos The goods are shipped to state <found>, but the place of supply is <pos>." in printed


@pytest.mark.parametrize(
    ("code", "near"), [("digits", "hsn.digits"), ("ship_to.poss", "ship_to.pos"), ("hsn.digit", "hsn.digits")]
)
def test_an_unknown_name_gives_near_ones(code: str, near: str) -> None:
    result = run(code)

    assert result.return_value == 2
    assert near in result.stderr


def test_a_rule_that_only_warns_says_that_the_invoice_is_sent() -> None:
    assert "only warns: the invoice is sent all the same" in shown("hsn.unlisted")


def test_a_fault_of_ours_that_no_rule_finds_is_told_too() -> None:
    printed = shown("document.too_large")

    assert "The document has <found> bytes; the portal takes <most>." in printed
    assert "would answer 5002" in printed


def test_a_class_lists_its_codes() -> None:
    printed = shown("duplicate")

    assert "DUPLICATE · class of the portal's codes" in printed
    assert "2295 Another portal (IRP) has registered a document of this number." in printed


def test_without_a_code_the_classes_are_listed_with_how_many_codes_they_have() -> None:
    result = run()

    assert result.return_value == 0
    assert "351 codes of the portal" in result.stdout
    assert "│ NUMBER_SPENT  │     1 │" in result.stdout


def test_several_codes_are_told_in_the_order_asked() -> None:
    result = run("2150", "totals.taxable_value")

    assert result.return_value == 0
    assert 0 <= result.stdout.index("2150 · DUPLICATE") < result.stdout.index("totals.taxable_value · code")


def test_an_unknown_code_names_those_near_it_and_ends_with_2() -> None:
    result = run("gsperr30", "2150")

    assert result.return_value == 2
    assert "irnflow: no list we know has the code 'gsperr30'; near it: GSPERR300" in result.stderr
    assert "2150 · DUPLICATE" in result.stdout


def test_a_code_like_no_other_says_where_to_look() -> None:
    assert run("nonsense of all kinds").stderr.endswith("; `irnflow explain` lists the classes\n")


def test_the_command_itself_ends_with_2_for_an_unknown_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["irnflow", "explain", "2099"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2


def test_programs_get_a_list_that_tells_what_each_is() -> None:
    told = of(run("--json", "2150", "ship_to.is_recipient", "number_spent", "document.too_large", "calculated"))

    assert [one["kind"] for one in told] == ["portal", "rule", "class", "fault", "family"]
    assert (told[0]["code"], told[0]["class"], told[0]["portal_text"]) == ("2150", "DUPLICATE", "Duplicate IRN")
    assert (told[1]["portal_code"], told[1]["since"], told[1]["on_hold"]) == ("2323", "2026-08-01", "2026-07-29")
    assert told[1]["example"] == "ShipDtls.Gstin: The ship-to GSTIN 27ZZZCR3333C1Z2 is the recipient's own."
    assert told[2]["codes"] == ["2278"]
    assert told[4]["codes"] == [code for code in kinds() if code.startswith("calculated.")]


def test_programs_get_all_classes_where_no_code_is_given() -> None:
    told = of(run("--json"))

    assert [one["class"] for one in told] == list(PortalClass)


def test_programs_get_an_empty_list_for_an_unknown_code() -> None:
    result = run("--json", "2099")

    assert (result.return_value, of(result)) == (2, [])

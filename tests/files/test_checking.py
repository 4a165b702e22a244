"""Documents in files and vouchers of the books are judged as the pipeline judges them."""

import io
from typing import Any

import msgspec

from irnflow.books import sample
from irnflow.files import checking
from irnflow.files.checking import Finding, Judged
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Severity
from tests.books.examples import TODAY, opened
from tests.gst.documents import BETWEEN, DAY, WITHIN, changed

FACTS = Facts(day=DAY)
ENCODER = msgspec.json.Encoder(decimal_format="number")


def judged(whole: Any, facts: Facts = FACTS) -> list[Judged]:
    text = whole if isinstance(whole, bytes) else ENCODER.encode(whole)
    return list(checking.judge_file("a.json", io.BytesIO(text), facts))


def found(whole: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for one in judged(whole) for finding in one.findings]


def test_a_sound_document_has_no_finding_and_a_title() -> None:
    assert judged(BETWEEN) == [Judged(file="a.json", place="", title="INV BLR/2026/117 of 20/11/2026", findings=[])]


def test_what_an_accountant_left_out_is_calculated_first() -> None:
    assert found(changed(BETWEEN, {"ValDtls": None, "ItemList[0].TotItemVal": None})) == []


def test_a_finding_has_these_keys_and_leads_from_the_top_of_the_file() -> None:
    late = changed(BETWEEN, {"DocDtls.Dt": "01/01/2026"})

    (finding,) = judged([WITHIN, late])[1].findings

    assert msgspec.to_builtins(finding) == {
        "file": "a.json",
        "code": "document.too_late",
        "portal_code": "2305",
        "path": "[1].DocDtls.Dt",
        "says": finding.says,
        "fix": finding.fix,
        "severity": "refused",
    }


def test_a_list_in_an_object_names_itself_in_the_path() -> None:
    assert found({"Invoices": [changed(WITHIN, {"SellerDtls.Gstin": None})]}) == [
        ("supplier.gstin_missing", "Invoices[0].SellerDtls.Gstin")
    ]


def test_every_place_that_is_not_inv01_is_told_beside_what_the_rules_find() -> None:
    wrong = changed(WITHIN, {"Foo": 1, "BuyerDtls.Pin": "56000l", "ItemList[1].Qtty": 3, "DocDtls.Dt": "01/01/2026"})

    assert found(wrong) == [
        ("document.not_inv01", "BuyerDtls.Pin"),
        ("document.unknown_field", "ItemList[1].Qtty"),
        ("document.unknown_field", "Foo"),
        ("document.too_late", "DocDtls.Dt"),
    ]


def test_a_document_that_is_no_json_leaves_its_neighbours_alone() -> None:
    text = b"[" + ENCODER.encode(BETWEEN) + b',\n\n{"DocDtls":{"No":1,,}}, ' + ENCODER.encode(WITHIN) + b"]"

    first, second, third = judged(text)

    assert (first.findings, third.findings) == ([], [])
    assert second.unreadable
    assert second.findings[0].path == "[1]"
    assert second.findings[0].says.startswith("line 3, column 20:")


def test_a_text_that_is_no_utf_8_is_told_with_its_place() -> None:
    (one,) = judged(b'{"DocDtls": {"No": "caf\xe9"}}')

    assert one.unreadable
    assert one.findings[0].says == "line 1, column 24: byte 0xe9 is not UTF-8: save the file as UTF-8"


def test_a_file_that_ends_early_tells_so_behind_its_documents() -> None:
    sound, rest = judged(b"[" + ENCODER.encode(BETWEEN) + b",")

    assert not sound.refused
    assert (rest.unreadable, rest.findings[0].code) == (True, "file.unreadable")


def test_the_facts_are_those_given() -> None:
    late = changed(BETWEEN, {"DocDtls.Dt": "01/10/2026"})

    (small,) = judged(late, Facts(day=DAY, turnover_crore=msgspec.convert("5", type(FACTS.turnover_crore))))

    assert (judged(late)[0].refused, small.refused) == (True, False)


def test_vouchers_of_the_books_are_judged_by_id(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)
    ids = ["SAL/1001", "SAL/1057", "SAL/9999"]
    with opened(url) as books, books.reading() as open_books:
        there = open_books.read(ids)

    sound, unreadable, missing = checking.judge_vouchers("main", [(each, there.get(each)) for each in ids], FACTS)

    assert (sound.title[:4], sound.refused, sound.unreadable) == ("INV ", False, False)
    assert unreadable.findings == [
        Finding(
            file="books:main:SAL/1057", code="books.unreadable_row", portal_code=None, path="",
            says="It can't be read: column buyer_pin: '4110O1' is not a number.",
            fix="Mend these values in the books.", severity=Severity.REFUSED,
        )
    ]  # fmt: skip
    assert (missing.unreadable, missing.findings[0].code) == (True, "books.not_found")

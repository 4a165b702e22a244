"""Documents in files and vouchers of the books are judged as the pipeline judges them."""

import io
from typing import Any

import msgspec

from irnflow.books import sample
from irnflow.files import checking, reading
from irnflow.files.checking import Finding, Judged
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Severity
from tests.books.examples import TODAY, opened
from tests.files.invoices import DESK, row, table
from tests.files.spreadsheets import WRITERS, workbook
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


# -- tables ----------------------------------------------------------------------------------------------------------


def of_files(*contents: bytes) -> list[Judged]:
    named = [(f"{at}", lambda mode, content=each: io.BytesIO(content)) for at, each in enumerate(contents)]
    return list(checking.judge_files(named, FACTS))


WRONG_LINES = [row(document_date="20/11/2026"), row(DESK, document_date="20/11/2026", gst_rate="19")]


def test_a_sound_table_has_no_finding() -> None:
    (one,) = of_files(table([row(document_date="20/11/2026")]))

    assert (one.place, one.title, one.findings) == ("line 2", "INV BLR/117 of 20/11/2026", [])


def test_a_finding_of_a_table_names_its_row_and_column() -> None:
    in_csv = of_files(table(WRONG_LINES))[0].findings
    cells = [list(row(DESK)), *(list(each.values()) for each in WRONG_LINES)]
    in_xlsx = of_files(workbook(WRITERS["excel"], cells, name="Sales").getvalue())[0].findings

    assert [(each.path, each.severity) for each in in_csv] == [("line 3, gst_rate", Severity.REFUSED)]
    assert [each.path for each in in_xlsx] == ["Sales, row 3, gst_rate"]


def test_a_finding_of_the_document_names_its_first_row() -> None:
    (one,) = of_files(table([row(document_date="20/11/2026", buyer_pin="560001")]))

    assert [each.path for each in one.findings] == ["line 2, buyer_pin"]


def test_lines_are_named_by_their_own_rows_whatever_their_order() -> None:
    rows = [{**each, "line_no": number} for each, number in zip(WRONG_LINES, ("2", "1"), strict=True)]

    assert [each.path for each in of_files(table(rows))[0].findings] == ["line 3, gst_rate"]


def test_what_import_leaves_out_is_told_with_the_same_words() -> None:
    content = table([row(), row(DESK, document_date="31/11/2026")])
    (taken,) = reading.read("0", lambda mode: io.BytesIO(content))

    (one,) = of_files(content)

    assert one.unreadable
    assert [each.says.lower() for each in one.findings] == [f"{each.says}.".lower() for each in taken.troubles]
    assert [(each.code, each.path) for each in one.findings] == [
        ("file.unreadable_row", "line 2"), ("file.unreadable_row", "line 3, document_date"),
    ]  # fmt: skip


def test_a_correction_is_a_warning_with_its_place() -> None:
    (one,) = of_files(table([row(document_date="20/11/2026", seller_place="Bengaluru\u200b")]))

    assert [(each.code, each.path, each.severity) for each in one.findings] == [
        ("file.corrected", "line 2, seller_place", Severity.WARNING)
    ]


def test_tables_and_inv01_are_judged_in_the_order_given() -> None:
    rows = [row(document_number=f"A{at}", document_date="20/11/2026") for at in range(1, 503)]

    found = of_files(ENCODER.encode(BETWEEN), table(rows), ENCODER.encode(WITHIN), b"hsn\n1\n", table(rows[:1]))

    assert [len([one for one in found if one.file == str(at)]) for at in range(5)] == [1, 502, 1, 1, 1]
    assert [one.file for one in found] == sorted(one.file for one in found)
    assert [one.unreadable for one in found if one.file == "3"] == [True]


def test_what_to_do_about_a_table_is_told_in_hindi() -> None:
    judged_ = of_files(table([row(buyer_pin="4OOOO1")]))

    assert "।" in next(checking.in_hindi(judged_)).findings[0].fix


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

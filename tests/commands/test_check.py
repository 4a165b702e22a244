"""`irnflow check`: its exit codes, its table for people, its list for programs."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow.books import sample
from tests.commands.running import process, run
from tests.files.invoices import DESK, row, table
from tests.golden import a_thousand_lines
from tests.gst.documents import BETWEEN, OPERATOR, SELLER, SEZ_PAID, WITHIN, changed

DAY = ("--day", "2026-11-22")
LATE = changed(BETWEEN, {"DocDtls.Dt": "01/10/2026"})
SPACED = changed(BETWEEN, {"DocDtls.No": " blr/1 "})
ENCODER = msgspec.json.Encoder(decimal_format="number")


def written(tmp_path: Path, whole: Any, name: str = "a.json") -> str:
    file = tmp_path / name
    file.write_bytes(whole if isinstance(whole, bytes) else ENCODER.encode(whole))
    return str(file)


def test_a_clean_file_ends_with_0(tmp_path: Path) -> None:
    ran = run("check", written(tmp_path, [BETWEEN, WITHIN]), *DAY)

    assert (ran.code, ran.out.splitlines()[1]) == (0, "2 documents: 2 clean")


def test_warnings_alone_end_with_0(tmp_path: Path) -> None:
    ran = run("check", written(tmp_path, SPACED), *DAY)

    assert ran.code == 0
    assert "1 document: 1 with warnings" in ran.out


def test_a_refused_document_ends_with_1_and_is_shown_with_what_to_do(tmp_path: Path) -> None:
    file = written(tmp_path, [BETWEEN, LATE])

    ran = process("check", file, *DAY)

    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert (ran.code, ran.err) == (1, "")
    assert lines[1:4] == [file, "", "INV BLR/2026/117 of 01/10/2026  ([1], line 1)"]
    assert lines[4].startswith("  refused  DocDtls.Dt  ")
    assert "2 documents: 1 clean, 1 refused" in lines
    assert "\x1b" not in ran.out


def test_what_to_do_is_told_in_hindi(tmp_path: Path) -> None:
    (finding,) = json.loads(run("check", "--json", "--lang", "hi", written(tmp_path, SPACED), *DAY).out)

    assert finding["says"] == "' blr/1 ' is sent as 'BLR/1'."
    assert "।" in finding["fix"]


def test_an_unreadable_file_ends_with_2_and_the_others_are_checked(tmp_path: Path) -> None:
    files = [written(tmp_path, LATE), written(tmp_path, b"[", "b.json"), str(tmp_path / "none.json")]

    ran = run("check", "--json", *files, *DAY)

    found = json.loads(ran.out)
    assert ran.code == 2
    assert [(each["file"], each["code"]) for each in found] == [
        (files[0], "document.too_late"), (files[1], "file.unreadable"), (files[2], "file.unreadable"),
    ]  # fmt: skip
    assert found[2]["says"] == "No such file or directory."
    assert [each["fix"] for each in found[1:]] == ["Correct the file, or make it again.", "Check the name of the file."]


def test_programs_get_a_list_with_exactly_these_keys(tmp_path: Path) -> None:
    (finding,) = json.loads(run("check", "--json", written(tmp_path, LATE), *DAY).out)

    assert list(finding) == ["file", "code", "portal_code", "path", "says", "fix", "severity"]
    assert (finding["portal_code"], finding["severity"]) == ("2305", "refused")


def test_programs_get_an_empty_list_of_a_clean_file(tmp_path: Path) -> None:
    assert run("check", "--json", written(tmp_path, WITHIN), *DAY).out == "[]\n"


def test_the_standard_input_may_be_checked() -> None:
    ran = run("check", "-", *DAY, given=ENCODER.encode(LATE))

    assert ran.code == 1
    assert "standard input" in ran.out


def test_the_standard_input_may_be_a_table() -> None:
    ran = run("check", "-", *DAY, given=table([row(document_date="20/11/2026")]))

    assert (ran.code, ran.out.splitlines()[1]) == (0, "1 document: 1 clean")


def test_a_table_is_checked_without_being_imported(tmp_path: Path) -> None:
    rows = [row(document_date="20/11/2026", gst_rate="19"), row(document_number="BLR/118", buyer_pin="4OOOO1")]

    ran = process("check", written(tmp_path, table(rows), "a.csv"), *DAY)

    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert ran.code == 2
    assert lines[3] == "INV BLR/117 of 20/11/2026  (line 2)"
    assert lines[4].startswith("  refused  line 2, gst_rate")
    assert any(line.split()[:4] == ["unreadable", "line", "3,", "buyer_pin"] for line in lines)
    assert "1 document: 1 refused, 1 unreadable" in lines


def test_each_row_of_a_document_that_is_left_out_is_shown(tmp_path: Path) -> None:
    rows = [row(), row(DESK, document_date="31/11/2026")]

    ran = run("check", written(tmp_path, table(rows), "a.csv"), *DAY)

    places = [line.split()[1:4] for line in ran.out.splitlines() if line.startswith("  unreadable")]
    assert places == [["line", "2", "Left"], ["line", "3,", "document_date"]]


@pytest.mark.parametrize(("turnover", "code"), [("9.99", 0), ("10", 1)])
def test_the_30_days_bind_by_turnover(tmp_path: Path, turnover: str, code: int) -> None:
    assert run("check", written(tmp_path, LATE), *DAY, "--turnover", turnover).code == code


SHORT = changed(BETWEEN, {"ItemList[0].HsnCd": "9403"})


@pytest.mark.parametrize("refused", [LATE, SHORT])
def test_who_is_refused_by_a_turnover_that_was_not_said_is_told_to_say_it(tmp_path: Path, refused: object) -> None:
    file = written(tmp_path, refused)

    unsaid = run("check", file, *DAY)
    said = run("check", file, *DAY, "--turnover", "500")

    assert (unsaid.code, said.code) == (1, 1)
    assert "say --turnover CRORE." in unsaid.out
    assert "--turnover" not in said.out


def test_turnover_is_10_crore_or_more_where_nothing_is_said(tmp_path: Path) -> None:
    assert run("check", written(tmp_path, LATE), *DAY).code == 1


@pytest.mark.parametrize(("sez", "code"), [(SEZ_PAID["BuyerDtls"]["Gstin"], 0), (SELLER, 1)])
def test_who_is_in_a_special_economic_zone_may_be_said(tmp_path: Path, sez: str, code: int) -> None:
    assert run("check", written(tmp_path, SEZ_PAID), *DAY, "--sez", sez).code == code


def test_a_developer_of_a_zone_may_be_said(tmp_path: Path) -> None:
    file = written(tmp_path, WITHIN)  # with CGST and SGST, which it never bears

    assert [run("check", file, *DAY, *said).code for said in ((), ("--sez-developer", SELLER.lower()))] == [0, 1]


def test_an_operator_may_be_said_to_send_it(tmp_path: Path) -> None:
    file = written(tmp_path, changed(WITHIN, {"TranDtls.EcmGstin": OPERATOR}))

    assert "1 with warnings" in run("check", file, *DAY).out
    assert "1 clean" in run("check", file, *DAY, "--operator", OPERATOR.lower()).out


def test_gstins_of_the_portals_sandbox_pass_when_asked(tmp_path: Path) -> None:
    file = written(tmp_path, changed(WITHIN, {"SellerDtls.Gstin": "29AABCT1332L000"}))

    assert [run("check", file, *DAY).code, run("check", file, *DAY, "--sandbox-gstins").code] == [1, 0]


def test_many_findings_of_one_document_are_cut_short_for_people_only(tmp_path: Path) -> None:
    line = {**WITHIN["ItemList"][0], "HsnCd": "9"}
    file = written(tmp_path, changed(WITHIN, {"ItemList": [{**line, "SlNo": str(n)} for n in range(1, 31)]}))

    assert "more; --json has them all" in run("check", file, *DAY).out
    assert len(json.loads(run("check", "--json", file, *DAY).out)) > 30


@pytest.mark.parametrize(
    "words", [(), ("--books", "main"), ("--voucher", "1"), ("a.json", "--books", "main", "--voucher", "1")]
)
def test_files_or_vouchers_must_be_named_and_not_both(words: tuple[str, ...]) -> None:
    ran = run("check", *words)

    assert (ran.code, ran.err) == (2, "name either files, or vouchers with --books NAME --voucher ID")


def test_a_turnover_that_is_no_amount_is_told() -> None:
    assert "'ten' is no amount in crore rupees" in run("check", "a.json", "--turnover", "ten").err


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample company's books, as `main` of a books file."""
    from tests.books.examples import TODAY

    url = f"sqlite:///{tmp_path}/books.db"
    sample.load(url, TODAY)
    (tmp_path / "books.toml").write_text(f'[books.main]\nurl = "{url}"\n', encoding="utf-8")
    monkeypatch.setenv("IRNFLOW_DATA", str(tmp_path))


@pytest.mark.usefixtures("books")
def test_vouchers_of_the_books_are_checked_by_id() -> None:
    ran = run("check", "--json", "--books", "main", "--voucher", "SAL/1001", "--voucher", "SAL/9999", *DAY)

    (finding,) = json.loads(ran.out)
    assert (ran.code, finding["file"], finding["code"]) == (2, "books:main:SAL/9999", "books.not_found")


@pytest.mark.usefixtures("books")
def test_books_that_the_file_does_not_name_are_told_in_a_sentence() -> None:
    ran = process("check", "--books", "other", "--voucher", "1")

    assert ran.code == 1
    assert ran.err.endswith("names no books 'other'; it has: main\n")


def test_a_bar_stands_on_a_terminal_while_a_large_file_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, [BETWEEN] * 1500)
    ours, theirs = pty.openpty()

    words = [sys.executable, "-m", "irnflow", "check", "--json", file, *DAY]
    os.set_blocking(ours, False)
    terminal = {**os.environ, "TERM": "xterm"}

    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, env=terminal, check=True)

    assert done.stdout == b"[]\n"
    assert b"Checking" in os.read(ours, 10_000)
    os.close(theirs)
    os.close(ours)


def test_no_bar_stands_where_there_is_no_terminal(tmp_path: Path) -> None:
    assert process("check", "--json", written(tmp_path, [BETWEEN] * 1500), *DAY).err == ""


def test_more_than_a_thousand_lines_pass_where_the_portal_allows_them(tmp_path: Path) -> None:
    document = a_thousand_lines()
    document["ItemList"].append(document["ItemList"][0] | {"SlNo": "1001"})
    file = tmp_path / "long.json"
    file.write_bytes(msgspec.json.Encoder(decimal_format="number").encode(document))

    def refused(*words: str) -> list[str]:
        found = json.loads(run("check", str(file), *DAY, "--json", *words).out)
        return [one["code"] for one in found if one["code"] == "lines.too_many"]

    assert (refused(), refused("--lines-max", "2000")) == (["lines.too_many"], [])

"""`irnflow template` and `irnflow import`: from an empty table to vouchers that pass the check."""

import json
from pathlib import Path

import pytest

from irnflow.files import template
from tests.books.examples import TODAY, fill_other_layout
from tests.commands.running import process, run

CSV = template.write_csv(TODAY, names=template.usual())
DAY = ("--day", "2026-11-22")


@pytest.fixture(autouse=True)
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Books `main` that nobody has made yet, and `other` of another layout."""
    layout = (Path(__file__).parents[1] / "books/other_layout.toml").read_text(encoding="utf-8").partition("\n")[2]
    layout = layout.replace('url_env = "ACME_BOOKS_URL"', "")
    (tmp_path / "books.toml").write_text(
        f'[books.main]\nurl = "sqlite:///{tmp_path}/main.db"\n\n[books.other]\nurl = "sqlite:///{tmp_path}/o.db"\n'
        + layout[layout.index("headers") :],
        encoding="utf-8",
    )
    monkeypatch.setenv("IRNFLOW_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [("t.csv",), ("t.xlsx",), ("t.csv", "--all"), ("t", "--csv"), ("t", "--xlsx")])
def test_a_template_is_written_and_can_be_imported(words: tuple[str, ...]) -> None:
    written = run("template", *words)

    assert written == (0, f"{words[0]} is ready. Fill it in, then: irnflow import {words[0]} --books NAME\n", "")
    assert run("import", words[0], "--books", "main").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("t.pdf",), "t.pdf ends neither in .xlsx nor .csv: say --xlsx or --csv"),
        (("books.toml", "--csv"), "books.toml is there already: name another file, or say --force to write over it"),
        (("nowhere/t.csv",), "nowhere/t.csv can't be written: No such file or directory"),
    ],
)
def test_a_template_that_can_not_be_written_is_told(words: tuple[str, ...], says: str) -> None:
    assert run("template", *words).err == says


def test_a_template_is_written_over_a_file_when_that_is_said() -> None:
    run("template", "t.csv")

    assert run("template", "t.csv", "--force").code == 0


def test_what_is_imported_passes_the_check() -> None:
    Path("t.csv").write_bytes(CSV)

    ran = run("import", "t.csv", "--books", "main")
    checked = run("check", "--books", "main", "--voucher", "EXAMPLE-1", "--voucher", "EXAMPLE-2", *DAY)

    assert ran.out == (
        "\n2 documents: 2 added\nInto books main. Next: irnflow check --books main --voucher EXAMPLE-1\n"
    )
    assert "2 documents: 2 clean" in checked.out


def test_bad_rows_are_told_by_line_and_column_and_end_with_1() -> None:
    Path("t.csv").write_bytes(CSV.replace(b"400001", b"4OOOO1"))

    ran = process("import", "t.csv", "--books", "main")

    assert (ran.code, ran.err) == (1, "")
    assert [line.rstrip() for line in ran.out.splitlines()][:5] == [
        "",
        "t.csv",
        "left out  INV EX/1",
        "  line 2  buyer_pin  '4OOOO1' is not a number",
        "  line 3  buyer_pin  '4OOOO1' is not a number",
    ]
    assert "2 documents: 1 added, 1 left out" in ran.out


def test_a_file_that_can_not_be_read_ends_with_2_and_the_others_are_imported() -> None:
    Path("t.csv").write_bytes(CSV)

    ran = run("import", "none.csv", "t.csv", "--books", "main")

    assert ran.code == 2
    assert "unreadable  No such file or directory" in ran.out
    assert "2 documents: 2 added" in ran.out


def test_programs_get_ids_and_troubles() -> None:
    Path("t.csv").write_bytes(CSV.replace(b"INBOM4", b"INBOM4,x"))

    ran = run("import", "t.csv", "--books", "main", "--json")

    assert (ran.code, json.loads(ran.out)) == (
        1,
        {
            "added": ["EXAMPLE-1"], "updated": [], "unchanged": [], "refused": 1, "unreadable": 0, "left_out": 0,
            "notes": [],
            "troubles": [{
                "file": "t.csv", "sheet": "", "row": 4, "column": "",
                "says": "the row has more cells than the header: a comma in a text or number without quotes?",
            }],
        },
    )  # fmt: skip


def test_what_was_corrected_is_shown() -> None:
    Path("t.csv").write_bytes(CSV.replace(b"Quiet Offices", "Quiet\u200b Offices".encode()))

    ran = run("import", "t.csv", "--books", "main")

    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines() if line][1:3] == [
        ["corrected", "INV", "EX/1"],
        ["line", "2", "buyer_legal_name", "an", "invisible", "character", "was", "dropped"],
    ]  # fmt: skip


def test_a_document_that_is_split_over_files_is_left_out() -> None:
    lines = CSV.splitlines(keepends=True)
    Path("a.csv").write_bytes(lines[0] + lines[1] + lines[3])
    Path("b.csv").write_bytes(lines[0] + lines[2])

    ran = run("import", "a.csv", "b.csv", "--books", "main", "--json")

    done = json.loads(ran.out)
    assert (ran.code, done["added"]) == (1, ["EXAMPLE-2"])
    assert [(each["file"], each["row"]) for each in done["troubles"]] == [("a.csv", 2), ("b.csv", 2)]


def test_books_of_another_layout_are_told(tmp_path: Path) -> None:
    fill_other_layout(f"sqlite:///{tmp_path}/o.db")
    Path("t.csv").write_bytes(CSV)

    ran = process("import", "t.csv", "--books", "other")

    assert ran.code == 1
    assert "books other have a layout of their own" in ran.err

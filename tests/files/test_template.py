"""The template has every column, an example that is sound, lists to choose from, and is what import reads."""

from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from irnflow.books.columns import HEADERS, LINES
from irnflow.files import tables, template
from irnflow.files.documents import COLUMNS
from tests.books.examples import TODAY


def workbook() -> BytesIO:
    stream = BytesIO()
    template.write_xlsx(TODAY, stream)
    stream.seek(0)
    return stream


def rows(sheet: str) -> list[list[object]]:
    found: list[list[object]] = CalamineWorkbook.from_filelike(workbook()).get_sheet_by_name(sheet).to_python()
    return found


def test_it_has_every_column_of_the_books_once() -> None:
    assert sorted(template.columns()) == sorted(COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS) == 1 + len(HEADERS) + len(LINES)


def test_each_column_named_in_it_exists() -> None:
    named = {*template.usual(), *template.CALCULATED, *template.example(TODAY)[0], *template.example(TODAY)[2]}

    assert named - set(COLUMNS) == set()


def test_a_workbook_that_nobody_filled_in_has_no_documents() -> None:
    assert list(tables.xlsx_documents("a.xlsx", workbook())) == []


def test_the_example_of_the_workbook_is_that_of_the_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    in_csv = list(tables.csv_documents("a", BytesIO(template.write_csv(TODAY, names=template.columns()))))
    monkeypatch.setattr(tables, "ASIDE", ("Instructions", "Lists"))

    in_xlsx = list(tables.xlsx_documents("a", workbook()))

    assert [one.document for one in in_xlsx] == [one.document for one in in_csv]


def test_the_instructions_explain_every_column() -> None:
    explained = [row[0] for row in rows("Instructions")[9:]]

    assert explained == [*template.columns()]
    assert all(row[3] for row in rows("Instructions")[9:])


def test_lists_are_there_to_choose_from() -> None:
    lists = dict(zip(*rows("Lists")[:2], strict=True))

    assert {name: lists[name] for name in ("document_type", "seller_state", "reverse_charge", "gst_rate", "unit")} == {
        "document_type": "INV", "seller_state": "01 Jammu and Kashmir", "reverse_charge": "Y", "gst_rate": "0",
        "unit": "BAG",
    }  # fmt: skip
